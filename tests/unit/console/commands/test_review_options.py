"""Options of `dwgate review` that choose what is shown, and the files that set them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.commands import review
from console.exit_codes import UsageError
from console.reviews.settings import ReviewRequest
from review.rule_selection import RuleSelection, unknown_prefix

SORT = "SELECT id FROM t WHERE ds = '${bizdate}' ORDER BY id;\n"
DELETE = "DELETE FROM t;\n"
SAME = "SELECT DISTINCT id, count(*) AS rows_ FROM t WHERE ds = '${bizdate}' GROUP BY id;\n"
UNREADABLE = "SELEC id FROM t;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a node that has an `info`, a `warn` and a `block`."""
    (tmp_path / "node.sql").write_text(SORT + DELETE + SAME)
    return tmp_path


def run(*paths: object, **options: Any) -> int:
    return review.run([str(path) for path in paths], ReviewRequest(**options))


def rejected(*paths: object, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        run(*paths, **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


def shown_rules(capsys: pytest.CaptureFixture[str], *paths: object, **options: Any) -> list[str]:
    run(*paths, format="json", **options)
    printed = json.loads(capsys.readouterr().out)
    return sorted({item["rule"] for file in printed["files"] for item in file["findings"]})


@pytest.mark.parametrize(
    ("severity", "rules", "hidden", "code"),
    [
        ("info", ["MC-C14", "MC-P06", "MC-P08"], 0, 1),
        ("warn", ["MC-C14", "MC-P06"], 1, 1),
        ("block", ["MC-C14"], 2, 1),
    ],
)
def test_the_lowest_severity_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], severity: str, rules: list[str], hidden: int, code: int
) -> None:
    node = folder / "node.sql"
    assert shown_rules(capsys, node, severity=severity) == rules
    assert run(node, severity=severity) == code
    printed = capsys.readouterr().out
    assert (f"{hidden} of lower severity hidden; --severity info shows all." in printed) == bool(hidden)


def test_hidden_findings_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(SORT)
    assert run(tmp_path / "a.sql", severity="warn") == 1
    assert run(tmp_path / "a.sql", severity="block") == 0


def test_remarks_on_folders_are_hidden_by_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "MC-P08" not in shown_rules(capsys, folder)
    assert "MC-P08" in shown_rules(capsys, folder, severity="info")
    assert "MC-P08" in shown_rules(capsys, folder / "node.sql")
    run(folder)
    assert "1 of lower severity hidden" in capsys.readouterr().out
    run(folder, language="zh")
    assert "另有 1 个级别较低的问题未显示" in capsys.readouterr().out
    run(folder, format="github")
    assert capsys.readouterr().out.endswith(
        "\n1 findings of lower severity hidden; --severity info shows all.\n"
    )
    run(folder, format="sarif")
    assert json.loads(capsys.readouterr().out)["runs"][0]["properties"] == {"hiddenFindings": 1}


@pytest.mark.parametrize("options", [{"severity": "block"}, {"ignore": ["MC-C19"]}, {"select": ["MC-P"]}])
def test_what_was_not_reviewed_is_always_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    (tmp_path / "a.sql").write_text(UNREADABLE)
    assert run(tmp_path, **options) == 1
    assert "unreviewable: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("select", "ignore", "wanted", "unwanted"),
    [
        (["MC-N"], [], ["MC-N01", "MC-N06"], ["MC-P06", "SH-SC2086"]),
        (["mc-n01"], [], ["MC-N01"], ["MC-N02"]),
        ([], ["MC-N"], ["MC-P06"], ["MC-N01"]),
        ([], ["MC-N01"], ["MC-N02"], ["MC-N01"]),
        (["MC"], ["MC-N"], ["MC-P06"], ["MC-N01", "PY-001"]),
        (["MC-N01"], ["MC-N"], ["MC-N01"], ["MC-N02"]),
        (["MC-N01"], ["MC-N01"], [], ["MC-N01"]),
        (["ALL"], ["SH-SC2086"], ["SH-SC2034", "MC-P06"], ["SH-SC2086"]),
        (
            ["SH", "PG-ban-drop-table"],
            [],
            ["SH-SC2086", "SH-001", "PG-ban-drop-table"],
            ["PG-ban-drop-column"],
        ),
    ],
)
def test_the_longest_prefix_decides(
    select: list[str], ignore: list[str], wanted: list[str], unwanted: list[str]
) -> None:
    selection = RuleSelection(tuple(select), tuple(ignore))
    assert all(map(selection.has, wanted))
    assert not any(map(selection.has, unwanted))
    assert unknown_prefix([*select, *ignore]) is None


