"""Makes users of a deployed stage, with the application's own service."""

import os

from ops import deploy
from ops.stages import Stage


def create(stage: Stage, name: str, *, admin: bool = False) -> tuple[str, str]:
    """Make a user on the stage; returns its id and its token, which is shown only now.

    The process takes over the deployed function's environment, so that the service sees the same
    tables: call it before anything else of the application is imported.
    """
    os.environ.update(deploy.function_environment(stage))
    os.environ.update(stage.environment())
    from chalicelib.runtime import Runtime
    from chalicelib.users import service as users_service

    Runtime.from_env(os.environ)
    return users_service.create_user(name, admin=admin)
