"""All operations, module by module."""

from chalicelib.api import accounts, checks, health, targets
from chalicelib.api.routing import Route

ALL: list[Route] = [*accounts.routes, *checks.routes, *health.routes, *targets.routes]
