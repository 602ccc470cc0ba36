"""The routes of all operations."""

from chalicelib.alerting.channels import confirmation_routes
from chalicelib.alerting.channels import routes as channels_routes
from chalicelib.alerting.incidents import routes as incidents_routes
from chalicelib.api import site
from chalicelib.api.routing import Route
from chalicelib.health import routes as health_routes
from chalicelib.history import routes as history_routes
from chalicelib.maintenance import routes as maintenance_routes
from chalicelib.status_pages import public_routes
from chalicelib.status_pages import routes as status_pages_routes
from chalicelib.targets import bulk_routes
from chalicelib.targets import routes as targets_routes
from chalicelib.users import routes as users_routes

ALL: list[Route] = [
    *users_routes.routes,
    *bulk_routes.routes,
    *channels_routes.routes,
    *confirmation_routes.routes,
    *health_routes.routes,
    *incidents_routes.routes,
    *maintenance_routes.routes,
    *status_pages_routes.routes,
    *public_routes.routes,
    *site.routes,
    *targets_routes.routes,
    *history_routes.routes,
]
