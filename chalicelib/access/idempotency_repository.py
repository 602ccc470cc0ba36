"""Claims of Idempotency-Keys: the fingerprint of the request, the resource's id, the response."""

import hashlib
from dataclasses import dataclass

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError

from chalicelib.access.models import IdempotencyItem

_DAY_S = 86_400
_REFUSED = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Claim:
    """The first request with a key: `fingerprint` is the hash of its content.

    `resource_id` is the id of the resource it creates, `sealed` the encrypted random bytes of that
    resource's secret, and `response` the first response once there is one.
    """

    fingerprint: str
    resource_id: str
    done: bool
    sealed: bytes
    response: bytes | None = None


class IdempotencyKeys:
    """The Idempotency-Keys of `owner`; each is stored for a day."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def claim(self, key: str, fingerprint: str, new_id: str, now: int, sealed: bytes) -> Claim:
        """Claim `key`, or return its existing claim.

        The write is conditional, so of concurrent requests exactly one gets a new claim. An expired
        claim may be overwritten: DynamoDB deletes expired items with a delay.
        """
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
            # The claim may have been deleted between the two calls.
            return self._get(key) or self.claim(key, fingerprint, new_id, now, sealed)
        return Claim(fingerprint, new_id, done=False, sealed=sealed)

    def finish(self, key: str, response: bytes) -> bytes:
        """Store the response unless there is one already; returns the one that is stored."""
        try:
            IdempotencyItem(self.owner, _key(key)).update(
                [IdempotencyItem.done.set(True), IdempotencyItem.answer.set(response)],
                condition=IdempotencyItem.key.exists() & IdempotencyItem.answer.does_not_exist(),
            )
        except UpdateError as error:
            if error.cause_response_code != _REFUSED:
                raise
            claim = self._get(key)
            return (claim and claim.response) or response
        return response

    def _get(self, key: str) -> Claim | None:
        try:
            item = IdempotencyItem.get(self.owner, _key(key), consistent_read=True)
        except DoesNotExist:
            return None
        return Claim(item.fingerprint, item.made, item.done, item.sealed, item.answer)


def _key(key: str) -> str:
    return f"once:{hashlib.sha256(key.encode()).hexdigest()}"
