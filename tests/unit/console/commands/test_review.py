"""`dwgate review` and `dwgate rules`: which files are read, output formats, and one-line errors."""

from __future__ import annotations

import collections
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.config_files.errors import ConfigError
from common.text.i18n import Language
from common.verdicts import AppliedWaiver, Finding, Severity
from console import errors
from console.commands import review, rules
from console.exit_codes import UsageError
from console.output import github, sarif
from console.output.review_output import FORMATS
from console.reviews import file_reviews, isolated_reviews
from console.reviews.settings import ReviewRequest
from review import engine, rule_docs
from review.dialects import Dialect
from review.report import Report, ReviewedFile, count_by_severity, describe_rule, has_blocking, report_json
from review.rules.api import Hit, RuleContext
from review.rules.registry import BY_ID, RULES
from review.tables.metadata import parse_tables

DWGATE = Path(sys.executable).with_name("dwgate")
ROOT = Path(__file__).parents[4]

SORT = "SELECT id FROM t WHERE ds = '${bizdate}' ORDER BY id;\n"
DELETE = "DELETE FROM t;\n"
CLEAN = "SELECT id FROM t WHERE ds = '${bizdate}';\n"


def run_review(*paths: object, **options: Any) -> int:
    return review.run([str(path) for path in paths], ReviewRequest(**options))


