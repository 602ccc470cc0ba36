"""Redirects that lead nowhere, or where Monitum must not go."""

from tests.probes.hostile import OK, Peer, answers, redirect, response
from tests.probes.misbehaviours.case import Case


def _loop_of_two(peer: Peer) -> None:
    here = peer.read_request().split()[1]
    peer.say(redirect("/b" if here == b"/a" else "/a"))


def _twenty_redirects(peer: Peer) -> None:
    step = int(peer.read_request().split()[1].strip(b"/") or 0)
    peer.say(redirect(f"/{step + 1}") if step < 20 else OK)


def _bakes(peer: Peer) -> None:
    size = len(peer.read_request())
    cookies = [f"Set-Cookie: {n}-{size}={'x' * 4000}" for n in range(14)]
    peer.say(redirect("/") if size > 20_000 else response("Location: /", *cookies, status="302 x"))


REDIRECTS = [
    Case("a redirect to itself", answers(redirect("/")), "redirects", "more than 20"),
    Case("a loop of two", _loop_of_two, "redirects", "more than 20"),
    Case("twenty redirects", _twenty_redirects, None),
    Case("an empty location", answers(redirect("")), "status", "got 302"),
    Case("a redirect without location", answers(response(status="302 Found")), "status", "302"),
    Case("to file:", answers(redirect("file:///etc/passwd")), "blocked", "http:// or https://"),
    Case("to gopher:", answers(redirect("gopher://127.0.0.1:70/x")), "blocked"),
    Case("to ftp:", answers(redirect("ftp://127.0.0.1/")), "blocked"),
    Case("to data:", answers(redirect("data:text/plain,OK")), "blocked"),
    Case("to javascript:", answers(redirect("javascript:alert(1)")), "blocked"),
    Case(
        "to a metadata service",
        answers(redirect("http://169.254.169.254/")),
        "blocked",
        "link-local",
    ),
    Case("to one in decimal", answers(redirect("http://2852039166/")), "blocked", "link-local"),
    Case("to one in hexadecimal", answers(redirect("http://0xA9FEA9FE/")), "blocked"),
    Case("to one in octal", answers(redirect("http://0251.0376.0251.0376/")), "blocked"),
    Case("to one in IPv6", answers(redirect("http://[::ffff:169.254.169.254]/")), "blocked"),
    Case("to this network", answers(redirect("http://0.0.0.0/")), "blocked"),
    Case(
        "to the Lambda runtime",
        answers(redirect("http://127.0.0.1:9001/2018-06-01/")),
        "blocked",
        "9001",
    ),
    Case("with a password", answers(redirect("http://a:b@127.0.0.1/")), "blocked", "password"),
    Case("with a backslash", answers(redirect("http://169.254.1.1\\@example.com/")), "blocked"),
    Case("with slashes", answers(redirect("\\/\\169.254.1.1")), "blocked", "link-local"),
    Case("with a space in the host", answers(redirect("http://a b/")), "blocked", "valid name"),
    Case("with NUL", answers(redirect("/\0")), "protocol", "control character"),
    Case("with CR", answers(redirect("/\rX: y")), "redirects"),
    Case("with CR/LF that adds a header", answers(redirect("/x\r\nSet-Cookie: a=b")), "redirects"),
    Case("cookies without end", _bakes, "redirects"),
    Case("with an endless location", answers(redirect("/" + "x" * 60_000)), "blocked", "longer"),
    Case("to a port that is none", answers(redirect("http://127.0.0.1:99999/")), "blocked"),
    Case("to a host that is none", answers(redirect("http://a..b/")), "blocked", "valid name"),
    Case(
        "401 again and again",
        answers(response("WWW-Authenticate: Basic realm=x", status="401 No")),
        "status",
        "401",
    ),
]
