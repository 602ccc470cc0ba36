"""What a quirk of a server is."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.probes.hostile import Behaviour, Peer, with_tls
from tests.probes.misbehaviours.case import WANTS_OK


@dataclass(frozen=True)
class Quirk:
    """A server that breaks rules and what a check says of it: UP without a reason, else DOWN.

    A page shows "OK", unless `shows` is another text. `warns` means DEGRADED instead of DOWN.
    `tls` serves it by TLS with these ALPN protocols; with `alerts`, a client that
    offers none of them is refused. `stricter` and `more_lenient` say why Monitum
    does not do as Chromium does.
    """

    name: str
    behave: Behaviour
    reason: str | None = None
    says: str = ""
    expect: Mapping[str, Any] = field(default_factory=lambda: WANTS_OK)
    shows: str = "OK"
    warns: bool = False
    tls: tuple[str, ...] | None = None
    alerts: bool = False
    stricter: str = ""
    more_lenient: str = ""

    def behaviour(self, context: ssl.SSLContext) -> Behaviour:
        """Return the server's behaviour, within TLS if the quirk has it."""
        if self.tls is None:
            return self.behave
        return (
            _alerts(self.tls, with_tls(context, self.behave))
            if self.alerts
            else with_tls(context, self.behave)
        )


NO_APPLICATION_PROTOCOL = bytes.fromhex("15030300020278")  # a TLS alert (RFC 7301, 3.2)


def _alerts(protocols: tuple[str, ...], then: Behaviour) -> Behaviour:
    """Refuse clients whose first message names none of the protocols, as OpenSSL can do in C."""

    def behave(peer: Peer) -> None:
        hello = peer.sock.recv(4096, socket.MSG_PEEK)
        if any(b"%c%b" % (len(name), name.encode()) in hello for name in protocols):
            then(peer)
        else:
            peer.sock.recv(4096)
            peer.say(NO_APPLICATION_PROTOCOL)

    return behave
