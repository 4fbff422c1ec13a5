"""`dwgate policy test`: output, JSON and exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.config_files.errors import ConfigError
from common.verdicts import Finding
from console.commands.policy import cases as policy_test
from workers.checks import registry
from workers.checks.api import Check, Context, Runs

DWGATE = Path(sys.executable).with_name("dwgate")
GOOD = """
cases:
  - name: it is open
    event: {code: freeze-node, data: {nodeIds: [1]}}
    lookups: {nodes: {1: {}}}
    expect: {verdict: OK, findings: []}
"""
BAD = GOOD.replace("it is open", "it is closed").replace("verdict: OK", "verdict: FAIL")
CLOSED = """
version: 1
points: {freeze-node: {checks: {release-window: {options: {closed: [{days: [fri]}]}}}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(GOOD)
    return tmp_path


def test_all_as_expected(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert policy_test.run([folder], None, json=False) == 0
    assert capsys.readouterr().out == "1 case in 1 file: 1 passed, 0 failed\n"


def test_what_differs_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.yaml").write_text(BAD)
    assert policy_test.run([folder], None, json=False) == 1
    assert capsys.readouterr().out == (
        f"{folder}/bad.yaml:3: it is closed\n"
        "  verdict: expected FAIL, got OK\n"
        "  the tip was:\n"
        "    OK: passed.\n"
        "    Event case-1\n"
        "\n"
        "2 cases in 2 files: 1 passed, 1 failed\n"
    )


def test_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.yaml").write_text(BAD)
    assert policy_test.run([folder], None, json=True) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["failed"] == 1
    assert printed["cases"][0] == {
        "file": f"{folder}/bad.yaml",
        "line": 3,
        "name": "it is closed",
        "passed": False,
        "differences": ["verdict: expected FAIL, got OK"],
        "verdict": "OK",
        "findings": [],
        "tip": "OK: passed.\nEvent case-1",
    }


def test_custom_policy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "policy.yml"
    file.write_text(CLOSED)
    assert policy_test.run([folder / "good.yaml"], file, json=False) == 1
    assert "unexpected finding: release-window: freeze-node is closed until" in capsys.readouterr().out


WAIVERS = """
version: 1
waivers:
  - {id: W-1, rule: release-window, reason: hotfix, owner: a, approver: b,
     expires_at: 2026-11-25T00:00:00+08:00}
"""


def test_waivers_file(folder: Path) -> None:
    closed, waivers = folder / "policy.yml", folder / "waivers.yml"
    closed.write_text(CLOSED)
    waivers.write_text(WAIVERS)
    case = folder / "cases" / "waived.yaml"
    case.parent.mkdir()
    case.write_text(GOOD.replace("findings: []", "findings: [release-window]"))
    assert policy_test.run([case], closed, json=False) == 1
    assert policy_test.run([case], closed, waivers, json=False) == 0
    case.write_text(case.read_text().replace("    expect:", "    waivers: []\n    expect:"))
    assert policy_test.run([case], closed, waivers, json=True) == 1
    waivers.write_text("version: 1\nwaivers: 3\n")
    with pytest.raises(ConfigError, match=r"waivers\.yml:2:10: waivers: "):
        policy_test.run([case], closed, waivers, json=False)


def test_every_invalid_file_is_reported_before_any_case_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.yaml").write_text("cases: []")
    (folder / "z.yaml").write_text("")
    with pytest.raises(ConfigError) as caught:
        policy_test.run([folder], None, json=False)
    assert [line.rpartition("/")[2][:11] for line in str(caught.value).splitlines()] == [
        "a.yaml:1:8:",
        "z.yaml:1:1:",
    ]
    assert capsys.readouterr().out == ""


def test_a_missing_policy(folder: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        policy_test.run([folder], folder / "nowhere.yaml", json=False)


def test_an_invalid_file_exits_with_2(folder: Path) -> None:
    (folder / "wrong.yaml").write_text("cases: []")
    answer = subprocess.run(
        [DWGATE, "policy", "test", folder], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 2
    assert answer.stderr == f"dwgate: {folder}/wrong.yaml:1:8: cases: expected a list of at least 1\n"


def test_what_a_check_of_ones_own_raises_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(_: Context) -> Iterator[Finding]:
        int("seven")
        yield from ()

    checks = {"raising": Check("raising", frozenset({"freeze-node"}), Runs.INLINE, raising)}
    monkeypatch.setattr(registry, "load_checks", lambda: checks)
    (folder / "policy.yaml").write_text("version: 1\npoints: {freeze-node: {checks: {raising: {}}}}\n")
    (case := folder / "case.yaml").write_text(GOOD)
    assert policy_test.run([case], folder / "policy.yaml", json=False) == 1
    printed = capsys.readouterr().out
    assert "raised ValueError at test_policy_test.py:" in printed
    assert "invalid literal for int() with base 10: 'seven'" in printed
