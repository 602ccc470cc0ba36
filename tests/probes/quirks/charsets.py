"""Texts whose charset is not declared, or declared elsewhere than in the header, or falsely."""

import html
from collections.abc import Mapping
from typing import Any

from tests.probes.hostile import answers, response
from tests.probes.quirks.case import Quirk

NAME = "Müller"
CHINESE = "你好世界"
UTF_8 = "text/html; charset=utf-8"


def page(
    name: str,
    text: str,
    encoding: str,
    *,
    header: str = "text/html",
    meta: str = "",
    expect: Mapping[str, Any] | None = None,
    bom: bytes = b"",
    more_lenient: str = "",
) -> Quirk:
    """Return the quirk of a page with a text in an encoding that its head may declare."""
    source = f"<!DOCTYPE html><html><head>{meta}<title>x</title></head><body>{text}</body></html>"
    body = bom + source.encode(encoding)
    server = answers(response(f"Content-Type: {header}", body=body))
    shown = html.unescape(text)
    return Quirk(
        name,
        server,
        expect=expect or {"body_contains": text},
        shows=shown,
        more_lenient=more_lenient,
    )


CHARSETS: list[Quirk] = [
    page("UTF-8, declared", NAME, "utf-8", header="text/html; charset=utf-8"),
    page(
        "UTF-8, undeclared",
        NAME,
        "utf-8",
        more_lenient="what is valid UTF-8 is hardly anything else",
    ),
    page("Latin-1, declared", NAME, "latin-1", header="text/html; charset=ISO-8859-1"),
    page("Latin-1, undeclared", NAME, "latin-1"),
    page(
        "windows-1252 declared as Latin-1",
        "“5 €”",
        "cp1252",
        header="text/html; charset=iso-8859-1",
    ),
    page("windows-1252 declared as ASCII", "“5 €”", "cp1252", header="text/html; charset=us-ascii"),
    page("windows-1252, undeclared", "“5 €”", "cp1252"),
    page("Latin-1 in meta", NAME, "latin-1", meta="<meta charset=iso-8859-1>"),
    page("windows-1251 in meta", "Привет", "cp1251", meta='<meta charset="windows-1251">'),
    page(
        "windows-1251 in http-equiv",
        "Привет",
        "cp1251",
        meta='<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
    ),
    page(
        "windows-1251 in http-equiv, reversed",
        "Привет",
        "cp1251",
        meta="<META CONTENT='text/html;charset=windows-1251' HTTP-EQUIV=content-type>",
    ),
    page("GBK in meta", CHINESE, "gbk", meta="<meta charset=gbk>"),
    page("GB2312 in meta", CHINESE, "gbk", meta="<meta charset=gb2312>"),
    page("GBK declared as GB2312", "镕" + CHINESE, "gbk", header="text/html; charset=gb2312"),
    page("Big5 in meta", "你好", "big5", meta="<meta charset=big5>"),
    page("Shift_JIS in meta", "こんにちは", "cp932", meta="<meta charset=Shift_JIS>"),
    page("x-sjis in meta", "こんにちは①", "cp932", meta="<meta charset=x-sjis>"),
    page("EUC-JP in meta", "こんにちは", "euc_jp", meta="<meta charset=euc-jp>"),
    page("EUC-KR in meta", "안녕하세요", "cp949", meta="<meta charset=ks_c_5601-1987>"),
    page(
        "a meta within a comment",
        NAME,
        "utf-8",
        meta="<!-- <meta charset=gbk> --><meta charset=utf-8>",
    ),
    page(
        "a meta after the first KB",
        "Привет",
        "cp1251",
        meta=f"<!--{'x' * 900}--><meta charset=cp1251>",
    ),
    page("UTF-16 in meta means UTF-8", NAME, "utf-8", meta="<meta charset=utf-16>"),
    page(
        "a false meta under a true header",
        NAME,
        "utf-8",
        header="text/html; charset=utf-8",
        meta="<meta charset=gbk>",
    ),
    page("UTF-8 with BOM", NAME, "utf-8", bom=b"\xef\xbb\xbf"),
    page(
        "UTF-8 with BOM, declared as Latin-1",
        NAME,
        "utf-8",
        bom=b"\xef\xbb\xbf",
        header="text/html; charset=iso-8859-1",
    ),
    page("UTF-16 with BOM", NAME, "utf-16-le", bom=b"\xff\xfe"),
    page("UTF-16 big endian with BOM", NAME, "utf-16-be", bom=b"\xfe\xff"),
    page("UTF-16 declared without BOM", NAME, "utf-16-le", header="text/html; charset=utf-16"),
    page(
        "an unknown charset",
        NAME,
        "utf-8",
        header="text/html; charset=foo",
        more_lenient="what is valid UTF-8 is hardly anything else",
    ),
    page("utf8 without dash", NAME, "utf-8", header="text/html; charset=utf8"),
    page("a charset in quotes", "Привет", "cp1251", header='text/html; charset="windows-1251"'),
    page("a charset with spaces", "Привет", "cp1251", header="text/html; charset = windows-1251"),
    page(
        "a charset in two headers",
        "Привет",
        "cp1251",
        header="text/html;charset=windows-1251;charset=utf-8",
    ),
    page("no space after the type", "Привет", "cp1251", header="text/html;charset=windows-1251"),
    page("a comma after the type", "Привет", "cp1251", header="text/html, charset=windows-1251"),
    page("KOI8-R in the header", "Привет", "koi8-r", header="text/html; charset=koi8-r"),
    page("Latin-9 in the header", "5 €", "iso8859-15", header="text/html; charset=iso-8859-15"),
    page("Turkish", "İstanbul ğ", "cp1254", header="text/html; charset=iso-8859-9"),
]
ENTITIES = [
    page("an entity", "Tom &amp; Jerry", "ascii", expect={"body_contains": "Tom & Jerry"}),
    page(
        "a name without semicolon",
        "Tom &amp Jerry",
        "ascii",
        expect={"body_contains": "Tom & Jerry"},
    ),
    page("a number", "M&#252;ller", "ascii", expect={"body_contains": "Müller"}),
    page("decomposed", "Mu\u0308ller", "utf-8", header=UTF_8, expect={"body_contains": "Müller"}),
    page("composed", "Müller", "utf-8", header=UTF_8, expect={"body_contains": "Mu\u0308ller"}),
    page("the source", "Tom &amp; Jerry", "ascii", expect={"body_contains": "Tom &amp; Jerry"}),
]
