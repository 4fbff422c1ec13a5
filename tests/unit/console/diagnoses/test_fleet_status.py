import io
from dataclasses import replace

from rich.console import Console

from common.ledger import State
from common.ledger.memory import MemoryUse
from console.commands import status as status_command
from console.diagnoses.fleet_status import FleetStatus, NewestEvent, QueueLength, count_processes
from deploy.local.stack import WORKER_PROCESSES
from workers.dataworks.operations import QuotaKind
from workers.dataworks.rate_limiter import QuotaUse

COMPLETE = FleetStatus(
    extension_code="shop-gate",
    processes=count_processes(f"{name}-1a2b3c@host" for name in WORKER_PROCESSES),
    queues=(QueueLength("intake", 0, 1), QueueLength("checks.cpu", 12, 2)),
    events={State.REPORTED: 12, State.DEAD: 0},
    pending_verdicts=0,
    unplanned_seconds=0.2,
    quota={QuotaKind.READ: QuotaUse(12, 50, 3), QuotaKind.WRITE: QuotaUse(1, 20, 0)},
    memory=MemoryUse(120_000_000, 400_000_000),
    days_that_fit=12.5,
    newest=NewestEvent("539fd8f4-4ea1-4625-aa8b-6c9066740001", "commit-file", 1_780_000_000.0),
)


def test_a_complete_fleet_has_no_problem() -> None:
    assert list(COMPLETE.problems()) == []
    assert COMPLETE.to_json()["problems"] == []


def test_each_thing_that_needs_a_person_is_one_problem() -> None:
    broken = replace(
        COMPLETE,
        processes=count_processes(
            ["io-1@a", "io-2@b", "checks-1@a", "slow-1@a", "watchdog-1@a", "recovery-1@a"]
        ),
        queues=(QueueLength("intake", None),),
        events={State.DEAD: 2},
        unplanned_seconds=75.0,
        memory=MemoryUse(350_000_000, 400_000_000),
    )
    assert list(broken.problems()) == [
        "no process reporter: start dwgate worker --role reporter",
        "2 dead events: see dwgate events list --state dead",
        "an event has waited for intake for 75 s",
        "queue intake does not exist",
        "Redis is 88% full: old data is removed; raise maxmemory",
    ]


def test_processes_are_counted_by_group() -> None:
    assert count_processes(["io-1@a", "io-2@b", "unknown-1@c"])["io"] == 2
    assert count_processes([])["watchdog"] == 0


def test_the_page_fits_80_columns() -> None:
    out = Console(file=io.StringIO(), width=80, color_system=None)
    with out.capture() as captured:
        out.print(status_command.render(COMPLETE, 1_780_000_060.0))
    shown = captured.get()
    assert max(map(len, shown.splitlines())) <= 80
    for part in ("12 reported", "12/50 reads, 1/20 writes", "3 calls wait", "(30%): 12.5 days", "(60 s ago)"):
        assert part in shown
