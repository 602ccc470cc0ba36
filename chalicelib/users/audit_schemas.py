"""Records of changes as they go out."""

from chalicelib.access.audit import Record
from chalicelib.api.schemas import Model, Moment, Page


class ByOut(Model):
    """Who changed something: the user, and the token by its id and its name at the time."""

    user: str
    token_id: str
    token_name: str


class RecordOut(Model):
    """One change: `action` such as `target.changed`, of the thing with `thing_id`.

    `fields` are the names of what was changed; values are not kept.
    """

    id: str
    at: Moment
    by: ByOut
    request_id: str
    action: str
    thing_id: str
    thing_name: str
    fields: list[str]

    @classmethod
    def of(cls, record: Record) -> "RecordOut":
        return cls(
            id=record.id,
            at=record.at,
            by=ByOut(user=record.user, token_id=record.token_id, token_name=record.token_name),
            request_id=record.request_id,
            action=record.action,
            thing_id=record.thing,
            thing_name=record.name,
            fields=list(record.fields),
        )


RecordsPage = Page[RecordOut]
