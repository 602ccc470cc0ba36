"""By which definition targets are checked.

A message has the definitions of up to three minutes ago. The lane, which is read for every check,
has the versions of the current ones; what is behind them is read again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.monitoring import schedule
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.storage.definition_repository import read_definitions
from chalicelib.monitoring.storage.lane_repository import read_secrets

Wanted = tuple[CheckJob, Lane, Sequence[CheckSpec]]
_Secrets = Mapping[tuple[str, int], Mapping[int, Secrets]]


def is_left_out(job: CheckJob, spec: CheckSpec, lane: Lane) -> bool:
    """Whether a target is not checked by this job because it was changed since.

    The check belongs to an earlier definition, or a separate message requests it.
    """
    definition = lane.definition_of(spec.place)
    return definition.leaves_out(spec.version, job.tick, is_planned=job.place is None)


def current_specs(wanted: Sequence[Wanted]) -> list[list[CheckSpec]]:
    """The specs of each job by the current definitions, with their secrets.

    Targets that are gone, paused or no longer due at the job's tick are left out.
    """
    secrets = _secrets(wanted)
    ready = [[_ready(spec, lane, secrets) for spec in specs] for _, lane, specs in wanted]
    outdated = {
        (job.owner, spec.target_id)
        for (job, _, specs), found in zip(wanted, ready, strict=True)
        for spec, one in zip(specs, found, strict=True)
        if one is None
    }
    stored = read_definitions(outdated) if outdated else {}
    return [
        list(_current(job, specs, found, stored))
        for (job, _, specs), found in zip(wanted, ready, strict=True)
    ]


def _secrets(wanted: Sequence[Wanted]) -> _Secrets:
    lanes = {
        (lane.owner, lane.number)
        for _, lane, specs in wanted
        if any(spec.has_secrets for spec in specs)
    }
    return read_secrets(lanes) if lanes else {}


def _ready(spec: CheckSpec, lane: Lane, secrets: _Secrets) -> CheckSpec | None:
    """The spec with its secrets, None if it is outdated or the secrets are part of another one.

    A spec must never be used with other secrets: they would be sent to the wrong host.
    """
    if spec.version != lane.definition_of(spec.place).version:
        return None
    if not spec.has_secrets:
        return spec
    found = secrets.get((lane.owner, lane.number), {}).get(spec.place)
    if found is None or not _belong(found, spec):
        return None
    return replace(spec, secrets=found.to_json())


def _belong(secrets: Secrets, spec: CheckSpec) -> bool:
    # Secrets that an early version stored have no tag.
    return secrets.tag == spec.secrets_tag or not (secrets.tag or spec.secrets_version)


def _current(
    job: CheckJob,
    specs: Iterable[CheckSpec],
    ready: Iterable[CheckSpec | None],
    stored: Mapping[tuple[str, str], CheckSpec],
) -> Iterable[CheckSpec]:
    offset = schedule.offset(job.owner, job.lane)
    for spec, one in zip(specs, ready, strict=True):
        found = one or stored.get((job.owner, spec.target_id))
        if found is None:
            continue
        if found.interval_s == spec.interval_s or not (job.tick - offset) % found.interval_s:
            yield found
