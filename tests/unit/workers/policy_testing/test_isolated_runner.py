"""Checks of commands run in processes of their own: limits, crashes and lookups."""

from __future__ import annotations

import collections
import itertools
import os
import signal
from collections.abc import Iterable
from typing import Any

import pytest

from common.plan import Mode, PlannedCheck
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, OutcomeKind, Result, Severity
from tests.support.records import EVENT
from workers.checks.api import Check, Context, LookupContext, Runs, SkipCheck, Unreviewable
from workers.dataworks.errors import RequestRejected
from workers.policy_testing.isolated_runner import IsolatedRunner

PLANNED = PlannedCheck("c", Mode.ENFORCE, Result.WARN, Result.WARN)


class Lookups:
    """Lookups that count their calls in the process of the test."""

    calls = 0

    def node_code(self, node_id: int) -> str:
        self.calls += 1
        if node_id < 0:
            raise RequestRejected("GetNodeCode", "NotFound", "x")
        return f"code of {node_id}"


def run(work: Any, lookups: Any = None, runs: Runs = Runs.CPU) -> Outcome:
    check = Check("c", frozenset(), runs, work, uses_lookups=lookups is not None)
    runner = IsolatedRunner(EVENT, None, Language.ENGLISH, lookups=lookups, clock=lambda: EVENT.received_at)
    return runner.run(check, PLANNED, seconds=0.3)


def test_findings_come_back() -> None:
    def finds(_: Context) -> Iterable[Finding]:
        yield Finding("r", Severity.WARN, "Seen.", params=(("pid", os.getpid()),))

    outcome = run(finds)
    assert outcome.kind is OutcomeKind.FINDINGS
    assert dict(outcome.findings[0].params)["pid"] != os.getpid()


def test_lookups_are_made_here() -> None:
    def asks(context: LookupContext) -> Iterable[Finding]:
        yield Finding("r", Severity.WARN, context.lookups.node_code(7))

    def is_rejected(context: LookupContext) -> Iterable[Finding]:
        yield Finding("r", Severity.WARN, "Seen before.")
        context.lookups.node_code(-1)

    lookups = Lookups()
    assert run(asks, lookups).findings[0].message == "code of 7"
    rejected = run(is_rejected, lookups)
    assert (rejected.kind, len(rejected.findings), lookups.calls) == (OutcomeKind.ERROR, 1, 2)
    assert rejected.detail == "DataWorks call rejected: GetNodeCode NotFound"


def stalls(_: Context) -> Iterable[Finding]:
    collections.deque(itertools.repeat(0), maxlen=0)
    return ()


def crashes(_: Context) -> Iterable[Finding]:
    os.kill(os.getpid(), signal.SIGKILL)
    return ()


def skips(_: Context) -> Iterable[Finding]:
    raise SkipCheck("not here")


def cannot(_: Context) -> Iterable[Finding]:
    raise Unreviewable("line 3")


@pytest.mark.parametrize(
    ("work", "kind", "detail"),
    [
        (stalls, OutcomeKind.UNREVIEWABLE, "it takes longer than the time limit"),
        (crashes, OutcomeKind.UNREVIEWABLE, "its process ended with signal SIGKILL"),
        (skips, OutcomeKind.SKIPPED, "not here"),
        (cannot, OutcomeKind.UNREVIEWABLE, "line 3"),
    ],
)
def test_how_a_check_ends(work: Any, kind: OutcomeKind, detail: str) -> None:
    outcome = run(work)
    assert (outcome.kind, outcome.detail) == (kind, detail)


def test_other_checks_run_in_this_process() -> None:
    def finds(_: Context) -> Iterable[Finding]:
        yield Finding("r", Severity.WARN, "Seen.", params=(("pid", os.getpid()),))

    assert dict(run(finds, runs=Runs.INLINE).findings[0].params)["pid"] == os.getpid()
