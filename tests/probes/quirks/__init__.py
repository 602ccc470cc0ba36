"""Quirks of real servers, one line each, and what a check says of each.

`make record-clients` shows every one of them to curl and Chromium and writes their verdicts to
`verdicts.json`. The rule: what Chromium shows is UP, or DEGRADED with a warning.
"""

from typing import Final

from tests.probes.quirks.case import Quirk
from tests.probes.quirks.charsets import CHARSETS, ENTITIES
from tests.probes.quirks.cookies import COOKIES
from tests.probes.quirks.encodings import ENCODINGS
from tests.probes.quirks.framing import BODIES, HEADS
from tests.probes.quirks.http2 import HTTP2
from tests.probes.quirks.redirects import REDIRECTS

QUIRKS: Final = {
    f"{group}: {quirk.name}": quirk
    for group, quirks in {
        "redirects": REDIRECTS,
        "cookies": COOKIES,
        "heads": HEADS,
        "bodies": BODIES,
        "encodings": ENCODINGS,
        "charsets": CHARSETS,
        "entities": ENTITIES,
        "http2": HTTP2,
    }.items()
    for quirk in quirks
}

__all__ = ["QUIRKS", "Quirk"]
