"""The check runner: exceptions of checks, time limits, and the cache that an event's checks share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from common.plan import Mode, PlannedCheck
from common.processes.time_limits import TimeLimitReached
from common.snapshot import FileSnapshot, Snapshot, TableSnapshot
from common.text.i18n import Language
from common.verdicts import Finding, OutcomeKind, Result, Severity, Subject, SubjectKind
from tests.support.records import EVENT
from workers.checks.api import Check, Context, Runs, SkipCheck, Unreviewable
from workers.dataworks.errors import AccessDenied, RequestRejected, Transient, Unreachable
from workers.pipeline.check_runner import MEMORY_LIMIT, TIME_LIMIT, CheckRunner

PLANNED = PlannedCheck("c", Mode.ENFORCE, Result.FAIL, Result.FAIL)


def runner(**parts: Any) -> CheckRunner:
    return CheckRunner(
        EVENT, None, Language.ENGLISH, **{"lookups": None, "clock": lambda: EVENT.received_at, **parts}
    )


def check(ask: Any) -> Check:
    return Check("c", frozenset(), Runs.IO, ask)


def raising(error: BaseException) -> Check:
    def ask(_: Context) -> Any:
        raise error

    return check(ask)


@pytest.mark.parametrize(
    ("error", "kind", "detail"),
    [
        (SkipCheck("no table"), OutcomeKind.SKIPPED, "no table"),
        (Unreviewable("line 3"), OutcomeKind.UNREVIEWABLE, "line 3"),
        (TimeLimitReached(), OutcomeKind.TIMED_OUT, TIME_LIMIT.en),
        (MemoryError(), OutcomeKind.UNREVIEWABLE, MEMORY_LIMIT.en),
        (
            RequestRejected("GetNode", "NotFound", "x"),
            OutcomeKind.ERROR,
            "DataWorks call rejected: GetNode NotFound",
        ),
        (ValueError("secret"), OutcomeKind.ERROR, "raised ValueError at test_check_runner.py:"),
    ],
)
def test_exceptions_of_a_check_become_outcomes(error: BaseException, kind: OutcomeKind, detail: str) -> None:
    outcome = runner().run(raising(error), PLANNED)
    assert outcome.kind is kind
    assert str(outcome.detail).startswith(detail)
    assert "secret" not in str(outcome.detail)


@pytest.mark.parametrize(
    ("runs", "needs_snapshot", "kind"),
    [
        (Runs.IO, False, OutcomeKind.ERROR),
        (Runs.IO, True, OutcomeKind.UNREVIEWABLE),
        (Runs.CPU, False, OutcomeKind.UNREVIEWABLE),
        (Runs.INLINE, False, OutcomeKind.UNREVIEWABLE),
    ],
)
def test_who_is_at_fault_depends_on_what_a_check_computes(
    runs: Runs, needs_snapshot: bool, kind: OutcomeKind
) -> None:
    def ask(_: Context) -> Any:
        yield Finding("r", Severity.WARN, "Seen before.")
        raise KeyError("secret")

    asked = Check("c", frozenset(), runs, ask, needs_snapshot=needs_snapshot)
    outcome = runner(lookups=object()).run(asked, PLANNED)
    assert outcome.kind is kind
    assert str(outcome.detail).startswith("raised KeyError at test_check_runner.py:")
    assert [item.rule for item in outcome.findings] == (["r"] if kind is OutcomeKind.UNREVIEWABLE else [])


def test_findings_before_a_gap_are_kept_with_their_waivers_and_fingerprints() -> None:
    def ask(_: Context) -> Any:
        yield Finding("r", Severity.BLOCK, "Seen before.")
        raise Unreviewable("the rest")

    outcome = runner().run(check(ask), PLANNED)
    assert (outcome.kind, outcome.detail) == (OutcomeKind.UNREVIEWABLE, "the rest")
    assert outcome.findings[0].fingerprint


def test_findings_before_a_denied_lookup_are_kept() -> None:
    def ask(_: Context) -> Any:
        yield Finding("r", Severity.BLOCK, "Seen before.")
        raise AccessDenied("GetNode", "Forbidden", "x")

    outcome = runner().run(check(ask), PLANNED)
    assert (outcome.kind, outcome.detail) == (OutcomeKind.ERROR, "DataWorks call rejected: GetNode Forbidden")
    assert [item.rule for item in outcome.findings] == ["r"]
    assert outcome.findings[0].fingerprint


def test_options_that_a_check_rejects_are_an_error() -> None:
    planned = PlannedCheck("c", Mode.ENFORCE, Result.FAIL, Result.FAIL, {"unknown": 1})
    asked = Check("c", frozenset(), Runs.CPU, lambda _: [])
    assert runner().run(asked, planned).kind is OutcomeKind.ERROR


def test_a_finding_shows_neither_secrets_nor_unprintable_characters() -> None:
    snapshot = Snapshot(
        file=FileSnapshot(1, "f", 10, "SET a.password = 'C4naryPass';", parameters="pwd=C4naryCanaryCanary0"),
        table=TableSnapshot("t", None, "token = 'C4nary0Canary1Canary2'", None),
    )
    names = "shop.c4narypass", "C4naryCanaryCanary0", "C4nary0Canary1Canary2", "a\u202eb"

    def ask(_: Context) -> Any:
        for name in names:
            subject = Subject(SubjectKind.TABLE, name=name, aliases=(name,))
            yield Finding("x", Severity.WARN, name, help=name, subjects=(subject,), params=(("t", name),))

    mine = CheckRunner(EVENT, snapshot, Language.ENGLISH, lookups=None, clock=lambda: EVENT.received_at)
    outcome = mine.run(check(ask), PLANNED)
    assert [item.message for item in outcome.findings] == ["shop.***", "***", "***", "a\ufffdb"]
    shown = json.dumps(outcome.to_json(), ensure_ascii=False).lower()
    assert "c4nary" not in shown
    assert "\u202e" not in shown


def test_transient_faults_are_raised() -> None:
    with pytest.raises(Transient):
        runner().run(raising(Unreachable("GetNode", "Timeout", "x")), PLANNED)
    assert runner().run(raising(ConnectionError()), PLANNED).kind is OutcomeKind.ERROR
    with pytest.raises(ConnectionError):
        runner(transient=(Transient, ConnectionError)).run(raising(ConnectionError()), PLANNED)


def test_run_or_raise_raises_permanent_dataworks_errors() -> None:
    with pytest.raises(RequestRejected):
        runner().run_or_raise(raising(RequestRejected("GetNode", "NotFound", "x")), PLANNED)


def test_findings_of_incomplete_lookups_do_not_count() -> None:
    faults: list[Transient] = []

    def ask(_: Context) -> Any:
        faults.append(Unreachable("GetNode", "Timeout", "x"))
        yield Finding("r", Severity.INFO, "Not everything could be looked up.")

    assert runner().run(check(ask), PLANNED).kind is not OutcomeKind.ERROR
    with pytest.raises(Unreachable):
        runner(lookup_faults=faults).run(check(ask), PLANNED)


@dataclass
class CountingCache:
    values: dict[str, Any] = field(default_factory=dict)
    reads: int = 0

    def get(self, operation: str, _: Mapping[str, str | int]) -> Any:
        self.reads += 1
        return self.values.get(operation)

    def put(self, operation: str, _: Mapping[str, str | int], value: Any) -> None:
        self.values[operation] = value


@pytest.mark.parametrize("cache", [None, CountingCache()])
def test_checks_of_an_event_share_results(cache: CountingCache | None) -> None:
    seen = []

    def ask(context: Context) -> Any:
        assert context.result_cache
        seen.append(context.result_cache.get("parse", {"code": "x"}))
        context.result_cache.put("parse", {"code": "x"}, len(seen))
        return ()

    event = runner(cache=cache)
    for _ in range(3):
        event.run(check(ask), PLANNED)
    assert seen == [None, 1, 2]
    if cache:
        assert (cache.reads, cache.values) == (1, {"parse": 3})
