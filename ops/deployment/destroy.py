"""Deletes a stage: the stack and, on request, the data that outlives it."""

from ops import resources
from ops.console import say, step
from ops.deployment import artifacts, cloudformation, regions
from ops.stages import Stage


def warning(stage: Stage, *, data: bool) -> str:
    """What `destroy` deletes, for the user to confirm."""
    if stage.endpoint_url:
        return f"This deletes {stage.stack_name} with all its data."
    if data:
        return (
            f"This deletes {stage.stack_name}, then its tables with ALL USERS, TARGETS AND HISTORY "
            "(even if they are protected) and the packages. Only a backup can restore them."
        )
    return (
        f"This deletes {stage.stack_name}: API, functions, queues with their messages, alarms and "
        "logs. The tables are kept and stay protected; the next deployment of the stage uses them "
        "again. DATA=1 deletes them too."
    )


def destroy(stage: Stage, *, data: bool) -> None:
    """Delete the stack if it exists; with `data` also tables and packages.

    Raises:
        Failure: CloudFormation could not delete it.
    """
    regions.remove(stage, regions.of(stage))
    if cloudformation.find(stage):
        with step(f"deleting {stage.stack_name}"):
            cloudformation.delete(stage)
    if data or stage.endpoint_url:
        _delete_tables(stage)
        artifacts.remove_bucket(stage)


def _delete_tables(stage: Stage) -> None:
    client = stage.client("dynamodb")
    for name in resources.table_names(f"{stage.stack_name}-"):
        try:
            client.update_table(TableName=name, DeletionProtectionEnabled=False)
            client.get_waiter("table_exists").wait(TableName=name)
            client.delete_table(TableName=name)
        except client.exceptions.ResourceNotFoundException:
            continue
        say(f"  {name} is deleted")
