"""One DynamoDB connection for all models, with the tripwire on it."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from chalicelib.aws.tenancy import check_call
from chalicelib.common.settings import Settings


class _Nameless:
    """What pynamodb wants to know of a model's table; its name comes with the stage."""

    table_name = ""


class Table(Model):
    """The base of every model: binds its `TABLE` to a stage and shares one client.

    pynamodb would make a client per model class, at about 50 ms each, with timeouts that outlast
    API Gateway's.
    """

    TABLE: ClassVar[str]
    Meta: Any = _Nameless
    _shared: ClassVar[Connection | None] = None
    _prefix: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.Meta = type("Meta", (_Nameless,), {})

    @classmethod
    def _get_connection(cls) -> TableConnection:
        # Asked at every call: a model may be loaded after its stage was bound, and before the next.
        name, shared = Table._prefix + cls.TABLE, Table._shared
        bound = cls._connection
        if bound is None or bound.connection is not shared or cls.Meta.table_name != name:
            cls.Meta.table_name, cls._connection = name, None
            connection, shared = super()._get_connection(), _shared_connection()
            if name not in shared._tables:  # noqa: SLF001 - no public question
                shared.add_meta_table(connection.get_meta_table())
            connection.connection = shared
        return super()._get_connection()

    @classmethod
    def raw_query(
        cls,
        hash_key: str,
        *,
        attributes: list[str],
        index: str | None = None,
        condition: Condition | None = None,
    ) -> Iterator[dict[str, dict[str, Any]]]:
        """The items under a key as DynamoDB sends them, where models are too slow."""
        start = None
        while True:
            page = cls._get_connection().query(
                hash_key,
                range_key_condition=condition,
                index_name=index,
                attributes_to_get=attributes,
                exclusive_start_key=start,
            )
            yield from page["Items"]
            start = page.get("LastEvaluatedKey")
            if start is None:
                return


class Owned(Table):
    """The base of those of which an owner has several kinds in one table, told apart by the key."""

    owner = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)


def bind(settings: Settings) -> None:
    """Point every model at the tables of `settings`' stage."""
    Table._shared = Connection(  # noqa: SLF001 - ours
        region=settings.home_region,
        connect_timeout_seconds=2,
        read_timeout_seconds=5,
        max_retry_attempts=3,
        max_pool_connections=16,
    )
    Table._prefix = settings.table_prefix  # noqa: SLF001 - ours


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
