"""Deleting what was found."""

from typing import Any

from monitum_cli.finding import Noun
from monitum_cli.session import Session


def remove(  # noqa: PLR0913 - what is deleted, how that is asked and how it is told
    session: Session,
    noun: Noun,
    found: dict[str, Any],
    question: str | None = None,
    *,
    word: str = "deleted",
    yes: bool,
    as_json: bool,
) -> None:
    """Delete it, once somebody says so; the `question` names it unless another is given."""
    name = found["name"]
    session.confirm(question or f"delete the {noun.word} {name!r}", yes=yes)
    session.api.remove(f"{noun.path}/{found['id']}")
    told = {"id": found["id"], "name": name, word: True}
    session.output.told(told, f"{name} is {word}", as_json=as_json)
