"""Certificates made on the spot: an authority that tests and benchmarks trust."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Authority:
    """An issuer of certificates, itself issued by another one or by itself."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(
        cls,
        name: str = "Monitum test CA",
        issuer: "Authority | None" = None,
        *,
        days: float = 30,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> "Authority":
        key = key or ec.generate_private_key(ec.SECP256R1())
        by = issuer.certificate.subject if issuer else _name(name)
        builder = _builder(name, by, key, days=days).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        signer = issuer.key if issuer else key
        return cls(_sign(builder, signer), key)

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        path: Path,
        names: Sequence[str] = NAMES,
        *,
        days: float = 30,
        starts: float = -1,
        chain: Sequence["Authority"] = (),
        own_key: bool = False,
    ) -> Path:
        """Write a certificate with its key and chain as PEM; `own_key` makes it self-signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = names[0] if names else "nobody"
        issuer = _name(subject) if own_key else self.certificate.subject
        builder = _builder(subject, issuer, key, days=days, starts=starts).add_extension(
            x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
        )
        leaf = _sign(builder, key if own_key else self.key)
        pem = leaf.public_bytes(serialization.Encoding.PEM)
        pem += b"".join(link.pem() for link in chain)
        pem += key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(pem)
        return path


def server_context(certificate: Path, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """Return what a server needs for TLS with what `issue` wrote; `protocols` are for ALPN."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if protocols:
        made.set_alpn_protocols(protocols)
    made.load_cert_chain(certificate)
    return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    days: float,
    starts: float = -1,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    ends = now + dt.timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now + dt.timedelta(days=starts), ends - dt.timedelta(days=1)))
        .not_valid_after(ends)
    )


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256())
