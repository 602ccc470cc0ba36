"""Signed cursors for pagination, valid only for one owner, list and set of filters."""

import json
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from chalicelib.common.errors import BadRequestError, Fault


class Cursors:
    """Signs and verifies the cursors of the list `name` with the owner's `key`.

    The filters are part of the signature, so a cursor can only continue the list it came from.
    """

    def __init__(self, key: str, name: str, filters: Mapping[str, Any]) -> None:
        salt = json.dumps([name, filters], sort_keys=True, default=str)
        self._serializer = URLSafeSerializer(key, salt=salt)

    def write(self, position: str | None) -> str | None:
        """Return the cursor for a position; None, the end of the list, has none."""
        return None if position is None else str(self._serializer.dumps(position))

    def read(self, cursor: str | None) -> str | None:
        """Return the position in a cursor; raises BadRequestError if it belongs to another list."""
        if cursor is None:
            return None
        try:
            position: str | None = str(self._serializer.loads(cursor))
        except BadSignature:
            position = None
        # Base64 can encode the same bytes in several ways: accept only the one that was issued.
        if position is None or self.write(position) != cursor:
            fault = Fault(
                ("query", "cursor"),
                "`cursor` must be a `next_cursor` of this list with the same filters",
            )
            raise BadRequestError("the cursor is invalid", (fault,))
        return position
