"""The start page: what needs somebody first, then the state of the fleet. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.ledger import State
from common.ledger.memory import SHED_ABOVE
from console.diagnoses.fleet_status import FleetStatus
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.views.times import DAY
from workers.process.roles import GROUPS

INTERVALS = 96
"""Intervals of the charts of a day: quarters of an hour."""

CHART_WIDTH, CHART_HEIGHT = 220.0, 40.0

_MIB = 1 << 20
_MAX_CAUSE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person.

    Attributes:
        kind: ending of the class of its colour.
        icon: name of its shape.
        title: what it is.
        why: what it means or how to fix it.
        action: words of its button; empty for none.
        path: address of its button.
    """

    kind: str
    icon: str
    title: str
    why: str
    action: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """What the needs are derived from.

    Attributes:
        status: the state of the fleet.
        is_broker_up: whether the broker was reached.
        dead_cause: why the newest dead event is dead.
        overdue: number of decided events whose deadline has passed.
        file_problems: the first problem of each invalid configuration file.
        expiring_waivers: number of waivers that expire soon.
    """

    status: FleetStatus
    is_broker_up: bool
    dead_cause: str
    overdue: int
    file_problems: Mapping[str, str]
    expiring_waivers: int


@dataclass(frozen=True, slots=True)
class Chart:
    """How many events of a kind arrived during a day, as a line.

    Attributes:
        kind: key of its name.
        last_hour: the number of the last hour.
        most: the largest number of an interval.
        points: the line in a drawing of CHART_WIDTH by CHART_HEIGHT, from 0 to `most`.
    """

    kind: str
    last_hour: int
    most: int
    points: str


def chart_edges(now: float) -> list[float]:
    """Return where the intervals of the charts begin, and the last one ends, in seconds since the epoch."""
    step = DAY / INTERVALS
    return [now - DAY + number * step for number in range(INTERVALS)] + [now + 1]


def build_charts(arrivals: Mapping[str, Sequence[int]]) -> list[Chart]:
    """Return a chart for the arrivals of each kind, by interval."""
    return [
        Chart(kind, sum(numbers[-INTERVALS // 24 :]), max(numbers), _line(numbers))
        for kind, numbers in arrivals.items()
    ]


def _line(numbers: Sequence[int]) -> str:
    step, most = CHART_WIDTH / (len(numbers) - 1), max(*numbers, 1)
    return " ".join(
        f"{at * step:.1f},{CHART_HEIGHT - number / most * CHART_HEIGHT:.1f}"
        for at, number in enumerate(numbers)
    )


def find_needs(facts: FleetFacts, words: Words) -> list[Need]:
    """Return what needs a person, the most urgent first."""
    return [*_urgent(facts, words), *_soon(facts, words)]


def _urgent(facts: FleetFacts, words: Words) -> Iterator[Need]:
    status = facts.status
    if dead := status.events.get(State.DEAD, 0):
        why = words.fill("dead_why", cause=shorten(facts.dead_cause, _MAX_CAUSE_LENGTH))
        title = words.count("dead", dead)
        yield Need("block", "dead", title, why, words["see_dead"], "/events?state=dead")
    if not facts.is_broker_up:
        yield Need("block", "block", words["broker_down"], words["broker_down_why"])
    if missing := [group for group in GROUPS if not status.processes.get(group.name)]:
        roles = list(dict.fromkeys(role.value for group in missing for role in sorted(group.queues)))
        title = words.fill("roles_missing", roles=", ".join(roles))
        yield Need("block", "block", title, words.fill("roles_missing_why", role=roles[0]))
    if facts.overdue:
        title = words.count("overdue", facts.overdue)
        yield Need("warn", "clock", title, words["overdue_why"], words["see_open"], "/events?state=open")


def _soon(facts: FleetFacts, words: Words) -> Iterator[Need]:
    memory = facts.status.memory
    for name, path in (("policy", "/policy"), ("waivers", "/waivers")):
        if problem := facts.file_problems.get(name):
            why = words.fill("file_refused_why", problem=problem)
            yield Need("warn", "warn", words[f"{name}_refused"], why, words[f"see_{name}"], path)
    if memory and memory.share >= SHED_ABOVE:
        title = words.fill("memory_high", n=round(memory.share * 100))
        yield Need("warn", "warn", title, words.fill("memory_high_why", limit=round(SHED_ABOVE * 100)))
    if facts.expiring_waivers:
        title = words.count("waivers_expiring", facts.expiring_waivers)
        why = words["waivers_expiring_why"]
        yield Need("note", "clock", title, why, words["see_waivers"], "/waivers")


def memory_text(status: FleetStatus, words: Words) -> str:
    """Return the use of Redis' memory."""
    memory = status.memory
    if memory is None:
        return words["unknown"]
    used = words.number(memory.used // _MIB)
    if not memory.maximum:
        return words.fill("memory_unlimited", used=used)
    text = words.fill("memory", used=used, maximum=words.number(memory.maximum // _MIB))
    days = status.days_that_fit
    return text if days is None else f"{text} · {words.fill('days_fit', n=f'{days:.1f}')}"


def role_rows(status: FleetStatus) -> Sequence[tuple[str, int]]:
    """Return the process groups by the roles that they run, each with its number of processes."""
    return [
        (f"{group.name} ({', '.join(sorted(group.queues))})", status.processes.get(group.name, 0))
        for group in GROUPS
    ]