def rejected(*paths: object, **options: Any) -> str:
    with pytest.raises((UsageError, ConfigError)) as caught:
        run_review(*paths, **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return printed


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "node.sql"
    path.write_text(SORT)
    return path


def test_a_finding_is_shown_with_its_code(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_review(node) == 1
    printed = capsys.readouterr().out
    assert "warn[MC-P06] order-without-limit: " in printed
    assert f"  --> {node}:1:42\n" in printed
    assert f"1 | {SORT}" in printed
    assert f"\n  | {' ' * 41}{'^' * 11}\n" in printed
    assert "\nwhy: " in printed
    assert "\nfix: " in printed
    assert "\nsee: dwgate rules MC-P06\n" in printed
    assert re.search(r"^1 file reviewed: .*1 warn", printed, re.MULTILINE)


def test_nothing_found_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.sql").write_text("-- owner: me\n" + CLEAN)
    assert run_review(tmp_path / "a.sql", format="json") == 0
    assert {item["severity"] for item in shown(capsys)["files"][0]["findings"]} <= {"info"}


def test_output_in_chinese(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_review(node, language="zh")
    printed = capsys.readouterr().out
    assert "\n原因：" in printed
    assert "已检查 1 个文件" in printed


def test_json_format(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_review(node, format="json") == 1
    file = shown(capsys)["files"][0]
    assert (file["path"], file["dialect"]) == (str(node), "maxcompute")
    sort = next(item for item in file["findings"] if item["rule"] == "MC-P06")
    assert (sort["line"], sort["column"], sort["end_line"], sort["end_column"]) == (1, 42, 1, 53)
    assert (sort["name"], sort["severity"]) == ("order-without-limit", "warn")
    assert sort["url"] == "docs/rules/MC-P06.md"
    assert all(sort[key] for key in ("message", "why", "help", "fingerprint"))
    assert sort["suppressed"] is None


SECRET = "-- key {}\n"
ONE, OTHER = "LTAI5tQnVx7RkJd2Wm9PzHsB", "LTAI5tFgYc3LpTe8Uo4XaKvD"


def fingerprints(printed: dict[str, Any]) -> dict[str, str | None]:
    return {item["rule"]: item["fingerprint"] for item in printed["files"][0]["findings"]}


def test_a_secret_has_a_fingerprint_only_with_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.sql"
    file.write_text(SECRET.format(ONE) + DELETE)
    monkeypatch.delenv("DWGATE_FINGERPRINT_KEY", raising=False)
    run_review(file, format="json")
    without = fingerprints(shown(capsys))
    assert without["MC-S01"] is None
    assert without["MC-C14"]
    seen = []
    for key, secret in (("k" * 32, ONE), ("k" * 32, ONE), ("k" * 32, OTHER), ("l" * 32, ONE)):
        file.write_text(SECRET.format(secret) + DELETE)
        monkeypatch.setenv("DWGATE_FINGERPRINT_KEY", key)
        run_review(file, format="json")
        seen.append(fingerprints(shown(capsys))["MC-S01"])
    assert seen[0] == seen[1] is not None
    assert len(set(seen)) == 3


def test_a_short_key_is_rejected(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWGATE_FINGERPRINT_KEY", "short")
    assert rejected(node) == "DWGATE_FINGERPRINT_KEY: too short; expected at least 32 characters"


@pytest.mark.parametrize("files", [1, 12])
def test_a_replaced_secret_is_new(files: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, secret in (("old", ONE), ("new", OTHER)):
        (tmp_path / folder).mkdir()
        for number in range(files):
            (tmp_path / folder / f"{number}.sql").write_text(SECRET.format(secret))
    assert run_review(tmp_path / "new", diff=tmp_path / "old", format="json") == 1
    assert [[item["rule"] for item in file["findings"]] for file in shown(capsys)["files"]] == [
        ["MC-S01"]
    ] * files
    assert run_review(tmp_path / "old", diff=tmp_path / "old") == 0


def test_a_fingerprint_covers_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DWGATE_FINGERPRINT_KEY", "k" * 32)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "n.sql").write_text(SECRET.format(ONE))
    run_review(tmp_path / "a" / "n.sql", format="json")
    own = fingerprints(shown(capsys))["MC-S01"]
    ends = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
    waivers = tmp_path / "waivers"
    waivers.write_text(
        f"version: 1\nwaivers: [{{id: W-1, rule: MC-S01, fingerprint: {own}, reason: r, owner: a,"
        f" approver: b, expires_at: {ends}}}]\n"
    )
    assert run_review(tmp_path / "a" / "n.sql", waivers=waivers) == 0
    assert run_review(tmp_path / "b" / "n.sql", waivers=waivers) == 1


def test_suppressed_findings_are_shown_and_do_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.sql").write_text(f"-- owner: me\n-- dwgate:ignore MC-P06 only 200 rows\n{SORT}")
    assert run_review(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "suppressed[MC-P06] order-without-limit: only 200 rows\n" in printed
    assert "1 suppressed" in printed


def test_the_policy_decides_what_may_be_suppressed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = tmp_path / "a.sql"
    node.write_text(f"-- owner: me\n-- dwgate:ignore-file MC-P06 only 200 rows\n{SORT}")
    rules = tmp_path / "policy.yaml"
    for file_wide, code in (("true", 0), ("false", 1)):
        rules.write_text(
            f"version: 1\nsuppressions: {{file_wide: {file_wide}}}\n"
            "points: {commit-file: {checks: {code-review: {}}}}\n"
        )
        assert run_review(node, policy=rules) == code
        assert ("DW-I03" in capsys.readouterr().out) is bool(code)
    assert run_review(node) == 1


def test_a_comment_that_names_a_waiver_needs_the_waiver(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = tmp_path / "a.sql"
    node.write_text(f"-- owner: me\n-- dwgate:ignore MC-P06 waiver:W-1\n{SORT}")
    ends = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
    waivers = tmp_path / "waivers"
    fields = f"id: W-1, rule: MC-P06, reason: small, owner: a, approver: b, expires_at: {ends}"
    waivers.write_text(f"version: 1\nwaivers: [{{{fields}}}]\n")
    assert run_review(node, waivers=waivers) == 0
    assert "DW-I03] suppression-refused: W-1: small" in capsys.readouterr().out
    assert run_review(node) == 1
    assert "the waiver W-1 does not exist" in capsys.readouterr().out


def test_waived_findings_are_shown_and_do_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ads_a.sql").write_text(f"-- owner: me\n{SORT}")
    ends = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
    fields = f"rule: MC-P06, reason: small, owner: a, approver: b, expires_at: {ends}"
    file = tmp_path / "waivers"
    for scope, code in (
        ("files: [ads_*]", 0),
        ("nodes: [ads_a]", 0),
        ("files: [dwd_*]", 1),
        ("projects: [1]", 1),
    ):
        file.write_text(f"version: 1\nwaivers: [{{id: W-1, scope: {{{scope}}}, {fields}}}]\n")
        assert run_review(tmp_path / "ads_a.sql", waivers=file) == code
        printed = capsys.readouterr().out
        assert ("waived[MC-P06] order-without-limit: W-1: small\n" in printed, "1 waived" in printed) == (
            not code,
        ) * 2


def test_links_out_of_a_folder_are_reported_and_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder := tmp_path / "folder").mkdir()
    (outside := tmp_path / "outside").mkdir()
    (outside / "secret.sql").write_text("DELETE FROM outside_secret;\n")
    (folder / "a.sql").write_text("-- owner: me\n" + CLEAN)
    for link, target in {
        "inside.sql": folder / "a.sql",
        "file.sql": outside / "secret.sql",
        "linked": outside,
        "up.sql": Path("../outside/secret.sql"),
        "text.txt": outside / "secret.sql",
        "loop.sql": folder / "loop.sql",
    }.items():
        (folder / link).symlink_to(target)
    assert run_review(folder, format="json") == 1
    printed = capsys.readouterr().out
    assert "outside_secret" not in printed
    found = {
        Path(file["path"]).name: [finding["rule"] for finding in file["findings"]]
        for file in json.loads(printed)["files"]
    }
    assert found == {
        "a.sql": [],
        "inside.sql": [],
        "file.sql": ["MC-C19"],
        "linked": ["MC-C19"],
        "up.sql": ["MC-C19"],
    }
    run_review(folder, language="zh")
    assert "指向目录之外的符号链接" in capsys.readouterr().out
    assert run_review(folder / "file.sql", format="json") == 1
    assert "outside_secret" in capsys.readouterr().out


def test_folders_are_read_by_suffix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b/a.sql", "b/c.hql", "a.py", "x.sh", "README.md", ".git/a.sql", "package.json", "job.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"type": "job", "steps": [{"stepType": "odps"}]}' if name == "job.json" else "")
    run_review(tmp_path, dialect="spark", format="json")
    printed = [(Path(file["path"]).relative_to(tmp_path), file["dialect"]) for file in shown(capsys)["files"]]
    assert printed == [
        (Path("a.py"), "python"),
        (Path("b/a.sql"), "spark"),
        (Path("b/c.hql"), "spark"),
        (Path("job.json"), "di"),
        (Path("x.sh"), "shell"),
    ]


def test_an_undecodable_name_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / os.fsdecode(b"a\xff.sql")).write_text(SORT)
    for format_ in FORMATS:
        assert run_review(tmp_path, format=format_) == 1
        assert "MC-P06" in capsys.readouterr().out


def test_many_files_are_reviewed_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.sql").write_text(CLEAN * number + SORT)
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    assert run_review(tmp_path, format="json", policy=policy) == 1
    lines = [
        [item["line"] for item in file["findings"] if item["rule"] == "MC-P06"]
        for file in shown(capsys)["files"]
    ]
    assert lines == [[number + 1] for number in range(30)]


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SORT.encode())))
    assert run_review("-", format="json") == 1
    assert shown(capsys)["files"][0]["path"] == "-"


METADATA = {"tables": {"proj.orders": {"partitions": {"ds": "STRING"}, "columns": {"id": "BIGINT"}}}}


def test_metadata_and_project_identify_partitioned_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.sql").write_text("SELECT id FROM orders;")
    known = tmp_path / "tables.txt"
    known.write_text(json.dumps(METADATA))
    for project, severities in (("proj", ["block"]), ("other", [])):
        run_review(tmp_path, format="json", metadata=known, project=project)
        found = shown(capsys)["files"][0]["findings"]
        assert [item["severity"] for item in found if item["rule"] == "MC-P01"] == severities


POLICY = """
version: 1
language: zh
points:
  deploy-file:
    checks:
      code-review: {options: {severity: {MC-P06: block}}}
"""


def test_the_policy_of_the_check_is_applied(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = node.with_name("policy.yaml")
    policy.write_text(POLICY)
    run_review(node, policy=policy)
    assert "block[MC-P06]" in capsys.readouterr().out
    run_review(node, policy=policy, format="json")
    assert not shown(capsys)["files"][0]["findings"][-1]["message"].isascii()
    policy.write_text("version: 1\n")
    assert "no extension point runs the check code-review" in rejected(node, policy=policy)


def test_only_findings_new_since_an_old_file_or_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        (folder / "deep").mkdir(parents=True)
    (old / "deep/a.sql").write_text(SORT)
    (new / "deep/a.sql").write_text(f"\n{SORT}{DELETE}")
    (new / "b.sql").write_text(SORT)
    run_review(new, diff=old, format="json")
    found = {Path(file["path"]).name: file["findings"] for file in shown(capsys)["files"]}
    assert "MC-P06" in {item["rule"] for item in found["b.sql"]}
    assert {item["line"] for item in found["a.sql"]} == {3}
    run_review(new / "deep/a.sql", diff=old / "deep/a.sql", format="json")
    assert {item["line"] for item in shown(capsys)["files"][0]["findings"]} == {3}
    assert "expected a folder" in rejected(new, diff=old / "deep/a.sql")


def test_undecodable_files_are_not_reviewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.sql").write_bytes(b"SELECT \xff\xff")
    assert run_review(tmp_path) == 1
    assert "Not reviewed: not valid UTF-8 or GB18030 text" in capsys.readouterr().out


def test_secrets_are_masked_in_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.sql").write_text("-- secret_key = 'q1W2e3R4t5Y6u7I8o9'\nDELETE FROM t;\n")
    for format_ in FORMATS:
        assert run_review(tmp_path, format=format_) == 1
        printed = capsys.readouterr().out
        assert "MC-S01" in printed
        assert "q1W2" not in printed


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"dialect": "sql"}, "--dialect sql: unknown dialect; expected one of clickhouse, "),
        ({"dialect": "unknown"}, "--dialect unknown: unknown dialect"),
        ({"format": "xml"}, "--format xml: expected one of text, json, sarif, github"),
        ({"language": "fr"}, "--language fr: expected one of en, zh"),
        ({"metadata": Path("/no/such")}, "--metadata /no/such: cannot be read: No such file or directory"),
        ({"diff": Path("/no/such")}, "--diff /no/such: no such file or folder"),
    ],
)
def test_wrong_usage_is_one_line(node: Path, options: dict[str, Any], line: str) -> None:
    assert rejected(node, **options).startswith(line)


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    assert rejected("/no/such.sql") == "/no/such.sql: cannot be read: No such file or directory"
    (tmp_path / "notes.txt").write_text("")
    assert "its dialect cannot be inferred from its name; expected --dialect" in rejected(
        tmp_path / "notes.txt"
    )
    assert run_review(tmp_path / "notes.txt", dialect="hive", format="json") == 0


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"[]", "m.json: $: expected a mapping"),
        (b"{}", "m.json: $.tables: missing"),
        (b'{"tables": []}', "m.json: $.tables: expected a mapping"),
        (b'{"tables": {}, "x": 1}', "m.json: $.x: unknown key"),
        (
            b'{"tables": {"p.t": {"columns": {"id": 3}}}}',
            'm.json: $.tables["p.t"].columns.id: expected text',
        ),
        (b'{"tables": {"p.t": {"partition": {}}}}', 'm.json: $.tables["p.t"].partition: unknown key'),
        (b'{"tables": {"t": {"size": 1.5}}}', "m.json: $.tables.t.size: expected an integer"),
        (b'{\n "tables":', "m.json:2:11: not JSON: unexpected end of data"),
        (b"\xff", "m.json:1:1: not JSON"),
    ],
)
def test_an_invalid_metadata_file_is_one_line_with_the_location(content: bytes, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_tables("m.json", content)
    assert str(caught.value).startswith(line)
    assert errors.report_error(caught.value) == 2


FOUND = Finding("MC-P06", Severity.WARN, "50% more: a,b", 2, 3, "Add\nLIMIT.", 2, 9, None, "f00")
KEPT = Finding("PY-F401", Severity.BLOCK, "unused", 1, 1, None, 1, 4, "for later", "f01")
FILE = ReviewedFile("a b/中.sql", Dialect.MAXCOMPUTE, "x", (KEPT, FOUND))


def test_github_annotations_are_escaped() -> None:
    (line,) = github.workflow_commands(Report((FILE,)))
    assert line == (
        "::warning file=a b/中.sql,line=2,col=3,endLine=2,endColumn=9,"
        "title=MC-P06 order-without-limit::50%25 more: a,b Add LIMIT."
    )


def test_sarif_has_locations_fingerprints_and_suppressions() -> None:
    log = sarif.build_sarif(Report((FILE,)), "1.0")
    (run,) = log["runs"]
    kept, found = run["results"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["MC-P06", "PY-F401"]
    assert (found["ruleId"], found["ruleIndex"], found["level"]) == ("MC-P06", 0, "warning")
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%E4%B8%AD.sql"
    assert place["region"] == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 9}
    assert found["partialFingerprints"] == {"dwgate/v2": "f00"}
    assert "suppressions" not in found
    assert kept["suppressions"] == [{"kind": "inSource", "justification": "for later"}]
    assert run["tool"]["driver"]["rules"][1]["helpUri"] == "https://docs.astral.sh/ruff/rules/F401/"


def test_info_and_suppressed_findings_do_not_fail() -> None:
    assert has_blocking([FILE])
    assert not has_blocking([ReviewedFile("a", Dialect.HIVE, "x", (KEPT,))])
    assert count_by_severity(FILE.findings) == {"suppressed": 1, "warn": 1}
    assert report_json(Report((FILE,)))["files"][0]["findings"][0]["suppressed"] == "for later"


def test_waived_findings_are_marked() -> None:
    file = replace(FILE, findings=(replace(KEPT, suppressed=None, waived=AppliedWaiver("W-1", "small")),))
    assert not has_blocking([file])
    assert list(github.workflow_commands(Report((file,)))) == []
    ((found,),) = (run["results"] for run in sarif.build_sarif(Report((file,)), "1.0")["runs"])
    assert found["suppressions"] == [{"kind": "external", "justification": "W-1: small"}]
    assert report_json(Report((file,)))["files"][0]["findings"][0]["waived"] == "W-1: small"


def test_every_rule_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.run(None, None, "json", None) == 0
    assert [rule["rule"] for rule in shown(capsys)["rules"]] == sorted(rule.id for rule in RULES)
    rules.run(None, "zh", "text", None)
    printed = capsys.readouterr().out
    assert all(rule.name in printed for rule in RULES)


def test_a_rule_is_shown_by_id_or_name(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("MC-P06", "mc-p06", "order-without-limit"):
        assert rules.run(name, None, "text", None) == 0
        assert capsys.readouterr().out.startswith("# MC-P06 order-without-limit\n")
    rules.run("MC-P06", "zh", "json", None)
    printed = shown(capsys)
    assert (printed["rule"], printed["url"]) == ("MC-P06", "docs/rules/zh/MC-P06.md")
    rules.run("SH-SC2086", None, "text", None)
    assert capsys.readouterr().out == "https://www.shellcheck.net/wiki/SC2086\n"
    with pytest.raises(UsageError, match="unknown rule MC-P066; did you mean MC-P06"):
        rules.run("MC-P066", None, "text", None)
    with pytest.raises(
        UsageError, match=r"unknown rule destruction; it is now destructive-statement \(MC-S02\)"
    ):
        rules.run("destruction", None, "text", None)


def test_rule_descriptions_are_short() -> None:
    for rule in RULES:
        for language in Language:
            printed = describe_rule(rule.id, language)
            assert printed.title
            assert printed.why
            assert "\n" not in printed.why


def test_the_pages_in_docs_are_those_of_the_rules() -> None:
    folder = ROOT / "docs/rules"
    written = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.md")}
    book = rule_docs.build_pages()
    assert written.keys() == book.keys(), "make docs"
    assert [name for name in book if book[name] != written[name]] == [], "make docs"


def test_pages_of_removed_rules_are_deleted(tmp_path: Path) -> None:
    (tmp_path / "MC-Z01.md").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    rules.run(None, None, "text", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"README.md", "zh", "notes.txt", "MC-P06.md"}
    assert not (tmp_path / "MC-Z01.md").exists()


def test_the_command_line(node: Path) -> None:
    def dwgate(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [str(DWGATE), *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=False, cwd=node.parent)

    found = dwgate("review", "node.sql", "--format", "github")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.startswith("::")
    wrong = dwgate("review", "node.sql", "--dialect", "odps")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("dwgate: --dialect odps: unknown dialect; expected one of ")
    assert wrong.stderr.count("\n") == 1


UNREADABLE = "SELEC id FROM t;\n"


@pytest.mark.parametrize(
    "options",
    ["{}", "{severity: {MC-C19: info}}", '{severity: {MC-C19: "off"}}'],
    ids=["default", "info", "off"],
)
def test_unreadable_code_fails_whatever_the_severity_of_its_rule_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: str
) -> None:
    node, policy = tmp_path / "a.sql", tmp_path / "policy.yaml"
    node.write_text(UNREADABLE)
    policy.write_text(
        f"version: 1\npoints: {{commit-file: {{checks: {{code-review: {{options: {options}}}}}}}}}\n"
    )
    assert run_review(node, policy=policy, format="json") == 1
    assert "line 1" in shown(capsys)["files"][0]["unreviewable"]


def test_a_suppression_does_not_make_code_reviewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.sql").write_text(f"-- dwgate:ignore-file MC-C19,MC-M01 it is right\n{UNREADABLE}")
    assert run_review(tmp_path / "a.sql") == 1
    printed = capsys.readouterr().out
    assert "unreviewable: The statement that begins on line 2" in printed
    assert printed.endswith("1 of them not completely.\n")


def test_a_policy_may_accept_unreadable_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node, policy = tmp_path / "a.sql", tmp_path / "policy.yaml"
    node.write_text("-- owner: me\n" + UNREADABLE)
    policy.write_text(
        "version: 1\npoints: {commit-file: {checks: {code-review: "
        "{on_unreviewable: ok, options: {severity: {MC-C19: info}}}}}}\n"
    )
    assert run_review(node, policy=policy, format="json") == 0
    assert shown(capsys)["files"][0]["unreviewable"]


def stall_on_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a rule that stalls in one call of C code if the code has a marker."""

    def judge(subject: RuleContext, _: object) -> list[Hit]:
        if "stall_here" in subject.script.code:
            collections.deque(itertools.repeat(0), maxlen=0)
        if "crash_here" in subject.script.code:
            os.kill(os.getpid(), signal.SIGKILL)
        return []

    stalling = replace(BY_ID["MC-C03"], check=judge)
    rules_ = tuple(stalling if rule.id == "MC-C03" else rule for rule in engine._FIRST)
    monkeypatch.setattr(engine, "_FIRST", rules_)
    monkeypatch.setattr(isolated_reviews, "REVIEW_SECONDS", 0.5)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_that_stalls_the_review_is_reported_and_so_are_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    stall_on_marker(monkeypatch)
    (tmp_path / "a.sql").write_text(DELETE)
    (tmp_path / "b.sql").write_text("SELECT 'stall_here';\n")
    (tmp_path / "c.sql").write_text("SELECT 'crash_here';\n")
    (tmp_path / "d.sql").write_text(DELETE)
    assert run_review(tmp_path, format=format_) == 1
    printed = capsys.readouterr().out
    assert printed.count("DELETE without WHERE") >= 2
    assert "the review takes longer than 10 s" in printed
    assert "its process ended with signal SIGKILL" in printed
    if format_ == "json":
        gaps = [bool(file["unreviewable"]) for file in json.loads(printed)["files"]]
        assert gaps == [False, True, True, False]
    if format_ == "sarif":
        (invocation,) = json.loads(printed)["runs"][0]["invocations"]
        assert not invocation["executionSuccessful"]
        notes = invocation["toolExecutionNotifications"]
        assert [note["level"] for note in notes] == ["error", "error"]
    if format_ == "github":
        assert printed.count(",title=MC-C19 not-reviewed::Not reviewed") == 4


def test_files_beside_one_that_stalls_their_linter_are_reviewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stall_on_marker(monkeypatch)
    for number in range(6):
        (tmp_path / f"{number}.py").write_text(
            "'stall_here'\n" if number == 2 else f"print(undefined_{number})\n"
        )
        (tmp_path / f"{number}.sh").write_text("# crash_here\n" if number == 3 else "echo $x\n")
    assert run_review(tmp_path, format="json", severity="info") == 1
    files = {Path(file["path"]).name: file for file in shown(capsys)["files"]}
    assert [name for name, file in files.items() if file["unreviewable"]] == ["2.py", "3.sh"]
    for number in range(6):
        if number != 2:
            assert "PY-F821" in {item["rule"] for item in files[f"{number}.py"]["findings"]}
        if number != 3:
            assert "SH-SC2086" in {item["rule"] for item in files[f"{number}.sh"]["findings"]}


def test_small_files_of_one_language_are_done_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated_reviews, "core_count", lambda: 2)
    jobs = [
        file_reviews._Job(b"x" * size, dialect)
        for dialect in (Dialect.HIVE, Dialect.PYTHON, Dialect.SHELL)
        for size in (1, 1, 1, 1, 1, file_reviews.MAX_GROUPED_BYTES + 1)
    ]
    groups = file_reviews._groups([*jobs, file_reviews._Job(None, Dialect.SHELL)])
    assert sorted(at for group in groups for at in group) == list(range(19))
    assert [group for group in groups if len(group) > 1] == [(6, 7), (8, 9), (12, 13), (14, 15)]


def test_many_files_are_reviewed_in_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.sql").write_text(f"-- owner: me\nDELETE FROM t{number};\n")
    assert run_review(tmp_path, format="json") == 1
    files = shown(capsys)["files"]
    assert [Path(file["path"]).name for file in files] == [f"{number:02}.sql" for number in range(30)]
    assert all(file["findings"] for file in files)


def test_a_long_number_in_a_job_breaks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.json").write_text(
        '{"type": "job", "steps": [{"stepType": "odps", "a": %s}]}' % ("9" * 5000)
    )
    (tmp_path / "c.sql").write_text(DELETE)
    assert run_review(tmp_path / "b.json", tmp_path / "c.sql", format="json") == 1
    job, other = shown(capsys)["files"]
    assert "expected a number with fewer digits" in job["unreviewable"]
    assert "MC-C14" in {item["rule"] for item in other["findings"]}
