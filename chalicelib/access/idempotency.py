"""Doing what a request asks once, however often it is sent with the same Idempotency-Key.

The id of what a request makes is chosen when its key is claimed: whoever comes second, while the
first is at work or after it died half way, makes the same thing under the same id or finds it made.
The first answer is kept for the day and is everybody's from then on, whatever becomes of the thing.

A secret that is shown once only, such as a token, is neither kept nor answered in clear: its random
part lies in the claim and its answer beside it, both sealed with the token that asked, which is not
stored. See docs/decisions/0042-idempotent-responses.md.
"""

import hashlib
import hmac
import json
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.access.idempotency_repository import IdempotencyKeys
from chalicelib.common.errors import Fault, InvalidError, KeyReusedError, NotFoundError
from chalicelib.common.ids import new_id
from chalicelib.common.runtime import BaseRuntime

_KEY_LENGTH = 255
_SECRET_BYTES = 20
_NONCE_BYTES, _TAG_BYTES = 16, 16


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request with an Idempotency-Key: whose it is, with which token, and what it asks for.

    `is_secret`: its answer shows what nobody can have shown again.
    """

    owner: str
    token: str
    key: str
    request: object
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedKey:
    """What a request makes, under which id, with which secret, and its answer if there was one."""

    made: str
    secret: bytes
    is_done: bool
    answer: bytes | None


def claim_key(runtime: BaseRuntime, asked: IdempotentRequest) -> ClaimedKey:
    """The turn of a key: a new one, or that of whoever came first with the same request.

    Raises KeyReusedError where the key was used with another request, or by another token for an
    answer that only the first may see, InvalidError for a key that cannot be one.
    """
    if not 1 <= len(asked.key) <= _KEY_LENGTH or not asked.key.isprintable():
        rule = f"must be 1 to {_KEY_LENGTH} printable characters"
        fault = Fault(("header", "Idempotency-Key"), rule)
        raise InvalidError("the Idempotency-Key is not right", (fault,))
    text = json.dumps(asked.request, sort_keys=True, ensure_ascii=False)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    new = new_id(runtime.clock())
    sealed = _secret(asked, new, secrets.token_bytes(_SECRET_BYTES))
    claim = IdempotencyKeys(asked.owner).claim(asked.key, fingerprint, new, runtime.now, sealed)
    if claim.fingerprint != fingerprint:
        raise KeyReusedError("the Idempotency-Key was used with another body")
    answer = None if claim.answer is None else _unpacked(asked, claim.answer)
    return ClaimedKey(claim.made, _secret(asked, claim.made, claim.sealed), claim.done, answer)


def finish(asked: IdempotentRequest, answer: bytes) -> bytes:
    """Keep the answer, unless another was kept before it; returns the one that stands."""
    packed = _packed(asked, answer)
    kept = IdempotencyKeys(asked.owner).finish(asked.key, packed)
    return answer if kept == packed else _unpacked(asked, kept)


def run_once(
    runtime: BaseRuntime,
    asked: IdempotentRequest,
    *,
    make: Callable[[ClaimedKey], bytes],
    find: Callable[[ClaimedKey], bytes],
) -> tuple[bytes, bool]:
    """The answer of `make`, or of `find` where it is made already, and whether it was given before.

    Raises what take_turn raises, and what `make` does: a refusal makes nothing and is no answer
    that is kept.
    """
    turn = claim_key(runtime, asked)
    if turn.answer is not None:
        return turn.answer, True
    try:
        answer = find(turn)
    except NotFoundError:
        if turn.is_done:
            # Older code kept no answers.
            text = "what this Idempotency-Key made has been deleted since"
            raise KeyReusedError(text) from None
        answer = make(turn)
    stands = finish(asked, answer)
    return stands, stands != answer


def _secret(asked: IdempotentRequest, made: str, secret: bytes) -> bytes:
    """Sealed, or opened again: each pad is used once, as every id is made once."""
    pad = hmac.digest(asked.token.encode(), f"once\0{made}".encode(), "sha256")
    return bytes(one ^ other for one, other in zip(secret, pad, strict=False))


def _packed(asked: IdempotentRequest, answer: bytes) -> bytes:
    small = zlib.compress(answer, 9)
    if not asked.is_secret:
        return small
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = _veiled(asked, nonce, small)
    return nonce + _tag(asked, nonce + sealed) + sealed


def _unpacked(asked: IdempotentRequest, packed: bytes) -> bytes:
    if asked.is_secret:
        nonce, tag = packed[:_NONCE_BYTES], packed[_NONCE_BYTES : _NONCE_BYTES + _TAG_BYTES]
        sealed = packed[_NONCE_BYTES + _TAG_BYTES :]
        if not hmac.compare_digest(tag, _tag(asked, nonce + sealed)):
            raise KeyReusedError("the Idempotency-Key was used by another token")
        packed = _veiled(asked, nonce, sealed)
    return zlib.decompress(packed)


def _veiled(asked: IdempotentRequest, nonce: bytes, text: bytes) -> bytes:
    """XORed with a stream of bytes that only the token and the nonce can make."""
    key = hmac.digest(asked.token.encode(), b"once answer\0" + nonce, "sha256")
    stream = hashlib.shake_256(key).digest(len(text))
    return (int.from_bytes(text) ^ int.from_bytes(stream)).to_bytes(len(text))


def _tag(asked: IdempotentRequest, sealed: bytes) -> bytes:
    digest = hmac.digest(asked.token.encode(), b"once tag\0" + sealed, "sha256")
    return digest[:_TAG_BYTES]
