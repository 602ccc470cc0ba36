"""Sites that set a cookie, redirect, and show nothing without it."""

from tests.probes.hostile import OK, Behaviour, Peer, response
from tests.probes.quirks.case import Quirk


def asks_for(cookie: str, *set_cookies: str, then: str = "/") -> Behaviour:
    """Redirect with cookies until a request has exactly `cookie`, the value of the header."""

    def behave(peer: Peer) -> None:
        lines = peer.read_request().decode("latin-1").split("\r\n")
        path = lines[0].split()[1]
        sent = [line[8:] for line in lines if line.lower().startswith("cookie: ")]
        if sent == ([cookie] if cookie else []) and (path == then or cookie):
            peer.say(OK)
        else:
            cookies = [f"Set-Cookie: {one}" for one in set_cookies]
            peer.say(response(f"Location: {then}", *cookies, status="302 Found", body=b""))

    return behave


def _changes(peer: Peer) -> None:
    """Set a cookie in two steps: the second replaces the first."""
    request = peer.read_request()
    if b"\r\nCookie: step=2\r\n" in request:
        peer.say(OK)
    else:
        step = 2 if b"\r\nCookie: step=1\r\n" in request else 1
        peer.say(response("Location: /", f"Set-Cookie: step={step}", status="302 x", body=b""))


def _deletes(peer: Peer) -> None:
    request = peer.read_request()
    path = request.split()[1]
    if path == b"/":
        peer.say(response("Location: /2", "Set-Cookie: a=1", status="302 x", body=b""))
    elif path == b"/2":
        gone = "Set-Cookie: a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        peer.say(response("Location: /3", gone, status="302 x", body=b""))
    else:
        peer.say(response(body=b"still there") if b"Cookie:" in request else OK)


def _to_another_host(peer: Peer) -> None:
    """The second host must not see the cookie of the first."""
    request = peer.read_request()
    if b"\r\nHost: localhost" in request:
        peer.say(response(body=b"leaked") if b"Cookie:" in request else OK)
    else:
        there = f"Location: http://localhost:{peer.sock.getsockname()[1]}/"
        peer.say(response(there, "Set-Cookie: a=b", status="302 x", body=b""))


COOKIES = [
    Quirk("a cookie check", asks_for("a=b", "a=b")),
    Quirk("a cookie check at another path", asks_for("a=b", "a=b; Path=/", then="/x")),
    Quirk("two cookies", asks_for("a=b; c=d", "a=b; HttpOnly; SameSite=Lax", "c=d; Path=/")),
    Quirk("a cookie with a date", asks_for("a=b", "a=b; Expires=Fri, 01 Jan 2100 00:00:00 GMT")),
    Quirk("a cookie with an age", asks_for("a=b", "a=b; Max-Age=60; path=/")),
    Quirk("a cookie with = in its value", asks_for("a=b=c==", "a=b=c==")),
    Quirk("a cookie in quotes", asks_for('a="b c"', 'a="b c"; Path=/')),
    Quirk("a cookie without value", asks_for("a=", "a=")),
    Quirk("a cookie without name", asks_for("a", "a")),
    Quirk("spaces around a cookie", asks_for("a=b", "  a = b ; Path=/")),
    Quirk("a cookie that changes", _changes),
    Quirk("a cookie that is deleted", _deletes),
    Quirk("a cookie of another path", asks_for("", "a=b; Path=/elsewhere", then="/x")),
    Quirk("a cookie of another host", asks_for("", "a=b; Domain=example.com", then="/x")),
    Quirk("a cookie for another host is kept back", _to_another_host),
    Quirk(
        "a cookie check that is never satisfied",
        asks_for("a=c", "a=b"),
        "redirects",
        "more than 20",
    ),
]
