"""Invalid bodies are rejected with a 4xx, and nothing is written."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.targets.expectation_schemas import HttpExpectations
from chalicelib.targets.kind_schemas import HttpTarget
from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

SHOP = b'{"name":"Shop","kind":"http","url":"https://shop.example/"'
DEEP = 20_000


@pytest.fixture(scope="module")
def alice(shared_stage: World) -> Person:
    """One owner for all tests, because rejected requests leave no data."""
    return shared_stage.user("alice")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b"'single'",
        SHOP,
        SHOP + b"}}",
        SHOP + b"} //",
        SHOP + b',"timeout_s":NaN}',
        SHOP + b',"timeout_s":Infinity}',
        SHOP + b',"timeout_s":-Infinity}',
        SHOP + b',"expect":{"json":[{"path":"$","less":1e999}]}}',
        SHOP + b',"expect":{"json":[{"path":"$","equals":-1e999}]}}',
        SHOP + b',"name":"Twice"}',
        SHOP + b',"headers":{"A":"1","A":"2"}}',
        SHOP + b',"expect":{"json":[{"path":"$","equals":{"a":1,"a":1}}]}}',
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * (DEEP // 2) + b"1" + b"}" * (DEEP // 2),
        SHOP + b',"expect":{"json":[{"path":"$","equals":' + b"[" * 40 + b"]" * 40 + b"}]}}",
        SHOP[:-1] + b'\xff"}',
        (SHOP[:-1] + b'\xff"}').decode(errors="replace").encode(),
        SHOP[:-1] + b'\xed\xa0\x80"}',
        b"\xef\xbb\xbf" + SHOP + b"}",
        (SHOP + b"}").decode().encode("utf-16"),
        SHOP + rb',"method":"\ud800"}',
        SHOP + rb',"tags":["\udfff\ud800"]}',
        SHOP + rb',"\ud800":1}',
        SHOP + b',"tags":["a\x00b"]}',
        SHOP + b',"tags":["a\nb"]}',
        SHOP + b',"timeout_s":' + b"9" * 5000 + b"}",
        SHOP + b',"timeout_s":0x10}',
        SHOP + b',"timeout_s":01}',
        SHOP + b',"tags":[1,]}',
    ],
    ids=lambda body: repr(body[-30:]),
)
def test_invalid_json_is_a_400_that_writes_nothing(alice: Person, body: bytes) -> None:
    before = stored()
    reply = alice.post("/v1/targets", body)
    assert (reply.status, reply.fields) == (400, ["body"])
    assert reply.headers["content-type"] == "application/problem+json"
    assert stored() == before


@pytest.mark.parametrize("value", ["null", "[]", "1", '"text"', "true", "[{}]"])
@pytest.mark.parametrize("path", ["/v1/targets", "/v1/targets/batch", "/v1/tokens"])
def test_json_other_than_an_object_is_a_422(alice: Person, path: str, value: str) -> None:
    before = stored()
    reply = alice.post(path, value.encode())
    assert (reply.status, reply.fields) == (422, ["body"])
    assert stored() == before


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"colour": 1}, "`colour` is not supported: remove it or correct its name"),
        ({"name": ""}, "`name` must have at least 1 character"),
        ({"kind": "ftp"}, "`kind` must be one of http, tcp, tls, dns"),
        ({"timeout_s": "5"}, "`timeout_s` must be an integer"),
        ({"tags": ["a", 1]}, "`tags[1]` must be a string"),
        ({"expect": {"max_redirects": 1}}, "`max_redirects` is not supported: remove it"),
    ],
)
def test_message_names_the_field(alice: Person, fields: dict[str, object], message: str) -> None:
    reply = alice.post("/v1/targets", {**json.loads(SHOP + b"}"), **fields})
    assert reply.status == 422
    assert reply.json["errors"][0]["msg"].startswith(message)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/problem+json",
        "text/json",
        "",
        "json",
    ],
)
def test_other_content_type_is_a_415(alice: Person, content_type: str) -> None:
    before = stored()
    reply = alice.post("/v1/targets", SHOP + b"}", Content_Type=content_type)
    assert reply.status == 415
    assert stored() == before


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;a=b"]
)
def test_other_spellings_of_the_content_type_are_accepted(alice: Person, content_type: str) -> None:
    assert alice.post("/v1/targets", SHOP + b"}", Content_Type=content_type).status == 201


@pytest.mark.parametrize("body", [b"x" * 65_537, SHOP + b"}" + b" " * 65_536, b"\xff" * 70_000])
def test_more_than_64_kib_is_a_413(alice: Person, body: bytes) -> None:
    before = stored()
    assert alice.post("/v1/targets", body).status == 413
    assert stored() == before


def test_64_kib_are_accepted(alice: Person) -> None:
    body = SHOP + b"}"
    assert alice.post("/v1/targets", body + b" " * (65_536 - len(body))).status == 201


def test_invalid_token_is_reported_before_invalid_body(world: World) -> None:
    assert Person(world, "", "none").post("/v1/targets", b"{").status == 401


def test_reads_ignore_the_content_type(alice: Person) -> None:
    assert alice.get("/v1/targets", Content_Type="text/plain").status == 200


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([*HttpTarget.model_fields, "id", "state", "host", "port"])
EXPECT = st.sampled_from([*HttpExpectations.model_fields, "json"])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(FIELDS, JSON, max_size=3), st.dictionaries(EXPECT, JSON, max_size=2))
def test_no_field_value_causes_a_500(
    alice: Person, fields: dict[str, object], expect: dict[str, object]
) -> None:
    given_ = {**json.loads(SHOP + b"}"), "expect": expect, **fields}
    reply = alice.post("/v1/targets", given_)
    assert reply.status in (201, 422), reply.text
    if reply.status == 422:
        assert reply.fields
        assert all(field.split(".")[0] == "body" for field in reply.fields)
    else:
        path = f"/v1/targets/{reply.json['id']}"
        assert alice.get(path).status == 200
        assert alice.patch(path, {"name": "Renamed"}).status == 200
        assert alice.delete(path).status == 204
