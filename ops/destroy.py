"""Takes a stage away again: the stack, and on demand the data that outlives it."""

from ops import artifacts, cloudformation, regions, resources
from ops.console import say, step
from ops.stages import Stage


def what_happens(stage: Stage, *, data: bool) -> str:
    """What `destroy` will do to the stage, for whoever has to agree to it."""
    if stage.endpoint_url:
        return f"{stage.stack_name} is deleted with all its data."
    if data:
        return (
            f"{stage.stack_name} is deleted, then its tables with ALL USERS, TARGETS AND HISTORY, "
            "whether they are protected or not, and the packages. Nothing brings them back but a "
            "backup of your own."
        )
    return (
        f"{stage.stack_name} is deleted: API, functions, queues with what is in them, alarms and "
        "logs. Its tables stay, protected as they are: the next deployment of the stage takes them "
        "over. DATA=1 deletes them too."
    )


def destroy(stage: Stage, *, data: bool) -> None:
    """Delete the stack; with `data` also tables and packages. Harmless where there is nothing.

    Raises:
        Failure: CloudFormation could not delete it.
    """
    regions.leave(stage, regions.of(stage))
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
