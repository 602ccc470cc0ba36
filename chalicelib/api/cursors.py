"""Cursors: where a list goes on, signed so that only the same owner and filters can use them."""

import json
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from chalicelib.common.errors import BadRequestError, Fault


class Cursors:
    """Writes and reads the cursors of one list: `key` is the owner's own, `name` the list's.

    `filters` are part of the signature: a cursor goes on with the list that it came from.
    """

    def __init__(self, key: str, name: str, filters: Mapping[str, Any]) -> None:
        salt = json.dumps([name, filters], sort_keys=True, default=str)
        self._serializer = URLSafeSerializer(key, salt=salt)

    def write(self, position: str | None) -> str | None:
        """The cursor for a position; None stays None: the end of the list."""
        return None if position is None else str(self._serializer.dumps(position))

    def read(self, cursor: str | None) -> str | None:
        """The position in a cursor; raises BadRequestError for one that is not of this list."""
        if cursor is None:
            return None
        try:
            position: str | None = str(self._serializer.loads(cursor))
        except BadSignature:
            position = None
        # Base64 has several spellings of the same bytes: only the one that was written is ours.
        if position is None or self.write(position) != cursor:
            fault = Fault(("query", "cursor"), "not a cursor of this list with these filters")
            raise BadRequestError("the cursor is not one of ours", (fault,))
        return position
