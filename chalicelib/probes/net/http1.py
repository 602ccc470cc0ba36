"""HTTP/1.1 requests and response heads, for servers that may be hostile (RFC 9110, RFC 9112).

`http.client` limits neither interim responses nor the total size of headers, and parses headers as
email. This parser accepts what browsers accept, says what is wrong, and needs a fifth of the CPU.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, Http2Required
from chalicelib.probes.net.stream import Stream

MAX_HEAD: Final = 64 * 1024  # all status lines and headers of one exchange, in bytes
MAX_INTERIM: Final = 16
_END: Final = re.compile(rb"\r?\n\r?\n")
_START: Final = re.compile(rb".{0,4}?(?=HTTP|ICY )", re.DOTALL | re.IGNORECASE)  # as in Chromium
_MAX_START: Final = 8
_STATUS: Final = re.compile(
    rb"(?:HTTP(?:/[0-9.]*)?|ICY)[ \t]+([1-9][0-9]{2})(?![0-9])[ \t]?([^\n]*?)\r?\n", re.IGNORECASE
)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[^\r\n\x00]*")
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*)\r?\n")
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_SWITCHING: Final = 101


@dataclass(frozen=True, slots=True)
class Head:
    """The status and headers of a final response; header names are in lower case.

    `rest` holds the bytes received after the headers.
    """

    status: int
    phrase: str
    headers: list[tuple[str, str]]
    rest: bytes

    def values(self, name: str) -> list[str]:
        """Return the values of a header, by its lower-case name."""
        return [value for key, value in self.headers if key == name]


def request_bytes(
    method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
) -> bytes:
    """Return an encoded request; raise CheckFailure if a part could inject another header."""
    if not _METHOD.fullmatch(method):
        raise _invalid_request("the method")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise _invalid_request("a request header")
        lines.append(f"{name}: {value}")
    text = "\r\n".join(lines) + "\r\n\r\n"
    try:
        return text.encode("latin-1") + body
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace") + body


def _invalid_request(what: str) -> CheckFailure:
    return CheckFailure(Reason.INTERNAL, f"{what} is not valid", internal=True, final=True)


def read_head(stream: Stream, attempt: Attempt) -> Head:
    """Read the head of the final response, skipping interim ones; raise CheckFailure.

    Records `first_byte` when the first byte arrives.
    """
    attempt.phase = "first_byte"
    data = stream.receive("the first byte")
    attempt.record("first_byte")
    attempt.phase = "body"
    if not data:
        raise Http2Required(Reason.PROTOCOL, "the connection was closed without a response")
    budget = MAX_HEAD
    for _ in range(MAX_INTERIM + 1):
        block, data = _read_block(stream, data, budget)
        budget -= len(block)
        head = _parse(block, data)
        if head.status == _SWITCHING:
            raise CheckFailure(
                Reason.PROTOCOL, "the server switched protocols without a request to"
            )
        if head.status >= 200:
            return head
        attempt.status_code = head.status
    raise CheckFailure(Reason.PROTOCOL, f"more than {MAX_INTERIM} interim responses")


def _read_block(stream: Stream, data: bytes, budget: int) -> tuple[bytes, bytes]:
    """Return one head including its empty line, and the bytes received after it."""
    started, searched = False, 0
    while True:
        if not started and (found := _START.match(data)):
            data, started = data[found.end() :], True
        elif not started:
            _check_protocol(data)
        if started and (found := _END.search(data, searched)):
            end = found.end()
            if end > budget:
                raise too_large()
            return data[:end], data[end:]
        if len(data) > budget:
            raise too_large()
        searched = max(0, len(data) - 3)
        more = stream.receive("the headers")
        if not more:
            raise CheckFailure(Reason.PROTOCOL, "the connection was closed within the headers")
        data += more


def too_large() -> CheckFailure:
    """Return the failure of a response whose headers exceed MAX_HEAD."""
    return CheckFailure(Reason.TOO_LARGE, f"the headers are longer than {MAX_HEAD // 1024} KiB")


def _check_protocol(data: bytes) -> None:
    """Fail early, with a helpful text, if the response does not start like HTTP/1."""
    if data[:2] in {b"\x15\x03", b"\x16\x03"}:
        text = "the server speaks TLS here: the URL should begin with https://"
    elif data[3:9] == b"\x04\x00\x00\x00\x00\x00" or data.startswith(b"PRI * HTTP/2"):
        text = "the server speaks HTTP/2, which was not negotiated"
        raise Http2Required(Reason.PROTOCOL, text)
    elif len(data) < _MAX_START:
        return
    else:
        text = "the response has no HTTP status line"
    raise CheckFailure(Reason.PROTOCOL, text)


def _parse(block: bytes, rest: bytes) -> Head:
    status = _STATUS.match(block)
    if status is None:
        raise CheckFailure(Reason.PROTOCOL, "the HTTP status line is malformed")
    return Head(
        int(status[1]),
        (status[2] or b"").decode("latin-1"),
        _headers(block[status.end() :].decode("latin-1")),
        rest,
    )


def _headers(text: str) -> list[tuple[str, str]]:
    """Parse header lines up to the empty line; folded lines continue the previous one."""
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    headers: list[tuple[str, str]] = []
    at, end = 0, len(text) - (2 if text.endswith("\r\n") else 1)
    while at < end:
        if found := _HEADER.match(text, at):
            headers.append((found[1].lower(), found[2].rstrip(" \t")))
            at = found.end()
        else:
            line, at = text[at : text.index("\n", at)], text.index("\n", at) + 1
            headers.extend(_unusual_header(line))
    return headers


def _unusual_header(line: str) -> Iterable[tuple[str, str]]:
    """Yield the header of a line that breaks the rules, as browsers read it, or nothing."""
    if "\0" in line:
        raise CheckFailure(Reason.PROTOCOL, "a response header contains a control character")
    name, colon, value = line.partition(":")
    if colon and name.strip():
        yield name.strip().lower(), value.strip()
