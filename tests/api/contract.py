"""What the tests of the contract share: a stage that forgets, and how an answer is judged."""

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chalicelib.api.routing import Route
from chalicelib.domain import ids
from chalicelib.ops import openapi
from tests.dynamo import Dynamo, Snapshot
from tests.stages import quick_stage
from tests.world import DOWN, START, Person, World
from tests.wsgi import application

SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": list(HealthCheck),
}
PLAIN: dict[str, Any] = {
    "name": "Made up",
    "url": "https://shop.example/",
    "host": "shop.example",
    "address": "ops@shop.example",
    "timeout_s": 10,
    "resolver": None,
    "expected": [],
    "expect": {},
    "headers": {},
    "tags": [],
    "channel_ids": [],
    "target_ids": [],
    "sections": [],
    "expires_at": None,
}
"""What is made up is hardly ever an address that can be watched, or a line of text."""
_EVERY_NIGHT = {
    "name": "x",
    "tags": ["x"],
    "cron": "0 3 * * *",
    "timezone": "UTC",
    "duration_s": 3_600,
}
_TIMES = {"starts_at", "ends_at", "cron", "timezone", "duration_s"}
_JUDGED_ONE_BY_ONE = {"create_targets"}
"""What is broken in an item of a batch is told of in its place of a good answer."""
_CONFORMANCE: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_LIMITS = {"rate_per_minute": 100_000, "rate_burst": 100_000}


@dataclass
class Stage:
    """A stage with somebody in it who has one of everything: `there` leads to them, by parameter.

    Nothing of a call is left for the next one: `forget` puts everything back, the ids to come too.
    """

    world: World
    dynamo: Dynamo
    alice: Person
    there: Mapping[str, str]
    memory: Snapshot = field(default_factory=dict)

    def forget(self) -> None:
        world = self.world
        self.dynamo.restore(self.memory)
        world.queue.waiting.clear()
        world.alerts.waiting.clear()
        world.functions.started.clear()
        world.runtime.__dict__.pop("skips", None)
        _begin_ids_anew(1)

    def call(self, case: Case[Any]) -> Any:
        """The answer to a case, as somebody whom all is allowed."""
        return case.call(headers={"Authorization": f"Token {self.alice.token}"})


def _begin_ids_anew(seed: int) -> None:
    chance = SimpleNamespace(randbits=random.Random(seed).getrandbits)
    vars(ids).update(_SERIES=ids.Series(), secrets=chance)


@contextmanager
def stage_that_forgets() -> Iterator[Stage]:
    with quick_stage() as (world, dynamo), pytest.MonkeyPatch.context() as patch:
        for name in ("_SERIES", "secrets"):
            patch.setattr(ids, name, vars(ids)[name])
        _begin_ids_anew(0)
        send = world.queue.send

        def send_and_check(messages: Any) -> None:
            send(messages)
            world.deliver()

        patch.setattr(world.queue, "send", send_and_check)
        alice = world.user("alice", admin=True)
        stage = Stage(world, dynamo, alice, _one_of_everything(alice))
        world.clock.time = START + 1_800
        world.tick()
        world.queue.waiting.clear()
        stage.memory = dynamo.snapshot()
        yield stage


def _one_of_everything(alice: Person) -> dict[str, str]:
    world = alice.world
    assert alice.patch(f"/v1/users/{alice.owner}", {"limits": _LIMITS}).status == 200
    target = alice.make_target(failure_threshold=1, tags=["prod"])
    world.checker.script[target["id"]] = DOWN
    world.run(150)
    hook = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}
    channel = alice.post("/v1/channels", hook).json
    world.tell_all(60)
    window = {"name": "x", "tags": ["x"], "cron": "0 3 * * 0", "duration_s": 60}
    page = {"name": "Shop", "slug": "shop", "tags": ["prod"], "published": True}
    return {
        "page_id": alice.post("/v1/pages", page).json["id"],
        "slug": "shop",
        "badge": "shop",
        "picture": "status.svg",
        "target_id": target["id"],
        "channel_id": channel["id"],
        "incident_id": alice.get("/v1/incidents").json["items"][0]["id"],
        "token_id": alice.post("/v1/tokens", {"name": "second"}).json["id"],
        "user_id": world.user("bob").owner,
        "window_id": alice.post("/v1/maintenance", window).json["id"],
    }


def document(stage: Stage) -> BaseSchema:
    """The committed document, to call the stage by.

    Without its security: broken tokens would take the place of what else could be broken, and have
    tests of their own.
    """
    found = json.loads(openapi.FILE.read_text(encoding="utf-8"))
    del found["security"], found["components"]["securitySchemes"]
    answer = json.dumps(found).encode()
    ask = application(stage.world.gateway)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/document":
            return ask(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [answer]

    schema = schemathesis.openapi.from_wsgi("/document", app)
    schema.config.update(base_url="http://localhost")
    return schema


def judge(case: Case[Any], route: Route, answer: Any) -> None:
    """Fail where an answer is not what the document says."""
    if case.method.upper() != route.method:
        assert answer.status_code in {404, 405, 400}, answer.text
        return
    checks = [not_a_server_error, *_CONFORMANCE]
    if _is_to_be_refused(case, answer.status_code) and route.name not in _JUDGED_ONE_BY_ONE:
        checks.append(negative_data_rejection)
    case.validate_response(answer, checks=checks)


def _is_to_be_refused(case: Case[Any], status: int) -> bool:
    """Whether body or query are broken; the version that is named is looked at before them."""
    parts = case.meta.components if case.meta else {}
    modes = [parts[at].mode for at in _REFUSED if at in parts]
    return GenerationMode.NEGATIVE in modes and status != 412


_REFUSED = (ParameterLocation.BODY, ParameterLocation.QUERY)


def plain(body: Any) -> Any:
    """A body with values that can be stored, where there is a field of that name."""
    if not isinstance(body, dict):
        return body
    if body.keys() & _TIMES:
        kept = {name: value for name, value in body.items() if name not in {*PLAIN, *_TIMES}}
        return {**kept, **_EVERY_NIGHT}
    return {**body, **{name: value for name, value in PLAIN.items() if name in body}}


def takes_something(route: Route) -> bool:
    """Whether there is anything to vary in a call."""
    return bool("{" in route.path or route.body or route.query.model_fields or route.takes)
