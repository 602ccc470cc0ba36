"""Parsers of what strangers write: whatever it is, an answer or a refusal and nothing else."""

import contextlib
import datetime as dt
import html
import ipaddress
import json
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.monitoring.expectations import BadExpectation, read_expectations, same_json
from chalicelib.probes.assertions.keywords import contains
from chalicelib.probes.assertions.response import Observation, body_text
from chalicelib.probes.net.dns_wire import TYPE_A, TYPE_AAAA, BadMessage, parse_answer, question
from chalicelib.probes.net.ip_ranges import Scope, classify
from chalicelib.probes.net.resolv_conf import ResolvConf, parse_hosts
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.urls import BadUrl, parse_host, parse_url, resolve_location
from chalicelib.probes.net.x509_expiry import days_left, expires_at
from chalicelib.probes.redaction import MAX_ERROR, clean
from tests.probes.pki import Authority
from tests.probes.url_spellings import ALLOWED, FORBIDDEN

YEAR_1, YEAR_10000 = -62_135_596_800, 253_402_300_800


def _is_url(text: str) -> bool:
    with contextlib.suppress(BadUrl):
        return bool(parse_url(text))
    return False


url_like = st.one_of(
    st.text(),
    st.builds("http://{}{}".format, st.text(), st.text()),
    st.builds(
        "{}://{}{}{}".format,
        st.sampled_from(["http", "https", "HTTP"]),
        st.sampled_from(
            ["example.com", "127.1", "[::1]", "a@b", "0x7f", "\uff11\uff12\uff17.1", "x.0"]
        ),
        st.sampled_from(["", ":", ":80", ":0", ":8o", ":999999"]),
        st.text(st.characters(codec="utf-8"), max_size=20).map("/".__add__),
    ),
    st.sampled_from([*FORBIDDEN, *ALLOWED]),
)


@given(url_like)
def test_a_url_is_refused_or_has_one_spelling(text: str) -> None:
    try:
        url = parse_url(text)
    except BadUrl:
        return
    assert parse_url(str(url)) == url
    assert str(url).isascii()
    assert str(url).isprintable()
    assert " " not in str(url)
    assert 0 < url.port < 65536
    assert url.target.startswith("/")


@given(st.sampled_from([*FORBIDDEN, *ALLOWED, "http://a.test/b/c?d"]).filter(_is_url), url_like)
def test_a_location_is_refused_or_has_one_spelling(base: str, text: str) -> None:
    try:
        url = resolve_location(parse_url(base), text)
    except BadUrl:
        return
    assert str(url).isascii()
    assert str(url).isprintable()
    assert " " not in str(url)
    assert url.target.startswith("/")
    assert url.host == parse_host(url.host.name)
    again = resolve_location(parse_url(base), str(url))
    assert again == url


@pytest.mark.parametrize("text", [*FORBIDDEN, *ALLOWED])
def test_a_redirect_leads_to_the_host_that_a_target_would_name(text: str) -> None:
    try:
        url = parse_url(text)
    except BadUrl:
        return
    assert resolve_location(parse_url("http://a.test/"), text).origin == url.origin


@given(st.text())
def test_a_host_is_refused_or_an_ascii_name(text: str) -> None:
    with contextlib.suppress(BadUrl):
        host = parse_host(text)
        assert parse_host(host.name) == host
        assert host.name.isascii()


@given(st.ip_addresses(v=4), st.sampled_from(["dotted", "number", "hex", "octal", "short"]))
def test_every_spelling_of_an_address_is_that_address(
    address: ipaddress.IPv4Address, form: str
) -> None:
    a, b, *_ = parts = address.packed
    text = {
        "dotted": str(address),
        "number": str(int(address)),
        "hex": ".".join(map(hex, parts)),
        "octal": ".".join(f"0{part:o}" for part in parts),
        "short": f"{a}.{b}.{int(address) & 0xFFFF}",
    }[form]
    assert parse_host(text).address == address


@given(st.ip_addresses())
def test_what_is_not_global_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    scope, name = classify(address)
    assert (scope is Scope.PUBLIC) == (name == "")
    if not address.is_global:
        assert scope is not Scope.PUBLIC
    if address.is_loopback or address.is_link_local:
        with pytest.raises(ValueError, match="not public"):
            Guard().validate_host(str(address), 80)


@given(st.binary(), st.sampled_from([TYPE_A, TYPE_AAAA]))
def test_no_bytes_upset_the_dns_parser(data: bytes, rdtype: int) -> None:
    header = b"\0\1\x81\x80\0\1\0\4\0\0\0\0"
    asked = question(1, "a.example", rdtype)[12:-11]
    for message in (data, header + data, header + asked + data):
        with contextlib.suppress(BadMessage):
            answer = parse_answer(message, 1, "a.example", rdtype)
            version = 4 if rdtype == TYPE_A else 6
            assert {address.version for address in answer.addresses} <= {version}


def test_names_that_point_to_themselves_end() -> None:
    header = b"\0\1\x81\x80\0\1\0\1\0\0\0\0"
    for name in (b"\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\xff\xff"):
        with pytest.raises(BadMessage):
            parse_answer(header + name + b"\0\1\0\1", 1, "a", TYPE_A)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["status_codes", "body_contains", "json", "headers", "max_response_ms", "x"]
        ),
        json_values | st.lists(st.dictionaries(st.sampled_from(["path", "equals"]), json_values)),
    )
)
def test_expectations_are_read_or_refused(expect: dict[str, Any]) -> None:
    try:
        read = read_expectations(expect)
    except BadExpectation:
        return
    for first, last in read.status_codes or ():
        assert 100 <= first <= last <= 599


