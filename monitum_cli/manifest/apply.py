"""Apply a plan step by step. A failed step only affects the steps that depend on it.

Nothing is overwritten unseen: a step fails if its resource is not as the plan found it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from monitum_cli.client import Api
from monitum_cli.errors import ApiError, CliError, ExitCode, FieldPath
from monitum_cli.manifest.load import DesiredResource
from monitum_cli.manifest.plan import Plan, Step
from monitum_cli.manifest.schema import Section
from monitum_cli.manifest.state import CurrentResource, NameIndex, from_api, to_api

_FATAL = {ExitCode.DENIED, ExitCode.RATE_LIMITED, ExitCode.UNREACHABLE}
"""After these, the following steps would fail too."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step.

    `outcome` is created, changed, unchanged, deleted, failed, or left for a step not attempted.
    `id` is the ID of the resource if it exists.
    """

    step: Step
    outcome: str
    id: str | None = None
    error: CliError | None = None


def apply_plan(api: Api, plan: Plan, names: NameIndex) -> Iterator[StepResult]:
    """Run the steps in order and yield their results."""
    gave_up = False
    for step in plan.steps:
        if gave_up:
            yield StepResult(step, "left")
            continue
        try:
            yield _run(api, step, names)
        except CliError as error:
            # A 403 may be about a quota or scope of one type of resource: others may succeed.
            is_forbidden = isinstance(error, ApiError) and error.status == 403
            gave_up = error.exit_code in _FATAL and not is_forbidden
            yield StepResult(step, "failed", error=_located(step, error))


def _run(api: Api, step: Step, names: NameIndex) -> StepResult:
    if step.current is None:
        assert step.desired is not None
        identifier = _create(api, step.desired, names)
        return StepResult(step, "created", identifier)
    path = f"{step.section.path}/{step.current.id}"
    etag = _check_unchanged(api, step.section, step.current, names)
    if step.desired is None:
        api.delete(path, etag)
        return StepResult(step, "deleted", step.current.id)
    fields = dict.fromkeys(one.field.partition(".")[0] for one in step.differences)
    updated = api.update(path, to_api(step.section, step.desired.fields, names, fields), etag)
    is_unchanged = updated.etag is not None and updated.etag == etag
    return StepResult(step, "unchanged" if is_unchanged else "changed", step.current.id)


def _create(api: Api, desired: DesiredResource, names: NameIndex) -> str:
    section, name = desired.section, desired.name
    body = {"name": name, **to_api(section, desired.fields, names)}
    created = _create_once(api, section, body)
    if created is None:
        # Earlier today the key created another resource of this name, or one deleted since.
        if any(item["name"] == name for item in api.paginate(section.path)):
            raise _changed_meanwhile(name)
        created = api.create(section.path, body)
    identifier: str = created["id"]
    names.add(section.name, name, identifier)
    return identifier


def _create_once(api: Api, section: Section, body: dict[str, Any]) -> dict[str, Any] | None:
    """Create a resource; None if the key was used for one that is different or gone.

    The key depends on the name alone: two people who apply the same file at the same time create
    one resource.
    """
    key = hashlib.sha256(f"apply {section.name} {body['name']}".encode()).hexdigest()
    try:
        response = api.create_with_key(section.path, body, key)
        created: dict[str, Any] = response.value
        # A replayed response may be about a resource that was renamed or deleted since.
        replayed = response.is_replayed
        current = api.get(f"{section.path}/{created['id']}") if replayed else created
    except ApiError as error:
        if error.status not in {404, 409}:
            raise
        return None
    return created if current["name"] == body["name"] else None


def _check_unchanged(
    api: Api, section: Section, seen: CurrentResource, names: NameIndex
) -> str | None:
    """Return the ETag of a resource; raises CliError if it changed since the plan was created."""
    response = api.get_response(f"{section.path}/{seen.id}")
    current = from_api(section, response.value, names)
    if (current.name, current.fields) != (seen.name, seen.fields):
        raise _changed_meanwhile(seen.name)
    return response.etag


def _changed_meanwhile(name: str) -> CliError:
    message = f"{name!r} has been changed since the plan was created: apply again"
    return CliError(message, ExitCode.CONFLICT)


def _located(step: Step, error: CliError) -> CliError:
    """Add the file and line to an error, for each field that it is about."""
    desired = step.desired
    if desired is None:
        return error
    if not isinstance(error, ApiError) or not error.field_errors:
        return CliError(str(desired.error(str(error))), error.exit_code)
    messages = []
    for api_path, message in error.field_errors:
        path = _path_in_file(step.section, api_path)
        field = ".".join(map(str, path)) or step.name
        messages.append(str(desired.error(f"{field}: {message}", path)))
    return CliError("; ".join(messages), error.exit_code)


def _path_in_file(section: Section, path: FieldPath) -> FieldPath:
    """Convert a path of the API to the file's, in which references have other field names."""
    by_api_name = {api_name: name for name, (api_name, _) in section.references.items()}
    if path and path[0] in by_api_name:
        return (by_api_name[str(path[0])], *path[1:])
    part = section.parts.get(str(path[0])) if path else None
    return (*path[:2], *_path_in_file(part, path[2:])) if part else path
