"""Locations as people write them by hand."""

from tests.probes.hostile import OK, Behaviour, Peer, answers, redirect, response
from tests.probes.misbehaviours.case import WANTS_OK
from tests.probes.quirks.case import Quirk


def leads(location: str, *targets: str, status: str = "302 Found") -> Behaviour:
    """Redirect to `location` and show the page at one of the `targets`; 404 at any other path."""

    def behave(peer: Peer) -> None:
        path = peer.read_request().split()[1].decode("latin-1")
        if path == "/":
            peer.say(redirect(location, status))
        else:
            peer.say(OK if path in targets else response(status="404 Not Found", body=b"none"))

    return behave


def _back_to_this_port(location: str, *targets: str) -> Behaviour:
    """Redirect to a location with the server's own port in place of PORT."""

    def behave(peer: Peer) -> None:
        port = str(peer.sock.getsockname()[1])
        leads(location.replace("PORT", port), *(one.replace("PORT", port) for one in targets))(peer)

    return behave


def _utf8(text: str) -> str:
    return text.encode().decode("latin-1")


def shown(*headers: str) -> bytes:
    """Return a redirect that has a page to show."""
    return response(*headers, "Content-Type: text/plain", status="302 Found")


def _twice(one: str, two: str) -> Behaviour:
    def behave(peer: Peer) -> None:
        here = peer.read_request().split()[1] == b"/"
        both = response(f"Location: {one}", f"Location: {two}", status="302 Found", body=b"")
        peer.say(both if here else OK)

    return behave


def _counts(most: int) -> Behaviour:
    def behave(peer: Peer) -> None:
        step = int(peer.read_request().split()[1].strip(b"/") or 0)
        peer.say(redirect(f"/{step + 1}") if step < most else OK)

    return behave


EXPECTS_302 = {"status_codes": [302], **WANTS_OK}
REDIRECTS = [
    Quirk("a space in the path", leads("/a b", "/a%20b")),
    Quirk("a space in the query", leads("/a?b=c d", "/a?b=c%20d")),
    Quirk("a space at the end", leads("/a   ", "/a")),
    Quirk("a tab at the end", leads("/a\t", "/a")),
    Quirk("a tab in the path", leads("/a\tb", "/ab")),
    Quirk("a backslash in the path", leads("/a\\b", "/a/b")),
    Quirk("a backslash in the query", leads("/a?b\\c", "/a?b\\c")),
    Quirk("a backslash before the path", leads("\\a", "/a")),
    Quirk("backslashes before the host", _back_to_this_port("http:\\\\127.0.0.1:PORT\\a", "/a")),
    Quirk("two backslashes before the host", _back_to_this_port("\\\\127.0.0.1:PORT/a", "/a")),
    Quirk(
        "one slash before the host",
        _back_to_this_port("http:/127.0.0.1:PORT/a", "/a", "/127.0.0.1:PORT/a"),
    ),
    Quirk("three slashes before the host", _back_to_this_port("http:///127.0.0.1:PORT/a", "/a")),
    Quirk("no slash before the path", leads("http:a", "/a")),
    Quirk("no scheme", _back_to_this_port("//127.0.0.1:PORT/a", "/a")),
    Quirk("a scheme in capitals", _back_to_this_port("HTTP://127.0.0.1:PORT/a", "/a")),
    Quirk("no path", leads("?a=b", "/?a=b")),
    Quirk("no path after the host", _back_to_this_port("http://127.0.0.1:PORT?a=b", "/?a=b")),
    Quirk("dots", leads("/a/../b/./c", "/b/c")),
    Quirk("dots above the root", leads("/../../a", "/a")),
    Quirk("encoded dots", leads("/a/%2e%2E/b", "/b")),
    Quirk("a fragment", leads("/a#b c", "/a")),
    Quirk("UTF-8", leads(_utf8("/ä?ö"), "/%C3%A4?%C3%B6")),
    Quirk("brackets, bars and quotes", leads("/a[b]|'c", "/a[b]|'c", "/a[b]%7C'c")),
    Quirk("angle brackets", leads('/<a>"b"', "/%3Ca%3E%22b%22")),
    Quirk("a percent sign alone", leads("/100%", "/100%")),
    Quirk("braces", leads("/{a}`^", "/%7Ba%7D%60^", "/%7Ba%7D%60%5E")),
    Quirk("303 with a space", leads("/a b", "/a%20b", status="303 See Other")),
    Quirk("308 with a space", leads("/a b", "/a%20b", status="308 Permanent Redirect")),
    Quirk("an empty location", answers(shown("Location: ")), expect=EXPECTS_302),
    Quirk("no location", answers(shown()), expect=EXPECTS_302),
    Quirk("the same location twice", _twice("/a", "/a")),
    Quirk("two locations", _twice("/a", "/b"), "protocol", "more than one location"),
    Quirk("a location of 8,000 characters", leads("/" + "a" * 8000, "/" + "a" * 8000)),
    Quirk("nineteen redirects", _counts(19)),
    Quirk("twenty redirects", _counts(20), more_lenient="Firefox and curl follow twenty"),
    Quirk("twenty-one redirects", _counts(21), "redirects", "more than 20"),
    Quirk("a relative path", leads("a/b", "/a/b")),
]
