"""Doing what a request asks once, however often it is sent with the same Idempotency-Key.

Nothing of the first answer is kept but the id of what it makes: whoever comes second, while the
first is at work or after it died half way, makes the same thing under the same id or finds it made.
A secret that is shown once only, such as a token, is the same again as well: its random part is
kept for the day, sealed with the token that asked for it, which is not stored.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.domain.errors import Fault, InvalidError, KeyReusedError, NotFoundError
from chalicelib.domain.ids import new_id
from chalicelib.services.runtime import Runtime
from chalicelib.store.once import Once

Made = TypeVar("Made")
_KEY_LENGTH = 255
_SECRET_BYTES = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with an Idempotency-Key: whose it is, with which token, and what it asks for."""

    owner: str
    token: str
    key: str
    request: object


@dataclass(frozen=True, slots=True)
class Turn:
    """What a request makes: under which id, with which secret, and whether that is done already."""

    made: str
    secret: bytes
    is_done: bool


def take_turn(runtime: Runtime, asked: Asked) -> Turn:
    """The turn of a key: a new one, or that of whoever came first with the same request.

    Raises KeyReusedError where the key was used with another request, InvalidError for a key that
    cannot be one.
    """
    if not 1 <= len(asked.key) <= _KEY_LENGTH or not asked.key.isprintable():
        rule = f"must be 1 to {_KEY_LENGTH} printable characters"
        fault = Fault(("header", "Idempotency-Key"), rule)
        raise InvalidError("the Idempotency-Key is not right", (fault,))
    text = json.dumps(asked.request, sort_keys=True, ensure_ascii=False)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    new = new_id(runtime.clock())
    sealed = _seal(asked, new, secrets.token_bytes(_SECRET_BYTES))
    claim = Once(asked.owner).claim(asked.key, fingerprint, new, runtime.now, sealed)
    if claim.fingerprint != fingerprint:
        raise KeyReusedError("the Idempotency-Key was used with another body")
    return Turn(claim.made, _seal(asked, claim.made, claim.sealed), claim.done)


def finish(asked: Asked) -> None:
    """Remember that what was asked is made: what is missing by now was deleted."""
    Once(asked.owner).finish(asked.key)


def once(
    runtime: Runtime, asked: Asked, *, make: Callable[[Turn], Made], find: Callable[[Turn], Made]
) -> Made:
    """What `make` makes, or `find` finds where the key was used for it before.

    Raises KeyReusedError where the key was used with another request, or where what it made has
    been deleted since.
    """
    turn = take_turn(runtime, asked)
    try:
        made = find(turn)
    except NotFoundError:
        if turn.is_done:
            text = "what this Idempotency-Key made has been deleted since"
            raise KeyReusedError(text) from None
        made = make(turn)
    if not turn.is_done:
        finish(asked)
    return made


def _seal(asked: Asked, made: str, secret: bytes) -> bytes:
    """Sealed, or opened again: each pad is used once, as every id is made once."""
    pad = hmac.digest(asked.token.encode(), f"once\0{made}".encode(), "sha256")
    return bytes(one ^ other for one, other in zip(secret, pad, strict=False))
