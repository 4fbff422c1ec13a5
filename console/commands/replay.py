"""`dwgate replay`: what another policy would have said of past events. It posts and writes nothing."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding

from common.extension_points import POINTS
from common.ledger import Ledger, Record, connect
from common.settings import load
from common.snapshot import Snapshot
from console import errors
from console.exit_codes import Usage
from console.output import tables
from workers.checks import registry
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import DataWorksError
from workers.dataworks.models import ProcessStatus
from workers.policy import policy
from workers.policy_testing.replay import LOOKS_UP, Change, Means, Replayed, replay
from workers.services import connect_dataworks
from workers.settings import WorkerSettings
from workers.waivers import loader
from workers.waivers.matching import Waivers

MOST = 10_000
"""Events that are looked at, newest first."""

LOOKUP_SECONDS = 30.0
"""How long the lookups of one event may take."""

ASK_SECONDS = 5.0
"""How long DataWorks has to answer at all."""

CHANGED = (Change.BLOCKED, Change.PASSED, Change.WARNED, Change.CLEARED)

RUN, WEIGHED, PARTLY = "run", "weighed", "judged in part"
"""How an event was judged: all its checks run, some weighed by what they had found, or some not at all."""

NO_CHECK = "no check applies"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are replayed, and how.

    Attributes:
        since: received at or after this, in seconds since the epoch.
        policy: the file of the other policy.
        project: only of this workspace.
        check: only those that this check is, or would be, asked about.
        lookups: whether checks may ask DataWorks.
    """

    since: float
    policy: Path
    project: int | None = None
    check: str | None = None
    lookups: bool = False


def run(wanted: Wanted, *, json: bool) -> int:
    """Replay events and print what would change; return the exit code.

    Raises:
        ConfigError: the policy cannot be used.
        Usage: there is no such check.
        EngineDown: Redis cannot be reached.
        Failed: lookups are wanted, and DataWorks cannot be asked.
    """
    settings = load(WorkerSettings)
    checks = registry.load()
    if wanted.check is not None and wanted.check not in checks:
        raise Usage(f"--check {wanted.check}: no such check; expected one of {', '.join(sorted(checks))}")
    other = policy.load(wanted.policy, checks)
    ledger = Ledger(connect(settings.redis_url.get_secret_value()), settings.extension_code)
    dataworks = connect_dataworks(settings, ledger.client) if wanted.lookups else None
    with errors.reaching("Redis", settings.redis_url):
        if dataworks:
            _must_answer(dataworks)
        records = ledger.find(project_id=wanted.project, since=wanted.since, most=MOST)
        found = list(_all(records, ledger, Means(other, checks, _waivers(settings, other)), dataworks))
    if len(records) == MOST:
        print(f"dwgate: only the newest {MOST} events were looked at", file=sys.stderr)
    met = [item for item in found if wanted.check is None or wanted.check in _checks(item)]
    if json:
        tables.json(summary(met, other.version))
    else:
        _print(met, wanted)
    return 0


def _must_answer(dataworks: DataWorks) -> None:
    """Ask DataWorks once: what it refuses now it would refuse for each of thousands of lookups.

    Raises:
        Failed: it cannot be asked.
    """
    logging.disable()  # What the SDK logs of credentials that are missing; here it is told in one line.
    try:
        dataworks.check_processes(
            POINTS[0].code, status=ProcessStatus.CHECKING, until=time.time() + ASK_SECONDS
        )
    except DataWorksError as error:
        raise errors.Failed(f"--lookups: DataWorks cannot be asked: {error}") from None
    finally:
        logging.disable(logging.NOTSET)


def _waivers(settings: WorkerSettings, holds: policy.Policy) -> Waivers:
    file = settings.waivers_file
    return loader.load(file, holds.waivers, time.time()) if file else Waivers()


def summary(found: Sequence[Replayed], version: str) -> dict[str, Any]:
    """Return what the other policy would change, as `--json` prints it.

    Args:
        found: the events.
        version: of the other policy.
    """
    return {
        "policy": version,
        "counts": {change.value: len(_of(found, change)) for change in Change},
        "unchanged": dict(Counter(item.now.value for item in _of(found, Change.NONE))),
        **{name: {key: dict(row) for key, row in _by(found, keys)} for name, keys in _GROUPS.items()},
        "events": [_event(item) for item in found],
    }


