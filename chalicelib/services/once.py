"""Doing what a request asks once, however often it is sent with the same Idempotency-Key.

Nothing of the first answer is kept but the id of what it makes: whoever comes second, while the
first is at work or after it died half way, makes the same thing under the same id or finds it made.
"""

import hashlib
import json
from collections.abc import Callable
from typing import TypeVar

from chalicelib.domain.errors import ConflictError, Fault, InvalidError, NotFoundError
from chalicelib.domain.ids import new_id
from chalicelib.services.runtime import Runtime
from chalicelib.store.once import Once

Made = TypeVar("Made")
_KEY_LENGTH = 255


def once(
    runtime: Runtime,
    owner: str,
    key: str,
    request: object,
    *,
    make: Callable[[str], Made],
    find: Callable[[str], Made],
) -> Made:
    """What `make(id)` makes, or `find(id)` finds where the key was used for it before.

    Raises ConflictError where the key was used with another request, or where what it made has
    been deleted since.
    """
    if not 1 <= len(key) <= _KEY_LENGTH or not key.isprintable():
        rule = f"must be 1 to {_KEY_LENGTH} printable characters"
        fault = Fault(("header", "Idempotency-Key"), rule)
        raise InvalidError("the Idempotency-Key is not right", (fault,))
    text = json.dumps(request, sort_keys=True, ensure_ascii=False)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    keys = Once(owner)
    claim = keys.claim(key, fingerprint, new_id(runtime.clock()), runtime.now)
    if claim.fingerprint != fingerprint:
        raise ConflictError("the Idempotency-Key was used with another body")
    try:
        made = find(claim.made)
    except NotFoundError:
        if claim.done:
            raise ConflictError("what this Idempotency-Key made has been deleted since") from None
        made = make(claim.made)
    if not claim.done:
        keys.finish(key)
    return made
