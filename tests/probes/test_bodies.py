"""How much of a body is read, and what is said of the rest."""

from pathlib import Path

from tests.probes.conftest import Watch
from tests.probes.hostile import answers, floods, response, serving, with_tls
from tests.probes.pki import Authority, server_context


def test_how_much_of_a_body_is_read(watch: Watch) -> None:
    page = response(body=b"x" * 200_000 + b"OK")
    with serving(answers(page)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert watch("http", url=url, expect={"body_contains": "OK"}).verdict == "UP"
        less = watch("http", url=url, expect={"body_contains": "OK"}, max_body_bytes=1000)
        assert (less.verdict, less.reason) == ("DOWN", "too_large")
        assert less.error == 'the first 1000 bytes of the body do not contain "OK"'
        unwanted = watch("http", url=url, expect={"body_not_contains": "OK"}, max_body_bytes=1000)
        assert unwanted.verdict == "UP"


def test_a_pattern_may_lie_beyond_what_is_read(watch: Watch) -> None:
    with serving(answers(response(body=b"x" * 2000 + b"OK"))) as server:
        url = f"http://127.0.0.1:{server.port}/"
        whole = watch("http", url=url, expect={"body_matches": "O[K]"})
        less = watch("http", url=url, expect={"body_matches": "O[K]"}, max_body_bytes=1000)
        other = watch("http", url=url, expect={"body_matches": "K[O]"})
    assert (whole.verdict, less.reason, other.reason) == ("UP", "too_large", "body")
    assert less.error == 'the first 1000 bytes of the body do not match "O[K]"'


def test_what_should_not_be_there_is_told_also_of_a_part(watch: Watch) -> None:
    with serving(answers(response(body=b"Error" + b"x" * 2000))) as server:
        url = f"http://127.0.0.1:{server.port}/"
        part = watch("http", url=url, expect={"body_not_contains": "Error"}, max_body_bytes=1000)
    assert (part.reason, part.error) == ("body", 'the body contains "Error"')


def test_no_target_reads_more_than_a_mebibyte(watch: Watch) -> None:
    with serving(floods(b"x" * 65_536, first=b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = watch("http", url=url, expect={"body_contains": "y"}, max_body_bytes=10**9)
    assert result.error == 'the first 1048576 bytes of the body do not contain "y"'


def test_a_long_body_over_tls(watch: Watch, authority: Authority, tmp_path: Path) -> None:
    context = server_context(authority.issue(tmp_path / "it.pem"))
    with serving(with_tls(context, answers(response(body=b"x" * 900_000 + b"OK")))) as server:
        url = f"https://127.0.0.1:{server.port}/"
        assert watch("http", url=url, expect={"body_contains": "OK"}).verdict == "UP"
