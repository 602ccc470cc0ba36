"""Execute a creating request once, however often it is sent with the same Idempotency-Key.

The id of the new resource is chosen when its key is claimed. A second request that arrives while
the first is running, or after the first was killed, creates the resource under the same id or finds
it. The first response is stored for a day and returned to every repetition, even if the resource
has changed or been deleted since.

A secret that is shown only once, such as a token, is never stored in plain text. Its random bytes
are in the claim and its response beside it, both encrypted with a key derived from the caller's
token, of which only a hash is stored. See docs/decisions/0042-idempotent-responses.md.
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
    """A request with an Idempotency-Key: its owner, the token it was sent with, and its content.

    `is_secret`: the response contains a secret that is shown only once.
    """

    owner: str
    token: str
    key: str
    request: object
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedKey:
    """The id and the secret for the new resource, and the stored response if there is one."""

    resource_id: str
    secret: bytes
    is_done: bool
    response: bytes | None


def claim_key(runtime: BaseRuntime, request: IdempotentRequest) -> ClaimedKey:
    """Claim the key, or return the claim of the first request with the same key and content.

    Raises KeyReusedError if the key was used with a different request, or by another token for a
    secret response, and InvalidError for a malformed key.
    """
    if not 1 <= len(request.key) <= _KEY_LENGTH or not request.key.isprintable():
        rule = f"must be 1 to {_KEY_LENGTH} printable characters"
        fault = Fault(("header", "Idempotency-Key"), rule)
        raise InvalidError("the Idempotency-Key is invalid", (fault,))
    text = json.dumps(request.request, sort_keys=True, ensure_ascii=False)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    new = new_id(runtime.clock())
    sealed = _seal(request, new, secrets.token_bytes(_SECRET_BYTES))
    claim = IdempotencyKeys(request.owner).claim(request.key, fingerprint, new, runtime.now, sealed)
    if claim.fingerprint != fingerprint:
        raise KeyReusedError("the Idempotency-Key was already used with a different request")
    response = None if claim.response is None else _unpack(request, claim.response)
    secret = _seal(request, claim.resource_id, claim.sealed)
    return ClaimedKey(claim.resource_id, secret, claim.done, response)


def run_once(
    runtime: BaseRuntime,
    request: IdempotentRequest,
    *,
    create: Callable[[ClaimedKey], bytes],
    find: Callable[[ClaimedKey], bytes],
) -> tuple[bytes, bool]:
    """Return the response of `create`, or the stored one, and whether it is a repetition.

    `find` renders a resource that an earlier, interrupted request created; it raises NotFoundError
    if there is none. Raises what `claim_key` and `create` raise: errors are not stored.
    """
    claim = claim_key(runtime, request)
    if claim.response is not None:
        return claim.response, True
    try:
        response = find(claim)
    except NotFoundError:
        if claim.is_done:
            # Older code stored no responses: the resource was created, and deleted since.
            text = "the resource that this Idempotency-Key created has been deleted"
            raise KeyReusedError(text) from None
        response = create(claim)
    stored = _store_response(request, response)
    return stored, stored != response


def _store_response(request: IdempotentRequest, response: bytes) -> bytes:
    """Store the response unless a concurrent request stored one first; returns the stored one."""
    packed = _pack(request, response)
    stored = IdempotencyKeys(request.owner).finish(request.key, packed)
    return response if stored == packed else _unpack(request, stored)


def _seal(request: IdempotentRequest, resource_id: str, secret: bytes) -> bytes:
    """Encrypt or decrypt by XOR. No pad is used twice, because ids are unique."""
    pad = hmac.digest(request.token.encode(), f"once\0{resource_id}".encode(), "sha256")
    return bytes(one ^ other for one, other in zip(secret, pad, strict=False))


def _pack(request: IdempotentRequest, response: bytes) -> bytes:
    compressed = zlib.compress(response, 9)
    if not request.is_secret:
        return compressed
    nonce = secrets.token_bytes(_NONCE_BYTES)
    encrypted = _xor_stream(request, nonce, compressed)
    return nonce + _tag(request, nonce + encrypted) + encrypted


def _unpack(request: IdempotentRequest, packed: bytes) -> bytes:
    if request.is_secret:
        nonce, tag = packed[:_NONCE_BYTES], packed[_NONCE_BYTES : _NONCE_BYTES + _TAG_BYTES]
        encrypted = packed[_NONCE_BYTES + _TAG_BYTES :]
        if not hmac.compare_digest(tag, _tag(request, nonce + encrypted)):
            raise KeyReusedError("the Idempotency-Key was already used by another token")
        packed = _xor_stream(request, nonce, encrypted)
    return zlib.decompress(packed)


def _xor_stream(request: IdempotentRequest, nonce: bytes, data: bytes) -> bytes:
    """XOR `data` with a key stream derived from the token and the nonce."""
    key = hmac.digest(request.token.encode(), b"once answer\0" + nonce, "sha256")
    stream = hashlib.shake_256(key).digest(len(data))
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))


def _tag(request: IdempotentRequest, data: bytes) -> bytes:
    return hmac.digest(request.token.encode(), b"once tag\0" + data, "sha256")[:_TAG_BYTES]
