"""All operations, module by module."""

from chalicelib.api import (
    accounts,
    audit,
    batch,
    channels,
    checks,
    confirm,
    health,
    incidents,
    maintenance,
    metrics,
    pages,
    public,
    site,
    stats,
    targets,
)
from chalicelib.api.routing import Route

ALL: list[Route] = [
    *accounts.routes,
    *audit.routes,
    *batch.routes,
    *channels.routes,
    *checks.routes,
    *confirm.routes,
    *health.routes,
    *incidents.routes,
    *maintenance.routes,
    *metrics.routes,
    *pages.routes,
    *public.routes,
    *site.routes,
    *targets.routes,
    *stats.routes,
]
