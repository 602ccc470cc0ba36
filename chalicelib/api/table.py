"""All operations, module by module."""

from chalicelib.api import accounts, checks, health, pages, stats, targets
from chalicelib.api.routing import Route

ALL: list[Route] = [
    *accounts.routes,
    *checks.routes,
    *health.routes,
    *pages.routes,
    *targets.routes,
    *stats.routes,
]
