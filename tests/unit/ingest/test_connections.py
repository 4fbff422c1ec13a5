from __future__ import annotations

import pytest

from ingest.connections import EVICTABLE, SECONDS, ConnectionTable, Phase


def test_time_runs_from_entering_a_phase() -> None:
    table: ConnectionTable[str] = ConnectionTable()
    table.enter("a", Phase.HEAD, 0.0)
    table.enter("a", Phase.HEAD, 9.0)  # still in it
    assert table.expired(SECONDS[Phase.HEAD] - 0.1) == []
    assert table.expired(SECONDS[Phase.HEAD]) == [("a", Phase.HEAD)]
    table.enter("a", Phase.BODY, 9.0)
    assert table.expired(SECONDS[Phase.HEAD]) == []


def test_a_restart_starts_the_time_again() -> None:
    table: ConnectionTable[str] = ConnectionTable()
    table.enter("a", Phase.ANSWER, 0.0)
    table.enter("b", Phase.ANSWER, 1.0)
    table.enter("a", Phase.ANSWER, 5.0, restart=True)
    assert table.expired(1.0 + SECONDS[Phase.ANSWER]) == [("b", Phase.ANSWER)]


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_ends(phase: Phase) -> None:
    table: ConnectionTable[str] = ConnectionTable()
    table.enter("a", phase, 0.0)
    assert table.expired(SECONDS[phase]) == [("a", phase)]


def test_the_oldest_of_the_first_evictable_phase_is_closed_first() -> None:
    table: ConnectionTable[str] = ConnectionTable()
    for number, phase in enumerate(reversed(Phase)):
        table.enter(f"old {phase}", phase, float(number))
        table.enter(f"new {phase}", phase, float(number))
    for phase in EVICTABLE:
        for age in ("old", "new"):
            assert table.find_evictable() == f"{age} {phase}"
            table.remove(f"{age} {phase}")
    assert table.find_evictable() is None


def test_a_table_is_full_at_its_maximum() -> None:
    table: ConnectionTable[int] = ConnectionTable(2)
    table.enter(1, Phase.HEAD, 0.0)
    assert not table.is_full
    table.enter(2, Phase.IDLE, 0.0)
    table.enter(2, Phase.BODY, 0.0)
    assert (len(table), table.is_full) == (2, True)
    table.remove(2)
    table.remove(2)
    assert (len(table), table.is_full) == (1, False)
