"""The DynamoDB connection shared by all models, with the owner guard attached."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar, TypeVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from chalicelib.aws.tenancy import check_call
from chalicelib.common.settings import Settings

ItemT = TypeVar("ItemT")


def first_page(items: Iterable[ItemT], limit: int) -> tuple[list[ItemT], ItemT | None]:
    """Return up to `limit` items, and the last one of them if more follow.

    Query one item more than `limit`: DynamoDB's own `LastEvaluatedKey` is set whenever the limit
    was reached, even if nothing follows, so it would lead to an empty last page.
    """
    found = list(islice(items, limit + 1))
    return found[:limit], found[limit - 1] if len(found) > limit else None


class _Unbound:
    """The `Meta` of a model before it is bound to a stage, whose prefix is part of the name."""

    table_name = ""


class Table(Model):
    """The base of every model: binds its `TABLE` to a stage and shares one client.

    pynamodb would create a client per model class, at about 50 ms each, with timeouts longer than
    API Gateway's.
    """

    TABLE: ClassVar[str]
    Meta: Any = _Unbound
    _shared: ClassVar[Connection | None] = None
    _prefix: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.Meta = type("Meta", (_Unbound,), {})

    @classmethod
    def _get_connection(cls) -> TableConnection:
        # Checked on every call: a model may be imported after `bind`, and tests bind repeatedly.
        name, shared = Table._prefix + cls.TABLE, Table._shared
        bound = cls._connection
        if bound is None or bound.connection is not shared or cls.Meta.table_name != name:
            cls.Meta.table_name, cls._connection = name, None
            own, shared = super()._get_connection(), connection()
            if name not in shared._tables:  # noqa: SLF001 - no public method
                shared.add_meta_table(own.get_meta_table())
            own.connection = shared
        return super()._get_connection()

    @classmethod
    def raw_query(
        cls,
        hash_key: str,
        *,
        attributes: list[str],
        index: str | None = None,
        condition: Condition | None = None,
        consistent_read: bool = False,
    ) -> Iterator[dict[str, dict[str, Any]]]:
        """Query raw items, where creating model instances would be too slow."""
        start = None
        while True:
            page = cls._get_connection().query(
                hash_key,
                range_key_condition=condition,
                index_name=index,
                attributes_to_get=attributes,
                exclusive_start_key=start,
                consistent_read=consistent_read,
            )
            yield from page["Items"]
            start = page.get("LastEvaluatedKey")
            if start is None:
                return


class Owned(Table):
    """The base of models that share a table; the sort key's prefix distinguishes them."""

    owner = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)


def bind(settings: Settings) -> None:
    """Bind every model to the tables of a stage."""
    Table._shared = Connection(  # noqa: SLF001 - ours
        region=settings.home_region,
        connect_timeout_seconds=2,
        read_timeout_seconds=5,
        max_retry_attempts=3,
        max_pool_connections=16,
    )
    Table._prefix = settings.table_prefix  # noqa: SLF001 - ours


def connection() -> Connection:
    """The shared connection; raises RuntimeError before `bind`."""
    shared = Table._shared  # noqa: SLF001 - ours
    if shared is None:
        raise RuntimeError("the models are not bound to a stage; call bind() first")
    events = shared.client.meta.events
    events.register("provide-client-params.dynamodb", check_call, unique_id="owner-guard")
    return shared
