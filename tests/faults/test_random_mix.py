"""Random mixes of faults keep every promise: a few seeds. `python -m tests.faults.random_mix` runs more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.ledger import State
from common.verdicts import Result
from tests.conftest import Broker, built_in_policy
from tests.faults.random_mix.plan import (
    DEADLINE_SECONDS,
    FAULT_SECONDS,
    MAX_FAULT_SECONDS,
    Engine,
    Kind,
    draw_mix,
)
from tests.faults.random_mix.promises import Observation, broken_promises
from tests.faults.random_mix.runner import Runner, running
from tests.support.engines import RabbitMQ, Valkey
from tests.support.running_dwgate import SAMPLES
from tests.support.source_queue import SourceQueue

SHORT = (2,)
LONG = range(3, 24)
NAMES = sorted(SAMPLES)
GOOD = Observation(
    message_id="m-1",
    sample="commit-file-bad",
    expected=Result.FAIL,
    accepted_at=1000.0,
    deadline_at=1090.0,
    results=(Result.FAIL,),
    posted_at=1001.0,
    state=State.REPORTED,
    not_run=(),
)


def broken(**changes: Any) -> list[str]:
    return [item.promise for item in broken_promises([replace(GOOD, **changes)])]


def test_an_answered_event_breaks_no_promise() -> None:
    assert broken() == []


@pytest.mark.parametrize(
    ("changes", "promises"),
    [
        ({"accepted_at": None}, ["P1"]),
        ({"results": (), "posted_at": None, "state": State.CHECKING}, ["P1"]),
        ({"results": (), "posted_at": None, "state": State.DEAD}, ["P1"]),
        ({"results": (Result.FAIL, Result.FAIL)}, ["P2"]),
        ({"results": (Result.FAIL, Result.OK)}, ["P2"]),
        ({"state": State.CHECKING}, ["P2"]),
        ({"state": None}, ["P2"]),
        ({"posted_at": 1090.5}, ["P3"]),
        ({"results": (Result.WARN,)}, ["P4"]),
    ],
)
def test_a_broken_promise_is_found(changes: dict[str, Any], promises: list[str]) -> None:
    assert broken(**changes) == promises


def test_a_check_that_was_not_run_excuses_another_result() -> None:
    assert broken(results=(Result.WARN,), not_run=("code-review",)) == []


def test_a_seed_gives_the_same_mix_again() -> None:
    assert draw_mix(7, Engine.RABBITMQ, NAMES) == draw_mix(7, Engine.RABBITMQ, NAMES)
    assert draw_mix(7, Engine.RABBITMQ, NAMES) != draw_mix(8, Engine.RABBITMQ, NAMES)


@pytest.mark.parametrize("engine", list(Engine))
def test_the_faults_end_long_before_the_deadline(engine: Engine) -> None:
    drawn = set()
    for seed in range(300):
        for fault in draw_mix(seed, engine, NAMES).faults:
            drawn.add(fault.kind)
            assert fault.at + fault.seconds <= FAULT_SECONDS + MAX_FAULT_SECONDS < DEADLINE_SECONDS / 2
    of_the_broker = {Kind.PAUSE_BROKER, Kind.KILL_BROKER, Kind.BROKER_ALARM}
    assert drawn == (set(Kind) if engine is Engine.RABBITMQ else set(Kind) - of_the_broker)


@pytest.fixture(scope="module", params=list(Engine))
def fleet(
    request: pytest.FixtureRequest, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Runner]]:
    rabbitmq = request.getfixturevalue("rabbitmq") if request.param is Engine.RABBITMQ else None
    valkey.restore()
    valkey.clean()
    with running(valkey, rabbitmq, tmp_path_factory.mktemp("mix"), built_in_policy()) as runner:
        yield request.param, runner


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SHORT)
def test_a_mix_keeps_every_promise(fleet: tuple[Engine, Runner], seed: int) -> None:
    keeps_every_promise(fleet, seed)


@pytest.mark.faults
@pytest.mark.parametrize("seed", LONG)
def test_more_mixes_keep_every_promise(fleet: tuple[Engine, Runner], seed: int) -> None:
    keeps_every_promise(fleet, seed)


@pytest.fixture(scope="module")
def fleet_with_queue(
    rabbitmq: Broker, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Runner]]:
    assert isinstance(rabbitmq, RabbitMQ)
    for engine in (rabbitmq, valkey):
        engine.restore()
    valkey.clean()
    source = SourceQueue(rabbitmq.fresh_url())
    source.declare()
    folder = tmp_path_factory.mktemp("mix-queue")
    with running(valkey, rabbitmq, folder, built_in_policy(), source=source) as runner:
        yield Engine.RABBITMQ, runner


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(1, 8))
def test_mixes_keep_every_promise_for_events_from_a_queue(
    fleet_with_queue: tuple[Engine, Runner], seed: int
) -> None:
    keeps_every_promise(fleet_with_queue, seed)


def keeps_every_promise(fleet: tuple[Engine, Runner], seed: int) -> None:
    engine, runner = fleet
    mix = draw_mix(seed, engine, NAMES)
    result = runner.run(mix)
    assert not result.broken, "\n".join(map(str, (*mix.faults, *result.broken)))
    assert runner.leaked() == []
