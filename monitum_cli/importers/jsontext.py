"""JSON of others: within bounds, and no more than JSON."""

import json
from typing import Any

from monitum_cli.errors import Exit, Failure
from monitum_cli.importers.common import check_size


def read_json(name: str, raw: bytes) -> Any:
    """The value of a file; raises Failure, naming the line."""
    check_size(name, raw)
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Failure(f"{name} is not UTF-8", Exit.INVALID) from None
    except json.JSONDecodeError as error:
        raise Failure(f"{name}:{error.lineno}: {error.msg}", Exit.INVALID) from None
    except RecursionError:
        raise Failure(f"{name} is nested too deeply", Exit.INVALID) from None
