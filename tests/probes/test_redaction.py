"""No error text tells a secret, whatever the server does to it before it echoes it."""

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.probes.redaction import MAX_ERROR, clean, quoted
from tests.probes.conftest import Watch
from tests.probes.hostile import Peer, answers, response, serving

LONG = "sk_live_" + "".join(f"{number:x}Zq" for number in range(40))
USER, PASSWORD = "oper@tor", "s3cret/p@ss:word"
USERINFO = f"{urllib.parse.quote(USER, safe='')}:{urllib.parse.quote(PASSWORD, safe='')}"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

ENCODERS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "percent": lambda text: urllib.parse.quote(text, safe=""),
    "percent, lower hex": lambda text: re.sub(
        "%..", lambda match: match[0].lower(), urllib.parse.quote(text, safe="")
    ),
    "every byte percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent twice": lambda text: urllib.parse.quote(urllib.parse.quote(text, safe=""), safe=""),
    "form": urllib.parse.quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[1:-1],
    "JSON, slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "HTML": html.escape,
    "HTML, numbers": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 of Latin-1": lambda text: base64.b64encode(text.encode("latin-1")).decode(),
    "hex": lambda text: text.encode().hex(),
    "upper hex": lambda text: text.encode().hex().upper(),
    "UTF-8 read as Latin-1": lambda text: text.encode().decode("latin-1"),
}
LATIN_1 = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_categories=("C", "Z")),
    min_size=8,
    max_size=90,
)
PADDING = st.text("ab {}:\"',", max_size=70)


def decodings(text: str) -> Iterator[str]:
    """What somebody who reads the text could make of it."""
    yield text
    yield urllib.parse.unquote_plus(text)
    yield urllib.parse.unquote(urllib.parse.unquote(text))
    yield html.unescape(text)
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    yield text.replace("\\/", "/").replace('\\"', '"').replace("\\\\", "\\")
    for token in re.findall(r"[A-Za-z0-9+/_-]{8,}", text):
        plain = token.translate(str.maketrans("-_", "+/"))
        for start in range(4):
            part = plain[start:]
            yield base64.b64decode(part[: len(part) // 4 * 4]).decode("latin-1")
    for token in re.findall(r"[0-9a-fA-F]{16,}", text):
        for start in range(2):
            part = token[start:]
            yield bytes.fromhex(part[: len(part) // 2 * 2]).decode("latin-1")


def leaks(text: str, secret: str) -> list[str]:
    """The runs of eight characters of the secret that can be read from the text."""
    readable = [one.lower() for one in decodings(text)]
    runs = {secret[start : start + 8].lower() for start in range(len(secret) - 7)}
    return [run for run in runs if any(run in one for one in readable)]


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "header": lambda secret: {"headers": {"X-Key": secret}},
    "token": lambda secret: {"headers": {"Authorization": f"Bearer {secret}"}},
    "password": lambda secret: {"userinfo": f"u:{urllib.parse.quote(secret, safe='')}"},
    "user": lambda secret: {"userinfo": f"{urllib.parse.quote(secret, safe='')}:p"},
    "basic": lambda secret: {
        "headers": {"Authorization": f"Basic {base64.b64encode(f'u:{secret}'.encode()).decode()}"}
    },
    "sent": lambda secret: {"send": f"AUTH {secret}\r\n"},
}


@given(
    secret=LATIN_1,
    place=st.sampled_from(sorted(PLACES)),
    encoder=st.sampled_from(sorted(ENCODERS)),
    around=st.tuples(PADDING, PADDING),
    part=st.tuples(st.integers(0, 12), st.integers(0, 12)),
)
def test_no_eight_characters_of_a_secret_can_be_read(
    secret: str, place: str, encoder: str, around: tuple[str, str], part: tuple[int, int]
) -> None:
    echoed = secret[part[0] : len(secret) - part[1]]
    text = f"{around[0]}{ENCODERS[encoder](echoed)}{around[1]}"

    for error in (text, f"expected {quoted('x')} in the header, got {quoted(text)}"):
        line = clean(error, PLACES[place](secret))
        assert leaks(line, echoed) == [], line
        assert len(line) <= MAX_ERROR


@given(secret=LATIN_1, before=st.text("abc", max_size=5), url_safe=st.booleans())
def test_nor_from_base64_of_more_than_the_secret(secret: str, before: str, url_safe: bool) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    echo = encode(f"{before}{secret}{before}".encode()).decode()

    line = clean(f"the body contains {quoted(echo)}", PLACES["header"](secret))

    assert leaks(line, secret) == [], line


def test_text_that_is_not_secret_stays() -> None:
    text = 'expected "application/json" in the header "content-type", got "text/html; charset=utf"'

    assert clean(text, {"headers": {"X-Key": LONG}, "userinfo": USERINFO}) == text
    assert clean("50 % of &amp; \\n are %zz", {"send": LONG}) == "50 % of &amp; \\n are %zz"


@pytest.mark.parametrize(
    ("secrets", "told"),
    [
        ({"headers": {"X-Key": LONG}}, LONG),
        ({"userinfo": USERINFO}, USERINFO),
        ({"userinfo": USERINFO}, f"{USER}:{PASSWORD}"),
        ({"userinfo": USERINFO}, PASSWORD),
        ({"userinfo": USERINFO}, f"Basic {BASIC}"),
        ({"headers": {"Authorization": f"Basic {BASIC}"}}, PASSWORD),
    ],
)
def test_a_server_that_echoes_what_it_was_sent(
    watch: Watch, secrets: dict[str, Any], told: str
) -> None:
    """In a response header, in JSON, and in a redirect."""
    body = json.dumps({"seen": f"you sent {told}"}).encode()
    expect = {"json": [{"path": "$.seen", "equals": 1}], "headers": {"echo": "other"}}
    page = response(f"Echo: you sent {told}", body=body)
    elsewhere = f"http://127.0.0.1:1/{urllib.parse.quote(told, safe='')}\x7f"
    moved = response(f"Location: {elsewhere}", status="302 Found")
    for answer in (page, moved):
        with serving(answers(answer)) as server:
            url = f"http://127.0.0.1:{server.port}/"
            result = watch("http", url=url, secrets=secrets, expect=expect)
        assert result.error
        assert [leaks(result.error, secret) for secret in (told, PASSWORD, LONG)] == [[], [], []]


def test_a_secret_that_is_echoed_over_tcp(watch: Watch) -> None:
    def echo(peer: Peer) -> None:
        peer.say(peer.sock.recv(1000).upper())

    with serving(echo) as server:
        result = watch(
            "tcp",
            host="127.0.0.1",
            port=server.port,
            secrets={"send": f"AUTH {LONG}\r\n"},
            expect={"body_not_contains": LONG.upper()},
        )
    assert result.error
    assert leaks(result.error, LONG) == []
