"""One DynamoDB connection for all models, with the tripwire on it."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pynamodb.connection import Connection, TableConnection
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from chalicelib.settings import Settings
from chalicelib.store.tripwire import check_call


class Table(Model):
    """The base of every model: binds its table to a stage and shares one client.

    pynamodb would make a client per model class, at about 50 ms each, with timeouts that outlast
    API Gateway's.
    """

    TABLE: ClassVar[str]
    _tables: ClassVar[list[type["Table"]]] = []
    _shared: ClassVar[Connection | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "TABLE"):
            Table._tables.append(cls)

    @classmethod
    def _get_connection(cls) -> TableConnection:
        if cls._connection is None:
            connection = super()._get_connection()
            shared = _shared_connection()
            if connection.table_name not in shared._tables:  # noqa: SLF001 - no public question
                shared.add_meta_table(connection.get_meta_table())
            connection.connection = shared
        return super()._get_connection()

    @classmethod
    def raw_query(
        cls,
        hash_key: str,
        condition: Condition | None = None,
        *,
        attributes: list[str],
        index: str | None = None,
    ) -> Iterator[dict[str, dict[str, Any]]]:
        """The items under a key as DynamoDB sends them, where models are too slow."""
        start = None
        while True:
            page = cls._get_connection().query(
                hash_key,
                condition,
                index_name=index,
                attributes_to_get=attributes,
                exclusive_start_key=start,
            )
            yield from page["Items"]
            start = page.get("LastEvaluatedKey")
            if start is None:
                return


def bind(settings: Settings) -> None:
    """Point every model at the tables of `settings`' stage."""
    Table._shared = Connection(  # noqa: SLF001 - ours
        region=settings.home_region,
        connect_timeout_seconds=2,
        read_timeout_seconds=5,
        max_retry_attempts=3,
        max_pool_connections=16,
    )
    for table in Table._tables:  # noqa: SLF001 - ours
        table.Meta.table_name = settings.table_prefix + table.TABLE
        table._connection = None  # noqa: SLF001 - ours, through pynamodb


def connection() -> Connection:
    """The connection that transactions run on; raises RuntimeError before `bind`."""
    return _shared_connection()


def _shared_connection() -> Connection:
    shared = Table._shared  # noqa: SLF001 - ours
    if shared is None:
        raise RuntimeError("the store is not bound to a stage yet")
    events = shared.client.meta.events
    events.register("provide-client-params.dynamodb", check_call, unique_id="tripwire")
    return shared
