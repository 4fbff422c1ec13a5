"""Linters that read several files in one process: they find the same as one by one, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from review.dialects import Dialect
from review.languages import ExternalDiagnostic, run_external_linter, run_linter_ahead
from review.languages.external import external_tool, ruff

PYTHON = [
    "import os\nprint(undefined)\n",
    "",
    "x = f''\n# noqa\ndef f(a=[]):\n    return a\n",
    "print('缺', 'é')\nimport sys\n",
    "def broken(:\n",
    "print 'two'\n",
]
SHELL = [
    "echo $x\n",
    "",
    "# shellcheck disable=SC2086\necho $[yyyymmdd] $y\ncd /tmp\n",
    "if true; then\n",
    "for i in $(ls); do echo '缺' $i; done\n",
]


def linted(codes: list[str], dialect: Dialect) -> list[list[ExternalDiagnostic]]:
    return [[*run_external_linter(code, dialect, 10)] for code in codes]


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The arguments of the linters that are run."""
    run, seen = external_tool._execute, []

    def execute(name: str, arguments: tuple[str, ...], *rest: Any) -> Any:
        seen.append(arguments)
        return run(name, arguments, *rest)

    monkeypatch.setattr(external_tool, "_execute", execute)
    monkeypatch.setattr(external_tool, "_results_ahead", {})
    return seen


@pytest.mark.parametrize(("codes", "dialect"), [(PYTHON, Dialect.PYTHON), (SHELL, Dialect.SHELL)])
def test_one_process_finds_what_many_do(
    processes: list[tuple[str, ...]], codes: list[str], dialect: Dialect
) -> None:
    alone = linted(codes, dialect)
    assert sum(map(len, alone)) > 4
    processes.clear()
    run_linter_ahead(codes, dialect, 10)
    assert len(processes) == 1
    assert linted(codes, dialect) == alone
    assert len(processes) == 1
    run_linter_ahead([], dialect, 10)
    linted(codes[:1], dialect)
    assert len(processes) == 2, "results are kept until the next call"


def test_one_file_and_other_languages_are_not_run_ahead(processes: list[tuple[str, ...]]) -> None:
    run_linter_ahead(PYTHON[:1], Dialect.PYTHON, 10)
    run_linter_ahead(["DROP TABLE t", "DROP TABLE u"], Dialect.HOLOGRES, 10)
    assert processes == []


def test_each_file_is_checked_alone_if_the_common_run_fails(
    processes: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = linted(PYTHON[:3], Dialect.PYTHON)
    assert ruff.RUFF.batch is not None
    broken = replace(ruff.RUFF, batch=replace(ruff.RUFF.batch, arguments=("no-such-command",)))
    monkeypatch.setattr(ruff, "RUFF", broken)
    run_linter_ahead(PYTHON[:3], Dialect.PYTHON, 10)
    processes.clear()
    assert linted(PYTHON[:3], Dialect.PYTHON) == alone
    assert len(processes) == 3