def _all(
    records: Sequence[Record], ledger: Ledger, means: Means, dataworks: DataWorks | None
) -> Iterator[Replayed]:
    for record in records:
        kept = ledger.snapshot(record.event.message_id)
        lookups = dataworks.lookups(time.time() + LOOKUP_SECONDS) if dataworks else None
        snapshot = Snapshot.from_json(kept) if kept else None
        if found := replay(record, snapshot, replace(means, lookups=lookups)):
            yield found


def _checks(item: Replayed) -> frozenset[str]:
    return frozenset((*item.record.planned, *(check.name for check in item.plan.checks)))


def _of(found: Sequence[Replayed], change: Change) -> list[Replayed]:
    return [item for item in found if item.change is change]


def _because(item: Replayed) -> list[str]:
    return list(item.because) or [NO_CHECK]


_GROUPS: dict[str, Callable[[Replayed], list[str]]] = {
    "by_check": _because,
    "by_workspace": lambda item: [str(item.record.event.project_id or tables.NOTHING)],
    "by_author": lambda item: [item.record.event.operator or tables.NOTHING],
}


def _by(found: Sequence[Replayed], keys: Callable[[Replayed], list[str]]) -> list[tuple[str, Counter[str]]]:
    """Return how many events change how, by what they have in common; most changes first."""
    groups: dict[str, Counter[str]] = {}
    for item in found:
        if item.change in CHANGED:
            for key in keys(item):
                groups.setdefault(key, Counter())[item.change.value] += 1
    return sorted(groups.items(), key=lambda group: (-group[1].total(), group[0]))


def _event(item: Replayed) -> dict[str, Any]:
    event, changed = item.record.event, item.change in CHANGED
    return {
        "message_id": event.message_id,
        "event_code": event.event_code,
        "project_id": event.project_id,
        "operator": event.operator,
        "received_at": event.received_at,
        "was": item.was.value,
        "now": item.now.value,
        "change": item.change.value,
        "because": {name: found and found.to_json() for name, found in item.because.items()}
        if changed
        else {},
        "weighed": dict(item.weighed),
        "unknown": dict(item.unknown),
    }


def _print(found: Sequence[Replayed], wanted: Wanted) -> None:
    judged = Counter(_judged(item) for item in found)
    told = ", ".join(f"{judged[how]} {how}" for how in (RUN, WEIGHED, PARTLY))
    print(f"{len(found)} events under {wanted.policy}: {told}")
    for change in Change:
        same = Counter(item.now.value for item in _of(found, change)) if change is Change.NONE else {}
        results = ", ".join(f"{name} {count}" for name, count in sorted(same.items()))
        print(f"{len(_of(found, change)):6} {change.value}" + (f": {results}" if results else ""))
    changed = [item for change in CHANGED for item in _of(found, change)]
    if changed:
        out = tables.console()
        for item in changed:
            _print_changed(out, item)
        for name, keys in _GROUPS.items():
            rows = [
                (key, *(row[change.value] or None for change in CHANGED)) for key, row in _by(found, keys)
            ]
            heads = (name.replace("_", " "), *(change.value for change in CHANGED))
            out.print(tables.table(heads, rows))
    _print_reasons("weighed by recorded findings", [item.weighed for item in found])
    _print_reasons("not judged", [item.unknown for item in found])


def _print_reasons(what: str, reasons: Sequence[Mapping[str, str]]) -> None:
    counts = Counter(pair for each in reasons for pair in each.items())
    for (check, why), count in counts.most_common():
        print(f"{check}: {count} {what}: {why}" + (" (see --lookups)" if why == LOOKS_UP else ""))


def _print_changed(out: Console, item: Replayed) -> None:
    """Print an event that changes: who and what in one line, then a line for each check that decides."""
    event = item.record.event
    out.print()
    facts = (
        f"{item.change}: {item.was} → {item.now}",
        event.event_code,
        event.message_id,
        f"workspace {event.project_id or tables.NOTHING}",
        f"author {event.operator or tables.NOTHING}",
        tables.when(event.received_at),
        _judged(item),
    )
    out.print(tables.text(", ".join(map(str, facts))))
    for name, found in item.because.items():
        why = tables.finding(found) if found else "could not be run"
        out.print(Padding(tables.text(f"{name}: {why}"), (0, 0, 0, 4), expand=False))
    if not item.because:
        out.print(Padding(NO_CHECK, (0, 0, 0, 4), expand=False))


def _judged(item: Replayed) -> str:
    if item.unknown:
        return PARTLY
    return WEIGHED if item.weighed else RUN
