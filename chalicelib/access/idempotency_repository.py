"""Idempotency keys: what was asked under a key, the id that was made for it, and the answer."""

import hashlib
from dataclasses import dataclass

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError

from chalicelib.access.models import IdempotencyItem

_DAY_S = 86_400
_REFUSED = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Claim:
    """One key's request: `fingerprint` tells the body, `made` is the id of what it makes.

    `sealed` is the random part of a secret that is made with it, of use only to who asked. `answer`
    is the first answer, where there is one by now.
    """

    fingerprint: str
    made: str
    done: bool
    sealed: bytes
    answer: bytes | None = None


class IdempotencyKeys:
    """The idempotency keys of `owner`; each is remembered for a day."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def claim(self, key: str, fingerprint: str, new_id: str, now: int, sealed: bytes) -> Claim:
        """The claim that stands for `key`: a new one, or that of whoever came first."""
        item = IdempotencyItem(
            self.owner,
            _key(key),
            fingerprint=fingerprint,
            made=new_id,
            sealed=sealed,
            expires=now + _DAY_S,
        )
        try:
            item.save(
                condition=IdempotencyItem.key.does_not_exist() | (IdempotencyItem.expires <= now)
            )
        except PutError as error:
            if error.cause_response_code != _REFUSED:
                raise
            found = self._get(key)
            return found or self.claim(key, fingerprint, new_id, now, sealed)
        return Claim(fingerprint, new_id, done=False, sealed=sealed)

    def finish(self, key: str, answer: bytes) -> bytes:
        """Remember that what was asked under `key` is made, and how that was answered.

        Returns the answer that stands: that of whoever comes here first.
        """
        try:
            IdempotencyItem(self.owner, _key(key)).update(
                [IdempotencyItem.done.set(True), IdempotencyItem.answer.set(answer)],
                condition=IdempotencyItem.key.exists() & IdempotencyItem.answer.does_not_exist(),
            )
        except UpdateError as error:
            if error.cause_response_code != _REFUSED:
                raise
            found = self._get(key)
            return (found and found.answer) or answer
        return answer

    def _get(self, key: str) -> Claim | None:
        try:
            item = IdempotencyItem.get(self.owner, _key(key), consistent_read=True)
        except DoesNotExist:
            return None
        return Claim(item.fingerprint, item.made, item.done, item.sealed, item.answer)


def _key(key: str) -> str:
    return f"once:{hashlib.sha256(key.encode()).hexdigest()}"
