"""The parser is asked whether it can run our dialect, and says in one line what is wrong."""

from __future__ import annotations

import importlib.metadata

import pytest

from console import errors
from console.commands import doctor
from console.diagnoses.doctor_findings import Health
from review.parsing import parse, self_test


def test_the_parser_that_is_locked_serves() -> None:
    self_test.require_pure_python()
    self_test.run_self_test()
    assert doctor._parser().health is Health.GOOD


def test_the_compiled_extra_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "30.30.0")
    with pytest.raises(self_test.ParserUnusable) as refused:
        self_test.run_self_test()
    assert errors.report_error(refused.value) == 2
    told = capsys.readouterr().err
    assert told.startswith("dwgate: sqlglotc 30.30.0 is installed: ")
    assert "pip uninstall sqlglotc" in told
    assert doctor._parser().health is Health.WRONG


def test_a_parser_that_cannot_run_our_dialect_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise TypeError("interpreted classes cannot inherit from compiled")

    monkeypatch.setattr(parse, "parse_statement", refuse)
    with pytest.raises(self_test.ParserUnusable, match="install the version in the lock file"):
        self_test.run_self_test()
