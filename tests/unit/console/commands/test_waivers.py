"""`dwgate waivers`: output, file changes and exit code of each command."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from common.config_files.errors import ConfigError
from common.ledger import State
from common.verdicts import AppliedWaiver, Finding, Outcome, Severity
from console.application import app
from console.commands import waivers as waiving
from console.exit_codes import UsageError
from console.output import tables
from tests.support import plain_yaml
from tests.support.records import EVENT, record
from workers.waivers.loader import load_waivers
from workers.waivers.matching import DAY
from workers.waivers.model import WaiverRules

ZONE = timezone(timedelta(hours=8))


def at(days: float) -> str:
    return datetime.fromtimestamp(int(time.time() + days * DAY), ZONE).isoformat()


def item(id_: str, days: float, **fields: Any) -> dict[str, Any]:
    base = {"id": id_, "rule": "MC-C14", "reason": "known", "owner": "a", "approver": "b"}
    return {**base, **fields, "expires_at": at(days)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "waivers.yaml"
    waivers = [item("far", 30), item("soon", 2.5, scope={"nodes": ["dwd_*"]}), item("gone", -1)]
    path.write_text("# Ours.\n" + plain_yaml.dump({"version": 1, "waivers": waivers}))
    return path


def listed(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    return [(each["id"], each["state"]) for each in orjson.loads(capsys.readouterr().out)["waivers"]]


def test_list_shows_active_waivers_next_to_expire_first(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert waiving.list_(file, None, expired=False, json=True) == 0
    assert listed(capsys) == [("soon", "expires in 2 days"), ("far", "active")]
    assert waiving.list_(file, None, expired=True, json=True) == 0
    assert listed(capsys) == [("gone", "expired")]
    waiving.list_(file, None, expired=False, json=False)
    assert "nodes: dwd_*" in capsys.readouterr().out


def test_add_appends_a_waiver_and_keeps_the_rest(file: Path) -> None:
    before = file.read_text()
    assert waiving.add(file, None, item("W-4", 3, pattern="a|b")) == 0
    assert file.read_text().startswith(before)
    assert plain_yaml.load(file.read_text())["waivers"][-1]["pattern"] == "a|b"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_add_creates_a_missing_file(tmp_path: Path) -> None:
    assert waiving.add(tmp_path / "new.yaml", None, item("W-1", 3)) == 0
    assert plain_yaml.load((tmp_path / "new.yaml").read_text())["version"] == 1


def test_add_follows_a_symbolic_link(file: Path) -> None:
    link = file.with_name("link.yaml")
    link.symlink_to(file)
    file.chmod(0o640)
    waiving.add(link, None, item("W-4", 3))
    assert link.is_symlink()
    assert "W-4" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640


def test_add_rejects_an_invalid_waiver_and_writes_nothing(file: Path) -> None:
    before = file.read_text()
    bad = {**item("far", 3), "expires_at": "2026-12-01", "pattern": "(("}
    with pytest.raises(UsageError) as error:
        waiving.add(file, None, bad)
    assert [line.split(";")[0] for line in str(error.value).splitlines()] == [
        "not added: expires_at: no time and zone",
        "not added: pattern: invalid regular expression: missing ) at character 2",
    ]
    with pytest.raises(UsageError, match=r"^not added: id: duplicate id far; expected a unique id$"):
        waiving.add(file, None, item("far", 3))
    with pytest.raises(UsageError, match=r"^not added: expires_at: too far ahead; expected 20"):
        waiving.add(file, None, item("W-4", 91))
    assert file.read_text() == before


def test_add_rejects_an_invalid_file(file: Path) -> None:
    file.write_text("version: 1\nwaivers: 3\n")
    with pytest.raises(ConfigError, match=r"waivers.yaml:2:10: waivers: expected a list"):
        waiving.add(file, None, item("W-4", 3))


def test_check_notes_waivers_that_are_limited_by_names(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = item("exact", 3, scope={"projects": [1], "node_ids": [7]})
    one = item("one", 3, fingerprint="0" * 32)
    former = item("former", 3, fingerprint="0" * 16)
    for each in (exact, one, former):
        assert waiving.add(file, None, each) == 0
    capsys.readouterr()
    assert waiving.check(file, None, json=True) == 0
    printed = orjson.loads(capsys.readouterr().out)
    assert (printed["waivers"], printed["active"]) == (6, 5)
    assert [(each["id"], each["note"].split(":")[0]) for each in printed["notes"]] == [
        ("far", "scope.projects"),
        ("soon", "scope.projects"),
        ("soon", "scope.nodes"),
        ("former", "fingerprint"),
    ]
    assert waiving.check(file, None, json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{file} is valid: 6 waivers, 5 active"
    assert lines[3] == (
        "soon: scope.nodes: names are chosen by the author of the code, so it applies to everything"
        " that gets such a name; node_ids are exact"
    )


def test_expire_expires_one_now_and_keeps_line_endings(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    before = file.read_bytes().splitlines(keepends=True)
    assert waiving.expire(file, None, "soon", "done") == 0
    assert capsys.readouterr().out == "soon is expired\n"
    after = file.read_bytes().splitlines(keepends=True)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
    waiving.list_(file, None, expired=True, json=True)
    assert listed(capsys) == [("gone", "expired"), ("soon", "expired")]


def test_expire_reports_unknown_and_expired_waivers(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert waiving.expire(file, None, "W-99", "done") == 1
    assert waiving.expire(file, None, "gone", "done") == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"dwgate: unknown waiver W-99 in {file}"
    assert lines[1].startswith("dwgate: gone expired at ")


def test_a_shared_expiry_is_not_changed(file: Path) -> None:
    first, second = (
        f"- {{id: {id_}, rule: r, reason: r, owner: a, approver: b, expires_at: {end}}}\n"
        for id_, end in (("one", f"&end {at(3)}"), ("two", "*end"))
    )
    file.write_text(f"version: 1\nwaivers:\n{first}{second}")
    before = file.read_text()
    with pytest.raises((UsageError, ConfigError)):
        waiving.expire(file, None, "two", "done")
    assert file.read_text() == before


def test_the_command_line_sets_every_field(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    words = (
        f"waivers add W-1 --waivers {path} --rule MC-* --check code-review --project 1 --project 2"
        " --point commit-file --file-id 5 --node-id 7 --table-id odps.p.t --file a_* --node b --table c"
        " --fingerprint ff --pattern x --reason r"
        f" --owner o --approver p --expires-at {at(3)}"
    )
    assert CliRunner().invoke(app, words.split()).exit_code == 0
    (waiver,) = plain_yaml.load(path.read_text())["waivers"]
    assert waiver.pop("expires_at")
    assert waiver == {
        "id": "W-1",
        "rule": "MC-*",
        "check": "code-review",
        "scope": {
            "projects": [1, 2],
            "points": ["commit-file"],
            "file_ids": ["5"],
            "node_ids": ["7"],
            "table_ids": ["odps.p.t"],
            "files": ["a_*"],
            "nodes": ["b"],
            "tables": ["c"],
        },
        "fingerprint": "ff",
        "pattern": "x",
        "reason": "r",
        "owner": "o",
        "approver": "p",
    }


def test_the_report_counts_recorded_findings(file: Path) -> None:
    block = Finding("MC-C14", Severity.BLOCK, "m")
    soon, old = (replace(block, waived=AppliedWaiver(id_, "known: for long")) for id_ in ("soon", "old"))
    records = [
        record(
            State.REPORTED, "a", "b", outcomes={"a": Outcome.of([soon, soon, block]), "b": Outcome.of([old])}
        ),
        record(
            State.REPORTED, "a", event=replace(EVENT, message_id="e-2"), outcomes={"a": Outcome.of([soon])}
        ),
    ]
    waivers = load_waivers(file, WaiverRules(), time.time())
    done = waiving.tally(records, waivers)
    assert {id_: (each.findings, len(each.events)) for id_, each in done.items()} == {
        "far": (0, 0),
        "soon": (3, 2),
        "gone": (0, 0),
        "old": (1, 1),
    }
    states = {id_: waiving.report_row(id_, each, waivers, time.time())["state"] for id_, each in done.items()}
    assert states == {
        "far": "active, never matched",
        "soon": "expires in 2 days",
        "gone": "expired, never matched",
        "old": "no longer in the file",
    }


def test_a_waived_finding_is_marked() -> None:
    waived = Finding("r", Severity.BLOCK, "m.", waived=AppliedWaiver("W-1", "known"))
    assert tables.finding(waived) == "r: m. (waived by W-1: known)"
    other = Finding("s", Severity.WARN, "n.")
    shown = record(State.REPORTED, "a", outcomes={"a": Outcome.of([waived, other])})
    assert tables.first_finding(shown) == "s: n."


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rule": "MC-C99"}, "--rule MC-C99: unknown; expected one such as MC-"),
        (
            {"rule": "downstream-node"},
            "--rule downstream-node: unknown; expected one such as downstream-nodes",
        ),
        (
            {"rule": None, "check": "code-revue"},
            "--check code-revue: unknown; expected one such as code-review",
        ),
        ({"rule": "*"}, "matches every finding; expected"),
        ({"id": "W 1"}, "id: expected up to 40 letters"),
    ],
)
def test_add_rejects_what_would_match_nothing_or_everything(
    file: Path, fields: dict[str, Any], message: str
) -> None:
    before = file.read_text()
    fields_of_new = {key: value for key, value in item("new", 3, **fields).items() if value}
    fields_of_new.setdefault("id", "new")
    with pytest.raises(UsageError) as error:
        waiving.add(file, None, fields_of_new)
    assert str(error.value).startswith(f"not added: {message}")
    assert file.read_text() == before


@pytest.mark.parametrize(
    "fields",
    [{"rule": "mc-c*"}, {"rule": "backfill-days"}, {"rule": "SH-SC2086"}, {"rule": None, "check": "code-*"}],
)
def test_add_accepts_patterns_and_rules_of_other_checks(file: Path, fields: dict[str, Any]) -> None:
    fields_of_new = {key: value for key, value in item("new", 3, **fields).items() if value}
    assert waiving.add(file, None, fields_of_new) == 0
