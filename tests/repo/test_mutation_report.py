"""The mutation report: it fails below the floor, on entries that are no longer true, and without results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import mutation_report

KILLED, SURVIVED, ENDLESS, UNTESTED = 1, 0, 36, None


def report(folder: Path, exit_codes: dict[str, int | None], *equivalent: str) -> int:
    """Write the results of one module and the list of equivalent mutants; return the exit code."""
    results = folder / mutation_report.RESULTS / "common"
    results.mkdir(parents=True, exist_ok=True)
    (results / "clock.py.meta").write_text(json.dumps({"exit_code_by_key": exit_codes}))
    write_list(folder, *equivalent)
    return mutation_report.main()


def write_list(folder: Path, *equivalent: str) -> None:
    listed = folder / mutation_report.EQUIVALENT
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text("".join(f'"{name}" = "the reason"\n' for name in equivalent))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_module_at_the_floor_is_good_and_one_below_it_is_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: dict[str, int | None] = {f"m{number}": KILLED for number in range(19)}
    assert report(folder, codes | {"m19": SURVIVED}) == 0
    assert report(folder, codes | {"m0": ENDLESS, "m19": SURVIVED}) == 0
    capsys.readouterr()
    assert report(folder, codes | {"m18": UNTESTED, "m19": SURVIVED}) == 1
    first, *others = capsys.readouterr().out.splitlines()
    assert first.split() == ["common/clock.py", "20", "mutants", "90.0", "%"]
    assert others == ["    survived: m18", "    survived: m19"]


def test_equivalent_mutants_do_not_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(folder, {"m0": KILLED, "m1": SURVIVED}, "m1") == 0
    assert capsys.readouterr().out.split() == ["common/clock.py", "1", "mutants", "100.0", "%"]


@pytest.mark.parametrize("entry", ["m0", "m9"])
def test_an_entry_for_a_killed_or_unknown_mutant_fails(
    folder: Path, capsys: pytest.CaptureFixture[str], entry: str
) -> None:
    assert report(folder, {"m0": KILLED, "m1": KILLED}, entry) == 1
    assert f"not alive, remove from {mutation_report.EQUIVALENT}: {entry}" in capsys.readouterr().out


def test_no_results_are_not_good(folder: Path) -> None:
    write_list(folder)
    assert mutation_report.main() == 1
