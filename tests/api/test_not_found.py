"""Unknown paths, and methods that a path does not support."""

import pytest

from chalicelib.routes import ALL
from tests.support.world import Person

pytestmark = pytest.mark.shared_stage

PATHS = sorted({route.path for route in ALL})


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/nothing/at/all", "/v1/targets/x/nothing", "/v2/targets?a=b"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_unknown_path_is_not_found(alice: Person, method: str, path: str) -> None:
    reply = alice.call(method, path)
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["type"] == "urn:monitum:problem:not-found"
    assert reply.json["request_id"]
    assert alice.token not in reply.text


@pytest.mark.parametrize("path", PATHS)
def test_unsupported_method_lists_the_supported_ones(alice: Person, path: str) -> None:
    supported = {route.method for route in ALL if route.path == path}
    called = path.replace("{", "").replace("}", "")
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - supported:
        reply = alice.call(method, called)
        assert reply.status == 405
        assert reply.json["type"] == "urn:monitum:problem:method-not-allowed"
        assert supported <= set(reply.headers["allow"].split(", "))


def test_problem_and_log_line_share_the_request_id(
    alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "chalicelib")
    for path in ("/v1/targets/nonsense", "/v1/nothing"):
        problem = alice.get(path).json
        (line,) = [record for record in caplog.records if record.message == "request"]
        assert vars(line)["request_id"] == problem["request_id"]
        assert vars(line)["status"] == problem["status"]
        caplog.clear()
