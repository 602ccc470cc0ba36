"""TLS contexts, handshakes, and readable texts for failed handshakes.

Contexts are cached: reading the CA file costs 25 ms of CPU, ten times the rest of a check.
"""

import socket
import ssl
import threading
from typing import Final

import certifi

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, Http2Required, OutOfTime
from chalicelib.probes.net.tls_stream import Overlong, TlsStream
from chalicelib.probes.net.x509_expiry import days_left

# OpenSSL's X509_V_ERR_* numbers, see x509_vfy.h.
_VERIFY_ERRORS: Final = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate chain ends in a self-signed certificate that is not trusted",
    20: "the certificate's issuer is not trusted, or the chain is incomplete",
    21: "the certificate's issuer is not trusted, or the chain is incomplete",
    23: "the certificate is revoked",
    62: "the certificate is for another name",
    64: "the certificate is for another address",
}
# Python's defaults without DHE: a server may choose a prime of 10,000 bits, with which a handshake
# takes 0.6 s of CPU and cannot be interrupted. Browsers do not offer DHE either.
_CIPHERS: Final = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
_EOF: Final = "UNEXPECTED_EOF_WHILE_READING"
_NO_PROTOCOL: Final = "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"
_HANDSHAKE_ERRORS: Final = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS here",
    "HTTP_REQUEST": "the server does not speak TLS here",
    "PACKET_LENGTH_TOO_LONG": "the server does not speak TLS here",
    _EOF: "the connection was closed during the TLS handshake",
    "UNSUPPORTED_PROTOCOL": "the server supports only an old version of TLS",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the server supports no secure version of TLS",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the server refused the TLS handshake",
    _NO_PROTOCOL: "the server refused to speak HTTP/1.1 (TLS ALPN)",
    "TLSV1_UNRECOGNIZED_NAME": "the server does not know this name (TLS SNI)",
}


Protocols = tuple[str, ...]
HTTP_1: Final = ("http/1.1",)
HTTP_2: Final = ("h2", "http/1.1")


class TlsContexts:
    """A cache of contexts, shared by all checks; `ca_file` (PEM) replaces certifi's CAs."""

    def __init__(self, ca_file: str | None = None) -> None:
        self._ca_file = ca_file or certifi.where()
        self._lock = threading.Lock()
        self._contexts: dict[tuple[bool, Protocols], ssl.SSLContext] = {}

    def get(self, *, verify: bool, protocols: Protocols) -> ssl.SSLContext:
        """Return the context that verifies certificates or not, and offers `protocols` (ALPN)."""
        key = (verify, protocols)
        if context := self._contexts.get(key):
            return context
        with self._lock:
            if key not in self._contexts:
                self._contexts[key] = self._create(verify, protocols)
            return self._contexts[key]

    def _create(self, verify: bool, protocols: Protocols) -> ssl.SSLContext:  # noqa: FBT001 - keys of the cache
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        if verify:
            context.load_verify_locations(self._ca_file)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(protocols)
        return context


def start_tls(
    sock: socket.socket, context: ssl.SSLContext, name: str, attempt: Attempt
) -> TlsStream:
    """Perform the handshake and record the days left of its certificates; raise CheckFailure.

    The caller closes `sock`.
    """
    attempt.phase = "tls"
    try:
        stream = TlsStream(sock, context, name)
        stream.settimeout(attempt.remaining("the TLS handshake"))
        stream.do_handshake()
        days = [days_left(der) for der in stream.chain()]
        attempt.tls_days_left = min(days, default=None)
        attempt.issuer_expires = bool(days) and min(days) < days[0]
    except (OSError, ValueError) as error:
        raise handshake_failure(error) from None
    attempt.record("tls")
    return stream


def handshake_failure(error: Exception) -> CheckFailure:
    """Translate an exception of a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = _VERIFY_ERRORS.get(error.verify_code, f"the certificate: {error.verify_message}")
        return CheckFailure(Reason.TLS, text)
    if isinstance(error, Overlong):
        return CheckFailure(Reason.TLS, "the TLS handshake does not end")
    if isinstance(error, ssl.SSLError):
        code = _EOF if isinstance(error, ssl.SSLEOFError) else error.reason or ""
        if "no application protocol" in str(error):  # Python has no name for this alert
            code = _NO_PROTOCOL
        text = _HANDSHAKE_ERRORS.get(code, f"the TLS handshake failed ({code or 'no reason'})")
        failure = Http2Required if code == _NO_PROTOCOL else CheckFailure
        return failure(Reason.TLS, text)
    if isinstance(error, TimeoutError):
        return OutOfTime("the TLS handshake")
    if isinstance(error, ConnectionError):
        return CheckFailure(Reason.CONNECT, "the connection was reset during the TLS handshake")
    return CheckFailure(Reason.TLS, "the TLS handshake failed")
