"""Backs up a stage's items to a file, in DynamoDB's JSON format."""

import base64
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ops.console import Failure
from ops.resources import table_names
from ops.stages import Stage

Item = dict[str, Any]


class Line(NamedTuple):
    """One line of a backup: an item, and its table's name without prefix."""

    table: str
    item: Item


def backup(stage: Stage, file: Path, *, with_results: bool = True) -> int:
    """Write the items, one per line, to a file only its owner can read; returns their number.

    Results are most of the data. Without them, history consists of the rollups.
    """
    client = stage.client("dynamodb")
    prefix = f"{stage.stack_name}-"
    tables = [name.removeprefix(prefix) for name in table_names(prefix)]
    count = 0
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw, gzip.open(raw, "wt", encoding="utf-8") as lines:
        for table in tables:
            if table == "results" and not with_results:
                continue
            for item in scan(client, prefix + table):
                lines.write(json.dumps({"table": table, "item": item}, default=_as_text) + "\n")
                count += 1
    return count


def read(file: Path) -> Iterator[Line]:
    """The lines of a backup; raises Failure if the file is not one."""
    count = 0
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                found = json.loads(line, object_hook=_as_bytes)
                yield Line(found["table"], found["item"])
                count += 1
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"{file} is not a backup ({error}); {count} items were read") from error


def scan(client: Any, table: str, **options: Any) -> Iterator[Item]:
    """All items of a table."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **options)
    for page in pages:
        yield from page["Items"]


def _as_text(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(type(value).__name__)


def _as_bytes(value: Item) -> Any:
    # An attribute named `base64` has a dict with a type as its value, not text.
    text = value.get("base64")
    return base64.b64decode(text) if isinstance(text, str) else value
