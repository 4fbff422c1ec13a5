"""Fills a ledger with many made-up events, as fast as Redis takes them.

One event of each kind takes the steps of the ledger itself. What Redis then holds is the form of that kind,
which is written for every other event with its own id, time, workspace, user and file.
`Filling.find_differences` compares what the steps write with what the form writes for the same event.

The events are those of seven days, of 20 workspaces, 300 users and 5,000 files; each tenth has a file of
its own, as a backfill has. Of 100 events 4 are blocked, 16 warned and 2 ignored. Whatever their number, the
newest `IN_FLIGHT` are received, checking or decided, and `DEAD` of the others are dead.
"""

from __future__ import annotations

import random
import re
import uuid
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, cast

import orjson
import redis

from bench.ledger import CODE, built_in_plan, sql
from common import clock
from common.events import Event
from common.ledger import EventRecord, Ledger, State
from common.ledger.queries import facets
from common.snapshot import FileSnapshot, Snapshot
from common.subjects.operation_target import OperationTarget
from common.verdicts import Finding, Outcome, OutcomeKind, Severity, Subject, SubjectKind
from emulator.eventbridge import event_bodies
from workers.pipeline.decision import decide_verdict

EVENT_SECONDS = 7 * 86400.0
WORKSPACES = 20
IN_FLIGHT = 60
DEAD = 60
REVIEW = "code-review"
RULES = ("MC-P01", "MC-S02", "MC-C14", "MC-N05")
OWNER = "bench"

WATCH_MS = 3_000_000
DEADLINE_MS = 3_600_000
"""Time from arrival until an event is due, and late: long enough for those in flight to stay so."""

_BATCH = 500
_CODES = 200
"""Distinct codes of 1 KB."""

_TICK_MS = 125
"""All times are multiples of it, since as seconds these are exact."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What comes of an event: its state, and the finding of its code review, if there is one."""

    state: State
    rule: str | None = None
    severity: Severity = Severity.WARN

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """The outcomes of its checks."""
        outcomes = {item.name: Outcome(OutcomeKind.PASSED) for item in built_in_plan().checks}
        if self.rule:
            found = Finding(
                self.rule, self.severity, "SELECT * reads columns that may change.", 3, 1, "Name them."
            )
            outcomes[REVIEW] = Outcome.of([found])
        return outcomes


PASSED = Kind(State.REPORTED)
KINDS = (
    PASSED,
    *(Kind(State.REPORTED, rule, severity) for rule in RULES for severity in (Severity.WARN, Severity.BLOCK)),
    *(Kind(state) for state in State if state is not State.REPORTED),
)


@dataclass(frozen=True, slots=True)
class MadeEvent:
    """One made-up event.

    Attributes:
        message_id: its id.
        project_id: its workspace.
        operator: UID of its user.
        file: its file.
        milliseconds: its time of arrival in milliseconds since the epoch.
        kind: what comes of it.
        code: which of the distinct codes its file has.
    """

    message_id: str
    project_id: int
    operator: str
    file: Subject
    milliseconds: int
    kind: Kind
    code: int = 0