@given(json_values.filter(lambda value: "NaN" not in json.dumps(value)))
def test_json_equals_itself_read_again(value: Any) -> None:
    assert same_json(value, json.loads(json.dumps(value)))


@given(st.binary(), st.text())
def test_every_body_has_a_text(body: bytes, charset: str) -> None:
    seen = Observation(headers={"content-type": f"a/b; charset={charset}"}, body=body)
    assert isinstance(body_text(seen), str)


@given(
    st.binary().filter(
        lambda body: not body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    ),
    st.sampled_from(["windows-1252", "iso-8859-7", "koi8-r", "gb18030", "euc-jp", "big5hkscs"]),
)
def test_charsets_are_read_as_python_reads_them(body: bytes, charset: str) -> None:
    seen = Observation(headers={"content-type": f'a/b; x="y"; Charset="{charset}"'}, body=body)
    assert body_text(seen) == body.decode(charset, "replace")


@given(st.text(min_size=1), st.text(), st.text())
def test_a_text_is_found_however_it_is_written(wanted: str, before: str, after: str) -> None:
    for form in ("NFC", "NFD"):
        assert contains(before + unicodedata.normalize(form, wanted) + after, wanted)
    wanted = unicodedata.normalize("NFC", wanted)
    assert contains(f"{before} {html.escape(wanted)} {after}", wanted, entities=True)


@pytest.mark.parametrize(
    ("page", "wanted", "found"),
    [
        ("Tom &amp; Jerry", "Tom & Jerry", True),
        ("Tom &amp Jerry", "Tom & Jerry", True),
        ("Tom &amp;amp; Jerry", "Tom & Jerry", False),
        ("M&uuml;ller", "Müller", True),
        ("M&#xFC;ller", "Müller", True),
        ("&lt;b&gt;", "<b>", True),
        ("&copy; 2026", "© 2026", True),
        ("a&nbsp;b", "a b", False),
        ("It&#8217;s", "It\u2019s", True),
        ("a &#038; b", "a & b", True),
        ("a &#x26; b &lt; c", "a & b < c", True),
        ("a&#380;b", "a&b", False),
    ],
)
def test_entities(page: str, wanted: str, found: bool) -> None:
    assert contains(page, wanted, entities=True) is found


@pytest.mark.parametrize(
    "page",
    [
        "&" * 10**6,
        "&#0" * 350_000,
        "&#" + "0" * 10**6,
        "&amp;" * 200_000,
        "a\u0301\u0323" * 350_000,
    ],
)
def test_pages_of_entities_and_accents_take_no_longer(page: str) -> None:
    started = time.thread_time()
    assert not contains(page, "&" * 100 + "üöäßéèêëàáâãñçøåæœ<>", entities=True)
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize("charset", ["windows-1255", "iso-8859-6", "cp874", "utf-16-le"])
def test_bytes_that_a_charset_does_not_have_take_no_longer(charset: str) -> None:
    seen = Observation(
        headers={"content-type": f"a/b;charset={charset}"}, body=b"\xff\xd8" * 500_000
    )
    started = time.thread_time()
    body_text(seen)
    assert time.thread_time() - started < 0.1


@given(st.text(), st.sampled_from(["utf-16", "utf-16-le", "utf-16-be"]))
def test_utf_16_may_be_cut_within_a_character(text: str, charset: str) -> None:
    seen = Observation(headers={"content-type": f"a/b;charset={charset}"})
    seen.body = f"{text}\U0001f600".encode(charset, "replace")[:-1]
    assert body_text(seen) == text.encode(charset, "replace").decode(charset)


@given(st.text(), st.text(min_size=4))
def test_error_texts_are_one_short_line_without_secrets(text: str, secret: str) -> None:
    line = clean(f"{text} {secret} {text}", {"headers": {"x": secret}})
    assert line.isprintable()
    assert len(line) <= MAX_ERROR
    assert secret not in line.replace("***", "")


@given(st.text())
def test_the_machines_files_may_hold_anything(text: str) -> None:
    parse_hosts(text)
    assert ResolvConf(text).servers


@given(st.binary())
def test_no_bytes_upset_the_certificate_parser(data: bytes) -> None:
    for der in (data, b"\x30\x82\x01\x00" + data):
        with contextlib.suppress(ValueError):
            assert YEAR_1 <= expires_at(der) < YEAR_10000


@pytest.mark.parametrize("days", [-400, -1, 0.5, 90, 9000, 40_000])
def test_expiry_is_read_as_cryptography_reads_it(tmp_path: Path, days: float) -> None:
    path = Authority.make().issue(tmp_path / "x.pem", days=days, starts=-500)
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    der = certificate.public_bytes(encoding=Encoding.DER)
    expected = certificate.not_valid_after_utc
    assert dt.datetime.fromtimestamp(expires_at(der), dt.UTC) == expected
    assert days_left(der) == int(days // 1 if days % 1 else days - 1)
    with pytest.raises(ValueError, match="truncated"):
        expires_at(der[:100])
