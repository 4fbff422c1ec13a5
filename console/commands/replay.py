"""`dwgate replay`: evaluates past events under another policy. It posts and writes nothing."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding

from common import clock
from common.extension_points import POINTS
from common.ledger import EventRecord, Ledger
from common.settings import load_settings
from common.snapshot import Snapshot
from console import errors
from console.exit_codes import UsageError
from console.ledger_access import open_ledger
from console.options import SINCE, Json, Project
from console.output import tables
from workers.checks import registry
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import DataWorksError
from workers.dataworks.models import ProcessStatus
from workers.policy import policy
from workers.policy_testing.replay import (
    NEEDS_LOOKUPS,
    ReplayedEvent,
    ReplayInputs,
    VerdictChange,
    replay_event,
)
from workers.services import connect_dataworks, find_fingerprint_key
from workers.settings import WorkerSettings
from workers.waivers import loader
from workers.waivers.matching import Waivers

MAX_EVENTS = 10_000
"""Maximum number of events, newest first."""

LOOKUP_SECONDS = 30.0
"""Maximum seconds for the lookups of one event."""

CALL_SECONDS = 5.0
"""Timeout of the first call of DataWorks."""

CHANGED = (VerdictChange.BLOCKED, VerdictChange.PASSED, VerdictChange.WARNED, VerdictChange.CLEARED)

RUN, REWEIGHED, PARTLY_RUN = "run", "reweighed", "partly evaluated"
"""How an event was evaluated: all checks run, some reweighed from recorded findings, or some not at all."""

NO_CHECK = "no check applies"


@dataclass(frozen=True, slots=True)
class ReplayFilter:
    """Which events are replayed, and under what.

    Attributes:
        since: received at or after this, in seconds since the epoch.
        policy: the file of the other policy.
        project: only of this workspace.
        check: only events with this check, in the past or under the policy.
        lookups: whether checks may query DataWorks.
    """

    since: float
    policy: Path
    project: int | None = None
    check: str | None = None
    lookups: bool = False


app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    since: Annotated[float, SINCE],
    policy: Annotated[Path, typer.Option(metavar="FILE", help="The policy to try.")],
    project: Project = None,
    check: Annotated[
        str | None, typer.Option(help="Only events with this check, in the past or under the policy.")
    ] = None,
    lookups: Annotated[
        bool, typer.Option("--lookups", help="Query DataWorks as it is today; uses its read quota.")
    ] = False,
    json: Json = False,
) -> None:
    """Evaluate past events under another policy and show what would change; read-only."""
    raise typer.Exit(run(ReplayFilter(since, policy, project, check, lookups), json=json))


def run(filter_: ReplayFilter, *, json: bool) -> int:
    """Replay events and print what would change; return the exit code.

    Raises:
        ConfigError: the policy is invalid.
        UsageError: the check is unknown.
        EngineDown: Redis cannot be reached.
        CommandFailed: lookups are requested, and DataWorks cannot be queried.
    """
    settings = load_settings(WorkerSettings)
    checks = registry.load_checks()
    if filter_.check is not None and filter_.check not in checks:
        raise UsageError(
            f"--check {filter_.check}: unknown check; expected one of {', '.join(sorted(checks))}"
        )
    other = policy.load_policy(filter_.policy, checks)
    ledger = open_ledger(settings)
    dataworks = connect_dataworks(settings, ledger.client) if filter_.lookups else None
    with errors.engine_errors("Redis", settings.redis_url):
        if dataworks:
            _require_reachable(dataworks)
        records = ledger.find(project_id=filter_.project, since=filter_.since, limit=MAX_EVENTS)
        key = find_fingerprint_key(settings, ledger)
        inputs = ReplayInputs(other, checks, _waivers(settings, other), fingerprint_key=key)
        found = list(_all(records, ledger, inputs, dataworks))
    if len(records) == MAX_EVENTS:
        print(f"dwgate: only the newest {MAX_EVENTS} events were replayed", file=sys.stderr)
    selected = [item for item in found if filter_.check is None or filter_.check in _checks(item)]
    if json:
        tables.json(summary(selected, other.version))
    else:
        _print(selected, filter_)
    return 0


def _require_reachable(dataworks: DataWorks) -> None:
    """Call DataWorks once: an error now would repeat for each of thousands of lookups.

    Raises:
        CommandFailed: the call failed.
    """
    logging.disable()  # The SDK logs missing credentials; they are reported in one line here.
    try:
        dataworks.check_processes(
            POINTS[0].code, status=ProcessStatus.CHECKING, deadline=clock.now() + CALL_SECONDS
        )
    except DataWorksError as error:
        raise errors.CommandFailed(f"--lookups: DataWorks cannot be queried: {error}") from None
    finally:
        logging.disable(logging.NOTSET)


def _waivers(settings: WorkerSettings, other: policy.Policy) -> Waivers:
    file = settings.waivers_file
    return loader.load_waivers(file, other.waivers, clock.now()) if file else Waivers()


def summary(found: Sequence[ReplayedEvent], version: str) -> dict[str, Any]:
    """Return what the other policy would change, as `--json` prints it.

    Args:
        found: the events.
        version: of the other policy.
    """
    return {
        "policy": version,
        "counts": {change.value: len(_with_change(found, change)) for change in VerdictChange},
        "unchanged": dict(Counter(item.new.value for item in _with_change(found, VerdictChange.NONE))),
        **{name: {key: dict(row) for key, row in _count_by(found, keys)} for name, keys in _GROUPS.items()},
        "events": [_event(item) for item in found],
    }


def _all(
    records: Sequence[EventRecord], ledger: Ledger, means: ReplayInputs, dataworks: DataWorks | None
) -> Iterator[ReplayedEvent]:
    for record in records:
        kept = ledger.snapshot(record.event.message_id)
        project = record.event.project_id
        lookups = dataworks.lookups(clock.now() + LOOKUP_SECONDS, project) if dataworks else None
        snapshot = Snapshot.from_json(kept) if kept else None
        if found := replay_event(record, snapshot, replace(means, lookups=lookups)):
            yield found


def _checks(item: ReplayedEvent) -> frozenset[str]:
    return frozenset((*item.record.planned_checks, *(check.name for check in item.plan.checks)))


def _with_change(found: Sequence[ReplayedEvent], change: VerdictChange) -> list[ReplayedEvent]:
    return [item for item in found if item.change is change]


def _because(item: ReplayedEvent) -> list[str]:
    return list(item.deciding_checks) or [NO_CHECK]


_GROUPS: dict[str, Callable[[ReplayedEvent], list[str]]] = {
    "by_check": _because,
    "by_workspace": lambda item: [str(item.record.event.project_id or tables.NOTHING)],
    "by_author": lambda item: [item.record.event.operator or tables.NOTHING],
}


def _count_by(
    found: Sequence[ReplayedEvent], keys: Callable[[ReplayedEvent], list[str]]
) -> list[tuple[str, Counter[str]]]:
    """Return the number of events per change, grouped by `keys`; the group with most changes first."""
    groups: dict[str, Counter[str]] = {}
    for item in found:
        if item.change in CHANGED:
            for key in keys(item):
                groups.setdefault(key, Counter())[item.change.value] += 1
    return sorted(groups.items(), key=lambda group: (-group[1].total(), group[0]))


def _event(item: ReplayedEvent) -> dict[str, Any]:
    event, changed = item.record.event, item.change in CHANGED
    return {
        "message_id": event.message_id,
        "event_code": event.event_code,
        "project_id": event.project_id,
        "operator": event.operator,
        "received_at": event.received_at,
        "previous": item.previous.value,
        "new": item.new.value,
        "change": item.change.value,
        "because": {name: found and found.to_json() for name, found in item.deciding_checks.items()}
        if changed
        else {},
        "reweighed": dict(item.reweighed),
        "unknown": dict(item.unknown),
    }


def _print(found: Sequence[ReplayedEvent], filter_: ReplayFilter) -> None:
    judged = Counter(_decided_by(item) for item in found)
    counts = ", ".join(f"{judged[how]} {how}" for how in (RUN, REWEIGHED, PARTLY_RUN))
    print(f"{len(found)} events under {filter_.policy}: {counts}")
    for change in VerdictChange:
        same = (
            Counter(item.new.value for item in _with_change(found, change))
            if change is VerdictChange.NONE
            else {}
        )
        results = ", ".join(f"{name} {count}" for name, count in sorted(same.items()))
        print(f"{len(_with_change(found, change)):6} {change.value}" + (f": {results}" if results else ""))
    changed = [item for change in CHANGED for item in _with_change(found, change)]
    if changed:
        out = tables.console()
        for item in changed:
            _print_changed(out, item)
        for name, keys in _GROUPS.items():
            rows = [
                (key, *(row[change.value] or None for change in CHANGED))
                for key, row in _count_by(found, keys)
            ]
            heads = (name.replace("_", " "), *(change.value for change in CHANGED))
            print()
            tables.show(tables.table(heads, rows))
    _print_reasons("reweighed from recorded findings", [item.reweighed for item in found])
    _print_reasons("not evaluated", [item.unknown for item in found])


def _print_reasons(what: str, reasons: Sequence[Mapping[str, str]]) -> None:
    counts = Counter(pair for each in reasons for pair in each.items())
    for (check, why), count in counts.most_common():
        hint = " (see --lookups)" if why == NEEDS_LOOKUPS else ""
        print(tables.text(f"{check}: {count} {what}: {why}{hint}").plain)


def _print_changed(out: Console, item: ReplayedEvent) -> None:
    """Print an event that changes: one line of facts, then a line for each deciding check."""
    event = item.record.event
    out.print()
    facts = (
        f"{item.change}: {item.previous} → {item.new}",
        event.event_code,
        event.message_id,
        f"workspace {event.project_id or tables.NOTHING}",
        f"author {event.operator or tables.NOTHING}",
        tables.format_time(event.received_at),
        _decided_by(item),
    )
    out.print(tables.text(", ".join(map(str, facts))))
    for name, found in item.deciding_checks.items():
        why = tables.finding(found) if found else "could not run"
        out.print(Padding(tables.text(f"{name}: {why}"), (0, 0, 0, 4), expand=False))
    if not item.deciding_checks:
        out.print(Padding(NO_CHECK, (0, 0, 0, 4), expand=False))


def _decided_by(item: ReplayedEvent) -> str:
    if item.unknown:
        return PARTLY_RUN
    return REWEIGHED if item.reweighed else RUN