def make_events(count: int, now: float) -> Iterator[MadeEvent]:
    """Yield `count` events, oldest first; the newest arrives at `now`, in seconds since the epoch."""
    picks = random.Random(1)  # noqa: S311 - made-up events
    step = EVENT_SECONDS * 990 / count
    dead = {(count - IN_FLIGHT) * each // DEAD for each in range(DEAD)}
    for number in range(count):
        file = picks.randrange(5000)
        name = f"dws_trade_{file}" if number % 10 else f"backfill_{number}_0101"
        at = int(now * 1000 - (count - number - 1) * step)
        kind = Kind(State.DEAD) if number in dead else _ended(picks)
        if number >= count - IN_FLIGHT:
            kind = Kind((State.RECEIVED, State.CHECKING, State.DECIDED)[number % 3])
        yield make_event(
            picks,
            at,
            kind,
            Subject(SubjectKind.FILE, str(500_000_000 + (file if number % 10 else number)), name),
        )


def make_event(picks: random.Random, milliseconds: int, kind: Kind, file: Subject) -> MadeEvent:
    """Return an event with a random id, workspace, user and code."""
    return MadeEvent(
        str(uuid.UUID(int=picks.getrandbits(128))),
        picks.randrange(WORKSPACES),
        f"19234567890123{picks.randrange(300):03}",
        file,
        milliseconds // _TICK_MS * _TICK_MS,
        kind,
        picks.randrange(_CODES),
    )


def _ended(picks: random.Random) -> Kind:
    draw = picks.random()
    if draw < 0.2:
        return Kind(State.REPORTED, picks.choice(RULES), Severity.BLOCK if draw < 0.04 else Severity.WARN)
    return Kind(State.IGNORED) if draw < 0.22 else PASSED


class Walk:
    """Takes an event through the steps of the ledger."""

    def __init__(self, ledger: Ledger, made: MadeEvent) -> None:
        self._ledger = ledger
        self._id = made.message_id
        at = made.milliseconds / 1000
        body = _event_body()
        self._event = Event(made.message_id, CODE, made.project_id, made.operator, True, body, at)
        self._times = at + DEADLINE_MS / 1000, at + WATCH_MS / 1000
        self._file = made.file
        self._snapshot = _snapshot(made.code)
        self._outcomes = made.kind.outcomes
        self._verdict = decide_verdict(built_in_plan(), self._outcomes, message_id=self._id, now=at)
        self._record: EventRecord | None = None

    def admit(self) -> None:
        """Admit it."""
        self._ledger.admit(self._event, *self._times)

    def save_plan(self) -> None:
        """Save its plan and its code."""
        target = OperationTarget(self._file, 0, "odps_sql", self._event.operator, self._file.id)
        self._ledger.save_plan(
            self._id, 1, built_in_plan(), self._snapshot, {}, target=target, subjects=[self._file]
        )

    def start_attempts(self) -> None:
        """Start its checks."""
        self._ledger.start_attempts(self._id, 1, self._outcomes)

    def record_outcomes(self) -> None:
        """Record the outcomes of its checks."""
        self._ledger.record_outcomes(self._id, 1, self._outcomes)

    def acquire_report_lease(self) -> None:
        """Lease its report."""
        self._record = self._ledger.acquire_report_lease(self._id, OWNER, 60).record

    def freeze_verdict(self) -> None:
        """Freeze its verdict."""
        self._ledger.freeze_verdict(self._id, OWNER, self._verdict)

    def mark_reported(self) -> None:
        """Mark it as reported."""
        self._ledger.mark_reported(self._id, OWNER, "posted", self._verdict, self._record)

    def mark_dead(self) -> None:
        """Mark it as dead."""
        self._ledger.mark_dead(self._id, "UpdateIDEEventResult: Forbidden.RAM", self._record)

    def mark_ignored(self) -> None:
        """Mark it as ignored."""
        self._ledger.mark_ignored(self._id, "notification")


STEPS: tuple[Callable[[Walk], None], ...] = (
    Walk.admit,
    Walk.save_plan,
    Walk.start_attempts,
    Walk.record_outcomes,
    Walk.acquire_report_lease,
    Walk.freeze_verdict,
    Walk.mark_reported,
)
"""The steps of an event that is reported."""

_STEPS_TO: Mapping[State, tuple[Callable[[Walk], None], ...]] = {
    State.RECEIVED: STEPS[:1],
    State.CHECKING: STEPS[:3],
    State.DECIDED: STEPS[:6],
    State.REPORTED: STEPS,
    State.DEAD: (*STEPS[:6], Walk.mark_dead),
    State.IGNORED: (Walk.admit, Walk.mark_ignored),
}


def _take_steps(ledger: Ledger, made: MadeEvent) -> None:
    walk = Walk(ledger, made)
    for step in _STEPS_TO[made.kind.state]:
        step(walk)


@cache
def _event_body() -> dict[str, Any]:
    return event_bodies.event_body(CODE)


@cache
def _snapshot(code: int) -> dict[str, Any]:
    file = FileSnapshot(
        501234401 + code, f"dws_trade_{code}", 10, sql(1000, code), 700123401 + code, "UPDATE"
    )
    return Snapshot(file=file).to_json()


@cache
def _stored_code(code: int) -> bytes:
    return zlib.compress(orjson.dumps(_snapshot(code)))


_PATTERN = MadeEvent(
    "00000000-aaaa-4bbb-8ccc-dddddddddddd",
    999_000_999,
    "19999999999999999",
    Subject(SubjectKind.FILE, "888000888", "file_of_the_form"),
    0,
    PASSED,
)
"""What a form has in place of the values of an event."""

_BETWEEN, _AFTER_RECORD = b"\x1f", b"\x1e"
_AT, _SECONDS, _DEADLINE, _WATCH, _DIGEST = (b"<%d>" % number for number in range(5))
_TIME = re.compile(rb"(?<!\d)1\d{12}(?!\d)")
_NOT_OF_AN_EVENT = ("history", "counts:", "reports:activity")


@dataclass(frozen=True, slots=True)
class _Form:
    """What the ledger holds of an event of one kind.

    Attributes:
        text: the fields of its record and their values, then of each entry the sorted set, the member and the
            score. The values of the event are those of `_PATTERN`.
        has_code: whether its code is stored.
    """

    text: bytes
    has_code: bool

    def filled_in(self, made: MadeEvent) -> tuple[list[bytes], list[bytes]]:
        """Return the record, and the entries, of an event."""
        text = self.text
        for pattern, value in zip(_values(_PATTERN), _values(made), strict=True):
            text = text.replace(pattern, value)
        record, entries = text.split(_AFTER_RECORD)
        return record.split(_BETWEEN), entries.split(_BETWEEN)


def _values(made: MadeEvent) -> list[bytes]:
    times = [_AT, _SECONDS, _DEADLINE, _WATCH, _DIGEST]
    if made is not _PATTERN:
        at = made.milliseconds
        numbers = (
            at,
            at / 1000,
            at + DEADLINE_MS,
            at + WATCH_MS,
            facets.subject_key(facets.join_names([made.file])),
        )
        times = [str(number).encode() for number in numbers]
    texts = made.message_id, str(made.project_id), made.operator, made.file.id or "", made.file.name or ""
    return [*times, *(text.encode() for text in texts)]


class Filling:
    """Writes events as the steps of the ledger do.

    Args:
        client: of an engine that holds little yet.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._forms = {kind: _read_form(client, kind) for kind in KINDS}

    def write(self, ledger: Ledger, events: Iterator[MadeEvent]) -> None:
        """Write events, oldest first."""
        expiring: set[str] = set()
        while batch := list(islice(events, _BATCH)):
            pipe = ledger.client.pipeline(transaction=False)
            sets: dict[str, dict[bytes, bytes]] = defaultdict(dict)
            now = int(clock.now() * 1000)
            for made in batch:
                form = self._forms[made.kind]
                record, entries = form.filled_in(made)
                left = made.milliseconds - now
                key = ledger.key(f"event:{made.message_id}")
                pipe.execute_command("HSET", key, *record)  # type: ignore[no-untyped-call]
                pipe.pexpire(key, left + int(EVENT_SECONDS * 1000))
                if form.has_code and (left_of_code := left + int(ledger.code_seconds * 1000)) > 0:
                    pipe.set(ledger.key(f"code:{made.message_id}"), _stored_code(made.code), px=left_of_code)
                for name, member, score in zip(*(entries[at::3] for at in range(3)), strict=True):
                    sets[name.decode()][member] = score
            for name, members in sets.items():
                pipe.zadd(ledger.key(name), cast("Any", members))
                if name.startswith(("index:", "project:")):
                    expiring.add(name)
            pipe.execute()
        pipe = ledger.client.pipeline(transaction=False)
        for name in expiring:
            pipe.pexpire(ledger.key(name), int(EVENT_SECONDS * 1000))
        pipe.execute()

    def find_differences(self, client: redis.Redis) -> list[str]:
        """Return in what the written event of each kind differs from the one that took the steps."""
        differences: list[str] = []
        picks = random.Random(2)  # noqa: S311 - made-up events
        for kind in KINDS:
            stepped, written = Ledger(client, "bench-steps"), Ledger(client, "bench-form")
            made = make_event(
                picks, int(clock.now() * 1000), kind, Subject(SubjectKind.FILE, "77", "dim_date")
            )
            _take_steps(stepped, made)
            self.write(written, iter([made]))
            wanted, found = _content(stepped), _content(written)
            names = sorted({*wanted, *found})
            differences += [f"{kind}: {name}" for name in names if wanted.get(name) != found.get(name)]
            _delete(stepped)
            _delete(written)
        return differences


def fill(ledger: Ledger, count: int) -> None:
    """Write `count` events into an empty ledger."""
    Filling(ledger.client).write(ledger, make_events(count, clock.now()))


def _read_form(client: redis.Redis, kind: Kind) -> _Form:
    ledger = Ledger(client, "bench-pattern")
    at = int(clock.now() * 1000) // _TICK_MS * _TICK_MS
    names = _PATTERN.message_id, _PATTERN.project_id, _PATTERN.operator, _PATTERN.file
    _take_steps(ledger, MadeEvent(*names, at, kind))
    record: list[bytes] = []
    entries: list[bytes] = []
    has_code = False
    for name, key in _keys(ledger):
        if name.startswith("event:"):
            record = [part for pair in _fields(ledger.client.hgetall(key)).items() for part in pair]
        elif name.startswith("code:"):
            has_code = True
        else:
            for member, score in _entries(ledger.client.zrange(key, 0, -1, withscores=True)):
                entries += [name.encode(), member, b"%d" % score]
    _delete(ledger)

    def replace(found: re.Match[bytes]) -> bytes:
        return {at + DEADLINE_MS: _DEADLINE, at + WATCH_MS: _WATCH}.get(int(found[0]), _AT)

    text = _AFTER_RECORD.join(_BETWEEN.join(parts) for parts in (record, entries))
    text = text.replace(str(at / 1000).encode(), _SECONDS)
    text = text.replace(facets.subject_key(facets.join_names([_PATTERN.file])).encode(), _DIGEST)
    return _Form(_TIME.sub(replace, text), has_code)


def _keys(ledger: Ledger) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the key of all that a ledger holds of its events."""
    prefix = ledger.key("")
    for key in [*ledger.client.scan_iter(f"{prefix}*")]:
        name = key.decode().removeprefix(prefix)
        if not name.startswith(_NOT_OF_AN_EVENT):
            yield name, key


def _content(ledger: Ledger) -> dict[str, object]:
    """Return the values of all keys, without times of the steps, and whether each expires."""
    client = ledger.client
    content: dict[str, object] = {}
    for name, key in _keys(ledger):
        kind = client.type(key)
        value: object = client.get(key) if kind == b"string" else None
        if kind == b"hash":
            value = {field: _TIME.sub(b"", text) for field, text in _fields(client.hgetall(key)).items()}
        elif kind == b"zset":
            value = client.zrange(key, 0, -1, withscores=True)
        days_left = round(client.pttl(key) / 86_400_000, 3)
        content[name] = (kind, value, days_left)
    return content


def _fields(reply: object) -> dict[bytes, bytes]:
    return cast("dict[bytes, bytes]", reply)


def _entries(reply: object) -> list[tuple[bytes, float]]:
    return cast("list[tuple[bytes, float]]", reply)


def _delete(ledger: Ledger) -> None:
    ledger.client.delete(*ledger.client.scan_iter(f"{ledger.key('')}*"))