@pytest.mark.parametrize(
    "prefix", ["", "XX", "MC-Z", "MC-P99", "PY-12345", "SH-SC20867", "order-without-limit"]
)
def test_unknown_rules_are_rejected(folder: Path, prefix: str) -> None:
    assert rejected(folder, select=[prefix]).startswith(f"--select {prefix}: ")
    assert rejected(folder, ignore=["MC-N", prefix]).startswith(f"--ignore MC-N,{prefix}: ")


def test_selected_and_ignored_rules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown_rules(capsys, folder, select=["MC-C", "MC-P06"]) == ["MC-C14", "MC-P06"]
    assert shown_rules(capsys, folder, ignore=["MC-S", "MC-P"]) == ["MC-C14"]
    assert run(folder, select=["MC-N"]) == 0


def test_statistics_count_findings_by_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.sql").write_text(
        SORT * 3 + DELETE + f"-- dwgate:ignore MC-P06 only two hundred rows\n{SORT}"
    )
    assert run(tmp_path, statistics=True) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3  MC-P06  order-without-limit: ORDER BY without LIMIT"
    assert [line.split()[1] for line in lines[1:2]] == ["MC-C14"]
    assert lines[-1].startswith("1 file reviewed: 1 block, 3 warn, 1 suppressed.")
    run(tmp_path, statistics=True, format="json")
    printed = json.loads(capsys.readouterr().out)
    assert printed["statistics"][0] == {"rule": "MC-P06", "name": "order-without-limit", "count": 3}
    assert (printed["files"], printed["unreviewable"]) == (1, 0)
    assert rejected(tmp_path, statistics=True, format="sarif").startswith("--statistics: has no format sarif")


def test_output_to_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "found.json"
    assert run(folder, format="json", output_file=file) == 1
    assert capsys.readouterr().out == ""
    assert json.loads(file.read_text())["files"][0]["findings"]
    missing = folder / "no" / "found.txt"
    assert rejected(folder, output_file=missing) == (
        f"--output-file {missing}: cannot be written: No such file or directory"
    )


def test_exit_zero(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "b.sql").write_text(UNREADABLE)
    assert run(folder, exit_zero=True) == 0
    assert "MC-P06" in capsys.readouterr().out


def test_no_file_to_review_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.osql").write_text(SORT)
    line = rejected(tmp_path, exit_zero=True)
    assert line.startswith(
        f"{tmp_path}: no file to review; expected files with the suffix .sql, .odps, .mc, .hql"
    )


def test_pages_of_rules_at_a_url(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dwgate.toml").write_text(
        'rules-url = "https://wiki.example.com/rules/"\nselect = ["MC-P06"]\n'
    )
    page = "https://wiki.example.com/rules/MC-P06.md"
    run(folder)
    assert f"\nsee: {page}\n" in capsys.readouterr().out
    run(folder, format="github")
    assert capsys.readouterr().out.splitlines()[0].endswith(f" {page}")
    run(folder, format="sarif")
    (rule,) = json.loads(capsys.readouterr().out)["runs"][0]["tool"]["driver"]["rules"]
    assert rule["helpUri"] == page
    run(folder, format="json", language="zh")
    (finding,) = json.loads(capsys.readouterr().out)["files"][0]["findings"]
    assert finding["url"] == "https://wiki.example.com/rules/zh/MC-P06.md"


