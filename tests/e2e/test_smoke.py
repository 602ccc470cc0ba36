"""What `make deploy` tries after every deployment, on the stack that runs."""

import requests

from ops import cloudformation, smoke
from ops.stages import Stage


def test_the_smoke_test_of_deployments_passes_and_can_be_repeated(stage: Stage) -> None:
    first, second = smoke.prove(stage), smoke.prove(stage)

    assert (first["verdict"], second["verdict"]) == ("UP", "UP")
    assert first["target_id"] != second["target_id"]


def test_no_page_in_a_browser_can_have_the_emulator_forget_everything(stage: Stage) -> None:
    requests.post(f"{stage.endpoint_url}/_ministack/reset", timeout=10)

    assert cloudformation.outputs(stage)
