"""What is not in the table of routes: unknown paths, and methods that a path does not take."""

import re
from collections.abc import Sequence
from typing import NoReturn

from chalice.app import Request

from chalicelib.api.routing import Operation
from chalicelib.common.errors import MethodError, NotFoundError


def refuse_unknown(table: Sequence[Operation], request: Request) -> NoReturn:
    """Raise MethodError where the path is there with other methods, NotFoundError elsewhere."""
    found = allowed(table, "/" + (request.uri_params or {}).get("proxy", ""))
    if found:
        raise MethodError(f"this takes {', '.join(found)}, but not {request.method}", found)
    raise NotFoundError("there is no such path")


def allowed(table: Sequence[Operation], path: str) -> tuple[str, ...]:
    """The methods of a path as it was called, by the table; nothing where there is no such path."""
    path = path.rstrip("/") or "/"
    return tuple(sorted({one.method for one in table if _pattern(one.path).fullmatch(path)}))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"{\w+}", path)
    return re.compile("[^/]+".join(map(re.escape, parts)))