def test_options_in_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (deep := folder / "a" / "b").mkdir(parents=True)
    (deep / "c.sql").write_text(SORT + DELETE + SAME)
    (folder / "dwgate.toml").write_text('select = ["MC-P06"]\nformat = "json"\n')
    run(deep / "c.sql")
    assert [item["rule"] for item in json.loads(capsys.readouterr().out)["files"][0]["findings"]] == [
        "MC-P06"
    ]
    assert shown_rules(capsys, deep, select=["MC-C"]) == ["MC-C14"], "the command line wins"
    (folder / "a" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert shown_rules(capsys, deep) == ["MC-P06"], "a file without the section does not count"
    (folder / "a" / "pyproject.toml").write_text('[tool.dwgate.review]\nignore = ["MC-C", "MC-S"]\n')
    assert shown_rules(capsys, deep / "c.sql") == ["MC-P06", "MC-P08"], "the nearest file counts"
    (folder / "a" / "dwgate.toml").write_text('severity = "block"\n')
    assert shown_rules(capsys, deep) == ["MC-C14"], "dwgate.toml comes first"


def test_paths_in_a_file_are_relative_to_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policy.yaml").write_text(
        "version: 1\npoints: {commit-file: {checks: {code-review: {options: {severity: {MC-P06: block}}}}}}\n"
    )
    (folder / "pyproject.toml").write_text(
        '[tool.dwgate.review]\npolicy = "policy.yaml"\nselect = ["MC-P06"]\n'
    )
    run(folder)
    assert "block[MC-P06]" in capsys.readouterr().out


KEYS = "dialect, format, ignore, language, metadata, policy, project, rules-url, select, severity, waivers"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("dwgate.toml", '\nselct = ["MC-P"]\n', f":2: unknown key selct; expected one of {KEYS}"),
        ("dwgate.toml", 'select = ["MC-P"]\n\n[review]\n', f":3: unknown key review; expected one of {KEYS}"),
        (
            "pyproject.toml",
            '[tool.other]\nselct = 1\n[tool.dwgate.review]\n"selct" = 1\n',
            f":4: unknown key selct; expected one of {KEYS}",
        ),
        ("dwgate.toml", 'project = "p"\nselect = "MC-P"\n', ":2: select: expected a list of strings"),
        ("dwgate.toml", "severity = 1\n", ":1: severity: expected a string"),
        ("dwgate.toml", '\nseverity = "high"\n', ":2: severity: high: expected one of info, warn, block"),
        (
            "dwgate.toml",
            'ignore = [\n  "MC-Q",\n]\n',
            ":1: ignore: MC-Q: unknown rule 'MC-Q'; expected an id",
        ),
        ("dwgate.toml", 'rules-url = "docs"\n', ":1: rules-url: expected a URL that begins with https://"),
        ("dwgate.toml", "select = [\n", ": not TOML: "),
        ("pyproject.toml", "[tool.dwgate]\nreview = 1\n", ": tool.dwgate.review: expected a table"),
    ],
)
def test_wrong_options_in_a_file_are_one_line(folder: Path, name: str, content: str, line: str) -> None:
    (folder / name).write_text(content)
    assert rejected(folder).startswith(f"{folder / name}{line}")


def test_a_file_of_options_in_the_current_folder_is_named_by_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "dwgate.toml").write_text("x = 1\n")
    monkeypatch.chdir(folder)
    assert rejected("node.sql").startswith("dwgate.toml:1: unknown key x")
    assert rejected("-").startswith("dwgate.toml:1: unknown key x")


def test_options_on_the_command_line(folder: Path) -> None:
    def dwgate(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "console.main", "review", *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    node = str(folder / "node.sql")
    several = dwgate(node, "--select", "MC-P06,MC-C14", "--select", "MC-P08", "--format", "json")
    found = json.loads(several.stdout)["files"][0]["findings"]
    assert sorted({item["rule"] for item in found}) == ["MC-C14", "MC-P06", "MC-P08"]
    quiet = dwgate(
        node, "--exit-zero", "--severity", "block", "--output-file", str(folder / "out"), "--statistics"
    )
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert (folder / "out").read_text().startswith("1  MC-C14  missing-where: ")
    nothing = dwgate(str(folder / "out"), "--dialect", "hive", "--severity", "loud")
    assert nothing.returncode == 2
    assert nothing.stderr == "dwgate: --severity loud: expected one of info, warn, block\n"
