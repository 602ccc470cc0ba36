"""Access tokens: `mon_`, the owner's and the token's id, a secret and a checksum, in base 62.

    mon_ + base62(owner id, 16 bytes | token id, 16 bytes | secret, 20 bytes) + base62(crc32)

With prefix and checksum, secret scanners can recognise a token offline. The ids are the key under
which the token is stored, so no index is needed to look it up, list or revoke it.
"""

import hashlib
import secrets
import string
from dataclasses import dataclass
from uuid import UUID
from zlib import crc32

_PREFIX = "mon_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BYTES, _LENGTH, _CHECKSUM = 52, 70, 6


@dataclass(frozen=True, slots=True)
class TokenName:
    """The ids in a token. They are unverified until the token's hash has been compared."""

    owner: str
    token_id: str


def new_token(owner: str, token_id: str, secret: bytes | None = None) -> str:
    """Create a token of 20 secret bytes, random ones by default; only its hash is stored."""
    body = UUID(owner).bytes + UUID(token_id).bytes + (secret or secrets.token_bytes(20))
    text = _PREFIX + _base62(int.from_bytes(body), _LENGTH)
    return text + _checksum(text)


def read_token(token: str) -> TokenName | None:
    """Parse a token; None if its format or checksum is wrong."""
    text, checksum = token[:-_CHECKSUM], token[-_CHECKSUM:]
    if len(token) != len(_PREFIX) + _LENGTH + _CHECKSUM or not text.startswith(_PREFIX):
        return None
    if _checksum(text) != checksum:
        return None
    try:
        body = _from_base62(text.removeprefix(_PREFIX)).to_bytes(_BYTES)
    except (ValueError, OverflowError):
        return None
    return TokenName(str(UUID(bytes=body[:16])), str(UUID(bytes=body[16:32])))


def token_hash(token: str) -> str:
    """The hash to store. A token has 160 random bits and needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_hint(token: str) -> str:
    """The end of a token, by which its owner can recognise it."""
    return f"{_PREFIX}…{token[-_CHECKSUM:]}"


def _checksum(text: str) -> str:
    return _base62(crc32(text.encode()), _CHECKSUM)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _from_base62(text: str) -> int:
    number = 0
    for digit in text:
        number = number * 62 + _DIGITS.index(digit)
    return number
