"""The fleet's clock: the server's time, whatever the machine's clock does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from common import clock


class Server:
    """A server whose clock is ahead of this machine's."""

    def __init__(self, ahead: float, *, delay: float = 0.0) -> None:
        self.ahead = ahead
        self.delay = delay

    def time(self) -> tuple[int, int]:
        time.sleep(self.delay)
        seconds, fraction = divmod(time.time() + self.ahead, 1)
        return int(seconds), int(fraction * 1e6)


class Machine:
    """The clocks of a machine, in place of the module `time`: they stand still unless a test moves them."""

    def __init__(self) -> None:
        self.wall = 10_000.0
        self.running = 500.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.running


class ExactServer:
    """A server whose answer is known to the microsecond, and takes `delay` seconds of the machine's time."""

    def __init__(self, machine: Machine, seconds: int, micros: int = 0, *, delay: float = 0.0) -> None:
        self.machine = machine
        self.answer = seconds, micros
        self.delay = delay

    def time(self) -> tuple[int, int]:
        self.machine.running += self.delay
        return self.answer


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(clock, "time", made)
    return made


@pytest.fixture(autouse=True)
def _unmeasured() -> Iterator[None]:
    clock.reset()
    yield
    clock.reset()


def test_before_a_measurement_it_is_the_machines_clock() -> None:
    assert clock.now() == pytest.approx(time.time(), abs=0.5)
    assert clock.skew() == 0.0


@pytest.mark.parametrize("ahead", [-3600.0, -25.0, 0.0, 0.25, 600.0])
def test_after_a_measurement_it_is_the_servers_clock(ahead: float) -> None:
    clock.measure(Server(ahead))
    assert clock.now() == pytest.approx(time.time() + ahead, abs=0.5)
    assert clock.skew() == pytest.approx(-ahead, abs=0.5)


def test_a_jump_of_the_machines_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock.measure(Server(0.0))
    before, real = clock.now(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    assert clock.now() == pytest.approx(before, abs=0.5)
    assert clock.skew() == pytest.approx(3600, abs=0.5)


def test_a_slow_measurement_is_dropped_unless_it_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "MAX_ROUND_TRIP_SECONDS", 0.01)
    clock.measure(Server(100.0, delay=0.02))
    assert clock.skew() == pytest.approx(-100, abs=0.5)
    clock.measure(Server(200.0, delay=0.02))
    assert clock.skew() == pytest.approx(-100, abs=0.5)


def test_forked_processes_follow_later_measurements() -> None:
    reader, writer = os.pipe()
    go_reader, go_writer = os.pipe()
    if (child := os.fork()) == 0:
        os.read(go_reader, 1)
        os.write(writer, f"{clock.skew():.1f}".encode())
        os._exit(0)
    clock.measure(Server(60.0))
    os.write(go_writer, b"x")
    assert float(os.read(reader, 100)) == pytest.approx(-60, abs=0.5)
    os.waitpid(child, 0)
    for descriptor in (reader, writer, go_reader, go_writer):
        os.close(descriptor)


def test_a_jump_of_the_servers_clock_is_followed_and_reported() -> None:
    with capture_logs() as logs:
        clock.measure(Server(0.0))
        clock.measure(Server(1.0))
        clock.measure(Server(-600.0))
    assert [entry["event"] for entry in logs] == ["server_clock_jumped"]
    assert clock.skew() == pytest.approx(600, abs=0.5)


def test_a_wrong_clock_is_reported_once_and_its_end_too() -> None:
    report = clock.SkewReport()
    with capture_logs() as logs:
        for ahead in (0.0, 60.0, 60.0, 1.0, 1.0):
            clock.measure(Server(ahead))
            report.update()
    events = [entry["event"] for entry in logs if entry["event"] != "server_clock_jumped"]
    assert events == ["clock_off", "clock_right"]


def test_the_servers_time_is_that_of_the_middle_of_the_round_trip(machine: Machine) -> None:
    clock.measure(ExactServer(machine, 20_000, 999_999, delay=0.5))
    assert clock.now() == pytest.approx(20_000.999_999 + 0.25, rel=0, abs=1e-8)


def test_a_round_trip_of_the_maximum_counts_and_a_longer_one_does_not(machine: Machine) -> None:
    clock.measure(ExactServer(machine, 10_000))
    clock.measure(ExactServer(machine, 10_003, delay=clock.MAX_ROUND_TRIP_SECONDS))
    assert clock.now() == 10_003 + clock.MAX_ROUND_TRIP_SECONDS / 2
    before = clock.now()
    clock.measure(ExactServer(machine, 10_009, delay=clock.MAX_ROUND_TRIP_SECONDS + 0.25))
    assert clock.now() == before + clock.MAX_ROUND_TRIP_SECONDS + 0.25


def test_a_jump_is_reported_with_its_size_if_it_exceeds_the_maximum(machine: Machine) -> None:
    with capture_logs() as logs:
        for seconds, micros in ((10_000, 0), (10_005, 0), (10_000, 0), (10_005, 260_000), (9_999, 0)):
            clock.measure(ExactServer(machine, seconds, micros))
    assert logs == [
        {"event": "server_clock_jumped", "seconds": 5.3, "log_level": "error"},
        {"event": "server_clock_jumped", "seconds": -6.3, "log_level": "error"},
    ]


def test_a_wrong_clock_is_reported_with_its_difference_when_it_becomes_wrong_and_right(
    machine: Machine,
) -> None:
    clock.measure(ExactServer(machine, 10_000))
    report = clock.SkewReport()
    with capture_logs() as logs:
        for skew in (5.0, -7.26, -9.4, 1.26, 5.0):
            machine.wall = 10_000 + skew
            assert report.update() == pytest.approx(skew, rel=0, abs=1e-8)
    assert logs == [
        {"event": "clock_off", "seconds": -7.3, "allowed": 5.0, "log_level": "error"},
        {"event": "clock_right", "seconds": 1.3, "log_level": "info"},
    ]
