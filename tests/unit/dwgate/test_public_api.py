"""The public API: what it lists exists, and its test helpers run checks and rules."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest

from dwgate.checks import Context, Finding, Runs, Severity, check
from dwgate.rules import Hit, Options, RuleContext, Text, rule
from dwgate.testing import OutcomeKind, run_check, run_rule
from workers.checks import registry


@pytest.mark.parametrize("name", ["dwgate.checks", "dwgate.rules", "dwgate.testing"])
def test_every_listed_name_exists_and_is_listed_once(name: str) -> None:
    module = import_module(name)
    assert all(hasattr(module, item) for item in module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the checks of a test afterwards."""
    registry.load_checks()
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


@pytest.mark.usefixtures("registered")
def test_run_check_returns_the_outcome() -> None:
    @check("loud", runs=Runs.INLINE)
    def loud(context: Context) -> Iterator[Finding]:
        if context.event.data.get("quiet") is None:
            yield Finding("LOUD", Severity.WARN, "It is loud.")

    outcome = run_check("loud", "commit-file")
    assert [finding.rule for finding in outcome.findings] == ["LOUD"]
    assert run_check("loud", "commit-file", {"quiet": 1}).kind is OutcomeKind.PASSED


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("result", "detail"),
    [
        (None, "it returned NoneType, expected findings"),
        (["text"], "it yielded str, expected Finding"),
        ([Finding("R", "warn", "m")], "it yielded a Finding whose severity is str, expected Severity"),  # type: ignore[arg-type]
        ([Finding("R", Severity.WARN, None)], "it yielded a Finding whose message is NoneType, expected str"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_result_of_a_check_is_an_error_outcome(result: object, detail: str) -> None:
    @check("wrong", runs=Runs.INLINE)
    def wrong(_: Context) -> Iterator[Finding]:
        return result  # type: ignore[return-value]

    outcome = run_check("wrong", "commit-file")
    assert (outcome.kind, outcome.detail) == (OutcomeKind.ERROR, detail)


@pytest.mark.usefixtures("registered")
def test_a_check_that_exits_is_unreviewable() -> None:
    @check("exits", runs=Runs.INLINE)
    def exits(_: Context) -> Iterator[Finding]:
        raise SystemExit(1)

    outcome = run_check("exits", "commit-file")
    assert outcome.kind is OutcomeKind.UNREVIEWABLE
    assert str(outcome.detail).startswith("raised SystemExit")


def test_run_rule_returns_the_hits() -> None:
    @rule("ACME-C01", "no-tables", Severity.WARN, fix=Text("Do not.", "不要。"))
    def no_tables(subject: RuleContext, _: Options) -> Iterator[Hit]:
        for statement in subject.script.statements:
            for block in statement.blocks:
                for source in block.sources:
                    yield Hit(source.at, Text("A table.", "表。"))

    assert len(run_rule(no_tables, "SELECT a FROM t JOIN u ON t.a = u.a;")) == 2
