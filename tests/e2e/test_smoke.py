"""The smoke test of deployments, on a running stack."""

import requests

from ops.deployment import cloudformation, smoke
from ops.stages import Stage


def test_the_smoke_test_passes_twice(stage: Stage) -> None:
    (first,), (second,) = smoke.run(stage), smoke.run(stage)

    assert (first["verdict"], second["verdict"]) == ("UP", "UP")
    assert first["target_id"] != second["target_id"]


def test_the_emulator_s_reset_endpoint_is_blocked(stage: Stage) -> None:
    requests.post(f"{stage.endpoint_url}/_ministack/reset", timeout=10)

    assert cloudformation.outputs(stage)
