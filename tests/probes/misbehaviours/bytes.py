"""Answers that are no HTTP, and bytes that should not be where they are."""

from tests.probes.hostile import OK, answers, response
from tests.probes.misbehaviours.case import BEGUN, WANTS_OK, Case

NO_HTTP = [
    Case(
        "a response without status line",
        answers(b"Content-Type: a/b\r\n\r\nOK"),
        "protocol",
        "status line",
    ),
    Case("200 without HTTP", answers(b"200 OK\r\n\r\nOK"), "protocol", "status line"),
    Case("HTTP/0.9", answers(b"<html>OK</html>"), "protocol", "status line"),
    Case("HTTP/2 settings", answers(bytes.fromhex("000000040000000000")), "protocol", "HTTP/2"),
    Case("the HTTP/2 preface", answers(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "protocol", "HTTP/2"),
    Case("HTTP/3 in words", answers(b"HTTP/3 200 OK\r\n\r\n"), None),
    Case("lower-case http", answers(b"http/1.1 200 OK\r\n\r\n"), None),
    Case("a TLS alert", answers(bytes.fromhex("15030100020246")), "protocol", "https://"),
    Case("an SSH banner", answers(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), "protocol", "status line"),
    Case("an SMTP banner", answers(b"220 mail.example ESMTP\r\n\r\n"), "protocol"),
    Case("empty lines first", answers(b"\r\n" * 9 + OK), "protocol", "status line"),
    Case("NUL bytes", answers(bytes(100)), "protocol", "status line"),
    Case("status 000", answers(b"HTTP/1.1 000 \r\n\r\n"), "protocol", "malformed"),
    Case("status 99", answers(b"HTTP/1.1 99 \r\n\r\n"), "protocol", "malformed"),
    Case("status 1000", answers(b"HTTP/1.1 1000 \r\n\r\n"), "protocol", "malformed"),
    Case("status -200", answers(b"HTTP/1.1 -200 \r\n\r\n"), "protocol", "malformed"),
    Case("status in words", answers(b"HTTP/1.1 OK\r\n\r\n"), "protocol", "malformed"),
    Case("status 999", answers(response(status="999 No")), "status", "got 999"),
    Case("status 101 unasked", answers(b"HTTP/1.1 101 \r\n\r\n"), "protocol", "switched"),
]
ODD_BYTES = [
    Case("NUL in a header", answers(response("X: a\0b")), "protocol", "control character"),
    Case("NUL in a header's name", answers(response("X\0: a")), "protocol", "control"),
    Case("a space in a header's name", answers(response("X Y: a")), None),
    Case("a header without colon", answers(response("nonsense")), None),
    Case("no header with a colon", answers(BEGUN + b"x\n" * 30_000 + b"\r\nOK"), None),
    Case("CR in a header", answers(response("X: a\rb")), None),
    Case("invalid UTF-8 in a header", answers(response("X: \xff\xfe")), None),
    Case("invalid UTF-8 in the phrase", answers(response(status="200 \xff\xfe")), None),
    Case("invalid UTF-8 in the body", answers(response(body=b"\xff\xfdOK")), None, expect=WANTS_OK),
    Case("NUL in the body", answers(response(body=b"\0O\0K\0")), "body", expect=WANTS_OK),
    Case(
        "a charset that is none",
        answers(response("Content-Type: text/html; charset=\x01nonsense")),
        None,
        expect=WANTS_OK,
    ),
    Case(
        "a charset that unpacks",
        answers(response("Content-Type: text/html; charset=bz2")),
        None,
        expect=WANTS_OK,
    ),
    Case(
        "a charset that is slow",
        answers(response("Content-Type: a/b; charset=idna", body=b"OK" * 99_999)),
        None,
        expect=WANTS_OK,
    ),
    Case("line ends without CR", answers(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nOK"), None),
    Case("a status without phrase", answers(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), None),
    Case(
        "a folded header", answers(response("X: a\r\n b")), None, expect={"headers": {"x": "a b"}}
    ),
    Case(
        "ESC and CR/LF where a value is shown",
        answers(response("X: \x1b[31mred")),
        "header",
        expect={"headers": {"x": "blue"}},
    ),
]
