"""Backs up a stage's items to a file and restores them, in DynamoDB's JSON format."""

import base64
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.console import Failure
from ops.resources import table_names
from ops.stages import Stage

_BATCH: Final = 25
EXCLUDED: Final = frozenset({"results", "deliveries", "system"})
"""Tables that are large or short-lived, which only a backup of everything includes."""


def backup(stage: Stage, file: Path, *, everything: bool = False) -> int:
    """Write the items, one per line, to a file only its owner can read; returns their number."""
    client = stage.client("dynamodb")
    prefix = f"{stage.stack_name}-"
    tables = [name.removeprefix(prefix) for name in table_names(prefix)]
    count = 0
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw, gzip.open(raw, "wt", encoding="utf-8") as lines:
        for table in tables:
            if table in EXCLUDED and not everything:
                continue
            for item in _items(client, prefix + table):
                lines.write(json.dumps({"table": table, "item": item}, default=_as_text) + "\n")
                count += 1
    return count


def restore(stage: Stage, file: Path) -> int:
    """Write the file's items to the stage, which keeps its other items; returns their number.

    Raises:
        Failure: the file is not a backup, or contains a table that the stage does not have.
    """
    client, batch, count = stage.client("dynamodb"), list[dict[str, Any]](), 0
    try:
        for line in _lines(file):
            batch.append(line)
            count += 1
            if len(batch) == _BATCH:
                _put(client, stage, batch)
                batch.clear()
        _put(client, stage, batch)
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise Failure(f"{file} is not a backup ({error}); {count} items were read") from error
    except client.exceptions.ResourceNotFoundException as error:
        raise Failure("the stage lacks a table of the backup: run make deploy first") from error
    return count


def _items(client: Any, table: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line, object_hook=_as_bytes)


def _put(client: Any, stage: Stage, batch: list[dict[str, Any]]) -> None:
    """Write up to 25 items; repeats those that DynamoDB throttles."""
    pending: dict[str, list[dict[str, Any]]] = {}
    for line in batch:
        table = f"{stage.stack_name}-{line['table']}"
        pending.setdefault(table, []).append({"PutRequest": {"Item": line["item"]}})
    while pending:
        try:
            pending = client.batch_write_item(RequestItems=pending).get("UnprocessedItems", {})
        except ClientError as error:
            if "Throughput" not in error.response["Error"]["Code"]:
                raise


def _as_text(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(type(value).__name__)


def _as_bytes(value: dict[str, Any]) -> Any:
    # An attribute named `base64` has a dict with a type as its value, not text.
    text = value.get("base64")
    return base64.b64decode(text) if isinstance(text, str) else value
