"""What `make deploy` tries after every deployment, on the stack that runs."""

from chalicelib.ops import smoke
from chalicelib.ops.stages import Stage


def test_the_smoke_test_of_deployments_passes_and_can_be_repeated(stage: Stage) -> None:
    first, second = smoke.prove(stage), smoke.prove(stage)

    assert (first["verdict"], second["verdict"]) == ("UP", "UP")
    assert first["target_id"] != second["target_id"]
