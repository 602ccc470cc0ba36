"""Heads and bodies that break the rules of HTTP/1.1."""

from tests.probes.hostile import OK, answers, response
from tests.probes.quirks.case import Quirk

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HTML + b"Transfer-Encoding: chunked\r\n\r\n"


def head(lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """Return a response with these header lines as they are."""
    lines += b"Content-Type: text/html\r\n"
    return status + b"\r\n" + lines + b"Connection: close\r\nContent-Length: 2\r\n\r\nOK"


HEADS = [
    Quirk("a header without colon", answers(head(b"nonsense\r\n"))),
    Quirk("a header without name", answers(head(b": nonsense\r\n"))),
    Quirk("a space before the colon", answers(head(b"Server : x\r\n"))),
    Quirk("a space in a name", answers(head(b"Serv er: x\r\n"))),
    Quirk("a space before the first header", answers(head(b" Server: x\r\n"))),
    Quirk("UTF-8 in a name", answers(head("Sérver: x\r\n".encode()))),
    Quirk("a slash in a name", answers(head(b"a/b: x\r\n"))),
    Quirk("HTML among the headers", answers(head(b"<br />\r\n<b>Warning</b>: x\r\n"))),
    Quirk("the status line twice", answers(head(b"HTTP/1.1 200 OK\r\n"))),
    Quirk("NUL in a value", answers(head(b"X: a\0b\r\n")), "protocol", "control character"),
    Quirk("CR in a value", answers(head(b"X: a\rb\r\n"))),
    Quirk("BEL in a value", answers(head(b"X: a\x07b\r\n"))),
    Quirk("CR CR LF line ends", answers(OK.replace(b"\r\n", b"\r\r\n")), reason="protocol"),
    Quirk("LF line ends", answers(OK.replace(b"\r\n", b"\n"))),
    Quirk("CR line ends", answers(OK.replace(b"\r\n", b"\r")), "protocol"),
    Quirk("the length without colon", answers(HTML + b"Content-Length 2\r\n\r\nOK")),
    Quirk("the length with a space", answers(HTML + b"Content-Length : 2\r\n\r\nOK more")),
    Quirk("an empty length", answers(HTML + b"Content-Length:\r\n\r\nOK")),
    Quirk("a length in words", answers(HTML + b"Content-Length: two\r\n\r\nOK")),
    Quirk("a length of -1", answers(HTML + b"Content-Length: -1\r\n\r\nOK")),
    Quirk("a length with a unit", answers(HTML + b"Content-Length: 2 bytes\r\n\r\nOK")),
    Quirk("a length with a plus", answers(HTML + b"Content-Length: +2\r\n\r\nOK")),
    Quirk("a length with a decimal", answers(HTML + b"Content-Length: 2.0\r\n\r\nOK")),
    Quirk("a length that is a list", answers(HTML + b"Content-Length: 2, 2\r\n\r\nOK")),
    Quirk(
        "two lengths",
        answers(HTML + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nOKK"),
        reason="protocol",
        says="two content lengths",
    ),
    Quirk("the same length twice", answers(HTML + b"Content-Length: 2\r\n" * 2 + b"\r\nOK")),
    Quirk("an empty line first", answers(b"\r\n" + OK)),
    Quirk("two empty lines first", answers(b"\r\n\r\n" + OK)),
    Quirk("LF first", answers(b"\n" + OK)),
    Quirk("a space first", answers(b" " + OK)),
    Quirk("four bytes first", answers(b"abc\n" + OK)),
    Quirk("five bytes first", answers(b"abcd\n" + OK), reason="protocol", says="status line"),
    Quirk("HTTP/1.0", answers(head(b"", b"HTTP/1.0 200 OK"))),
    Quirk("HTTP/1.2", answers(head(b"", b"HTTP/1.2 200 OK"))),
    Quirk("HTTP/1.10", answers(head(b"", b"HTTP/1.10 200 OK"))),
    Quirk("HTTP/1", answers(head(b"", b"HTTP/1 200 OK"))),
    Quirk("HTTP/2.0", answers(head(b"", b"HTTP/2.0 200 OK"))),
    Quirk("HTTP/0.9 in the status line", answers(head(b"", b"HTTP/0.9 200 OK"))),
    Quirk("HTTP without version", answers(head(b"", b"HTTP 200 OK"))),
    Quirk("http in small letters", answers(head(b"", b"http/1.1 200 OK"))),
    Quirk("ICY 200 OK", answers(head(b"", b"ICY 200 OK"))),
    Quirk("HTTP/0.9", answers(b"<html>OK</html>"), "protocol", "status line"),
    Quirk("a status without phrase", answers(head(b"", b"HTTP/1.1 200"))),
    Quirk("a status without phrase and with a space", answers(head(b"", b"HTTP/1.1 200 "))),
    Quirk("two spaces before the status", answers(head(b"", b"HTTP/1.1  200 OK"))),
    Quirk("a tab before the status", answers(head(b"", b"HTTP/1.1\t200 OK"))),
    Quirk("a phrase without space", answers(head(b"", b"HTTP/1.1 200OK"))),
    Quirk(
        "a status of four digits",
        answers(head(b"", b"HTTP/1.1 2000 OK")),
        reason="protocol",
        stricter="a monitor is there for the status code",
    ),
    Quirk(
        "no status",
        answers(head(b"", b"HTTP/1.1")),
        reason="protocol",
        stricter="a monitor is there for the status code",
    ),
    Quirk(
        "a status in words",
        answers(head(b"", b"HTTP/1.1 OK")),
        reason="protocol",
        stricter="a monitor is there for the status code",
    ),
    Quirk("no headers at all", answers(b"HTTP/1.1 200 OK\r\n\r\nOK")),
    Quirk("100 Continue first", answers(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)),
    Quirk("102 and 103 first", answers(b"HTTP/1.1 102 \r\n\r\nHTTP/1.1 103 \r\n\r\n" + OK)),
    Quirk("a header of 60 KB", answers(response("X: " + "y" * 60_000))),
    Quirk(
        "headers of 100 KB",
        answers(response(*[f"X-{n}: " + "y" * 10_000 for n in range(10)])),
        reason="too_large",
        stricter="64 KiB is the limit of the memory for headers",
    ),
]
BODIES = [
    Quirk("chunks", answers(CHUNKED + b"2\r\nOK\r\n0\r\n\r\n")),
    Quirk(
        "no last CRLF after the last chunk",
        answers(CHUNKED + b"2\r\nOK\r\n0\r\n"),
        more_lenient="all of the body has arrived",
    ),
    Quirk(
        "no CRLF at all after the last chunk", answers(CHUNKED + b"2\r\nOK\r\n0"), reason="protocol"
    ),
    Quirk("no last chunk", answers(CHUNKED + b"2\r\nOK\r\n"), "protocol", "last chunk"),
    Quirk("closed within a chunk", answers(CHUNKED + b"5\r\nOK"), "protocol", "last chunk"),
    Quirk(
        "closed within a trailer",
        answers(CHUNKED + b"2\r\nOK\r\n0\r\nX: y"),
        more_lenient="all of the body has arrived",
    ),
    Quirk("LF after chunks", answers(CHUNKED + b"2\nOK\n0\n\n")),
    Quirk("spaces after a chunk size", answers(CHUNKED + b"2   \r\nOK\r\n0  \r\n\r\n")),
    Quirk(
        "spaces before a chunk size",
        answers(CHUNKED + b"  2\r\nOK\r\n0\r\n\r\n"),
        more_lenient="it has one meaning only",
    ),
    Quirk("zeros before a chunk size", answers(CHUNKED + b"0000000000000002\r\nOK\r\n0\r\n\r\n")),
    Quirk("a chunk extension", answers(CHUNKED + b"2;a=b\r\nOK\r\n0\r\n\r\n")),
    Quirk("a chunk size in 0x", answers(CHUNKED + b"0x2\r\nOK\r\n0\r\n\r\n"), "protocol"),
    Quirk("an empty chunk size", answers(CHUNKED + b"\r\nOK\r\n0\r\n\r\n"), "protocol"),
    Quirk("a chunk without its CRLF", answers(CHUNKED + b"2\r\nOK0\r\n\r\n"), "protocol"),
    Quirk("bytes after the last chunk", answers(CHUNKED + b"2\r\nOK\r\n0\r\n\r\nmore")),
    Quirk(
        "Chunked in capitals", answers(CHUNKED.replace(b": ch", b": CH") + b"2\r\nOK\r\n0\r\n\r\n")
    ),
    Quirk(
        "chunked that is not chunked",
        answers(CHUNKED + b"<html>OK</html>"),
        "protocol",
        "last chunk",
    ),
    Quirk(
        "chunks and a length",
        answers(CHUNKED[:-2] + b"Content-Length: 9\r\n\r\n2\r\nOK\r\n0\r\n\r\n"),
    ),
    Quirk("identity as transfer encoding", answers(response("Transfer-Encoding: identity"))),
    Quirk(
        "chunked twice",
        answers(response("Transfer-Encoding: chunked, chunked", body=b"2\r\nOK\r\n0\r\n\r\n")),
    ),
    Quirk("an unknown transfer encoding", answers(response("Transfer-Encoding: xz"))),
    Quirk("an empty transfer encoding", answers(response("Transfer-Encoding: "))),
    Quirk("chunks that are not announced", answers(HTML + b"\r\n2\r\nOK\r\n0\r\n\r\n")),
    Quirk("a body that ends early", answers(HTML + b"Content-Length: 9\r\n\r\nOK"), "protocol"),
    Quirk("a body longer than announced", answers(OK + b"and more")),
    Quirk("a length of 0", answers(HTML + b"Content-Length: 0\r\n\r\nOK"), "body"),
    Quirk(
        "a body with 204",
        answers(b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nOK"),
        "body",
    ),
]
