"""Checks that hang in a thread: their event gets an outcome, other events and workspaces are not affected."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from common.events import Event
from common.plan import Mode, PlannedCheck
from common.processes.thread_limits import suspended
from common.processes.time_limits import TimeLimitReached
from common.text.i18n import Language
from common.verdicts import Finding, OutcomeKind, Result, Severity
from tests.support.running_dwgate import wait_for
from workers.checks.api import Check, Context, Runs
from workers.pipeline import check_threads
from workers.pipeline.check_runner import CheckRunner
from workers.pipeline.check_threads import CheckThreads, DeadlineNear

FAR = 1e10


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_threads, "WORK_SECONDS", {Runs.INLINE: 0.2, Runs.IO: 0.2})


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """What the checks wait for."""
    event = threading.Event()
    yield event
    event.set()


def check_of(runs: Runs, *, needs_snapshot: bool = False, name: str = "hangs") -> Check:
    def run(_: Context) -> list[Finding]:
        return []

    return Check(name, frozenset(), runs, run, needs_snapshot=needs_snapshot)


INLINE = check_of(Runs.INLINE)


def test_while_a_check_hangs_it_is_refused_for_the_same_workspace_only(go: threading.Event) -> None:
    threads = CheckThreads()
    with pytest.raises(TimeLimitReached):
        threads.run(INLINE, 1, lambda: go.wait(60), FAR)
    assert threads.hanging == 1

    runs: list[int] = []
    with pytest.raises(TimeLimitReached):
        threads.run(INLINE, 1, lambda: runs.append(1), FAR)
    threads.run(INLINE, 2, lambda: runs.append(2), FAR)
    threads.run(check_of(Runs.INLINE, name="other"), 1, lambda: runs.append(3), FAR)
    assert runs == [2, 3]

    go.set()
    wait_for(lambda: threads.hanging == 0)
    threads.run(INLINE, 1, lambda: runs.append(4), FAR)
    assert runs == [2, 3, 4]


def test_a_check_that_hangs_is_tried_again_now_and_then(
    go: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_threads, "RETRY_SECONDS", 0.0)
    threads = CheckThreads()
    for _ in range(2):
        with pytest.raises(TimeLimitReached):
            threads.run(INLINE, 1, lambda: go.wait(60), FAR)
    assert threads.hanging == 2


def test_a_check_that_hangs_for_many_workspaces_is_refused_for_all(
    go: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_threads, "MAX_HANGING", 2)
    threads = CheckThreads()
    for workspace in range(4):
        with pytest.raises(TimeLimitReached):
            threads.run(INLINE, workspace, lambda: go.wait(60), FAR)
    assert threads.hanging == 3, "the fourth was not started"


def test_the_deadline_ends_a_wait_for_lookups(go: threading.Event) -> None:
    def looks_up() -> None:
        with suspended():
            go.wait(60)

    with pytest.raises(DeadlineNear):
        CheckThreads().run(INLINE, 1, looks_up, time.time())


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        (check_of(Runs.INLINE), OutcomeKind.UNREVIEWABLE),
        (check_of(Runs.IO, needs_snapshot=True), OutcomeKind.UNREVIEWABLE),
        (check_of(Runs.IO), OutcomeKind.TIMED_OUT),
    ],
)
def test_a_check_that_hangs_keeps_its_findings_and_counts_as_its_input_decides(
    check: Check, kind: OutcomeKind, go: threading.Event
) -> None:
    def run(_: Context) -> Iterator[Finding]:
        yield Finding("X-1", Severity.BLOCK, "found before")
        go.wait(60)

    hanging = Check(check.name, check.points, check.runs, run, needs_snapshot=check.needs_snapshot)
    event = Event("m-1", "commit-file", 7, "u", True, {}, time.time())
    runner = CheckRunner(event, None, Language.ENGLISH, lookups=None, clock=time.time, threads=CheckThreads())
    outcome = runner.run(hanging, PlannedCheck("hangs", Mode.ENFORCE, Result.WARN, Result.WARN))
    assert outcome.kind is kind
    assert [finding.rule for finding in outcome.findings] == ["X-1"]
    assert outcome.detail == "it takes longer than the time limit"
