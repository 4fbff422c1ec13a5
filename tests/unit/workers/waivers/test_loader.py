"""The waivers file: problems with their positions, and edits that leave the rest unchanged."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.config_files.errors import ConfigError
from common.config_files.reloading import ReloadableFile
from workers.waivers import editor
from workers.waivers.loader import load_waivers, parse_waivers
from workers.waivers.matching import Waivers
from workers.waivers.model import WaiverRules

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00").timestamp()
GOOD = "id: W-1, rule: MC-C14, reason: r, owner: 1923, approver: b"
ENDS = "expires_at: 2026-12-01T18:00:00+08:00"


def read(text: str, **rules: Any) -> Waivers:
    return parse_waivers("w.yaml", text.encode(), WaiverRules.model_validate(rules), NOW)


def one(fields: str, **rules: Any) -> Waivers:
    return read(f"version: 1\nwaivers:\n- {{{fields}}}\n", **rules)


def test_ids_of_people_and_nodes_need_no_quotes() -> None:
    (item,) = one(f"{GOOD}, {ENDS}, scope: {{node_ids: [700123, '7'], nodes: [dwd_*]}}").items
    assert (item.owner, item.scope.node_ids, item.scope.nodes) == ("1923", ("700123", "7"), ("dwd_*",))


@pytest.mark.parametrize("text", ["version: 1", "version: 1\nwaivers:\n", "version: 1\nwaivers: []\n"])
def test_no_waivers(text: str) -> None:
    assert read(text).items == ()


QUOTED = "'**'"
EXAMPLE = "2026-12-01T18:00:00+08:00"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("2026-12-01", f"no time and zone; expected a time such as {EXAMPLE}"),
        ("20261201", f"no time and zone; expected a time such as {EXAMPLE}"),
        ("2026-12-01T18:00:00", f"no zone; expected a time with a zone, such as {EXAMPLE}"),
        ("2026-12-01 18:00", f"no zone; expected a time with a zone, such as {EXAMPLE}"),
        ("tomorrow", f"not a time; expected one such as {EXAMPLE}"),
        ("[]", f"not a time; expected one such as {EXAMPLE}"),
        ("", f"not a time; expected one such as {EXAMPLE}"),
        (
            "2027-02-18T10:00:01+08:00",
            "too far ahead; expected 2027-02-18 10:00 or earlier (90 days)",
        ),
        ("9999-12-31T23:59:59Z", "too far ahead; expected 2027-02-18 02:00 or earlier (90 days)"),
    ],
)
def test_an_invalid_or_too_late_expiry_is_rejected(value: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        one(f"{GOOD}, expires_at: {value}")
    place, _, said = str(refused.value).partition(": ")
    assert place in ("w.yaml:3:75", "w.yaml:3:76")
    assert said == f"waivers.0.expires_at: {why}"


@pytest.mark.parametrize("value", ["2027-02-18T10:00:00+08:00", "2026-12-01 18:00Z", "2020-01-01T00:00:00Z"])
def test_an_allowed_or_past_expiry_is_accepted(value: str) -> None:
    assert one(f"{GOOD}, expires_at: {value}").items[0].expires_at.tzinfo


@pytest.mark.parametrize("pattern", ["(a+)b", "(a|b)*", "^(a+)+$", "^Node \\d+ .* (dwd|ads)_\\w+"])
def test_a_pattern_is_accepted(pattern: str) -> None:
    assert one(f"{GOOD}, {ENDS}, pattern: '{pattern}'").items[0].pattern


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (GOOD, "3:3: waivers.0.expires_at: missing"),
        (
            "rul: x, " + ENDS,
            "3:4: waivers.0.rul: unknown key; expected one of id, rule, check, scope, fingerprint, pattern",
        ),
        (f"{GOOD}, {ENDS}, pattern: '(('", "waivers.0.pattern: invalid regular expression: "),
        (
            f"{GOOD}, {ENDS}, pattern: 'x(?!a)b'",
            "waivers.0.pattern: invalid regular expression: (?! at character 2; RE2 has no look-around",
        ),
        (
            f"{GOOD}, {ENDS}, pattern: '{'a' * 501}'",
            "waivers.0.pattern: expected a regular expression of at most",
        ),
        (
            f"{GOOD}, {ENDS}, scope: {{nodes: [a, 700123]}}",
            "waivers.0.scope.nodes.1: 700123 is an id, and a name does not match it; expected it in file_ids",
        ),
        (
            f"{GOOD}, {ENDS}, scope: {{node_ids: ['7*']}}",
            "waivers.0.scope.node_ids.0: not an id; expected a number",
        ),
        (
            f"{GOOD}, {ENDS}, scope: {{table_ids: [t]}}",
            "waivers.0.scope.table_ids.0: not a full name; expected",
        ),
        (
            f"{GOOD}, {ENDS}, scope: {{point: a}}",
            "waivers.0.scope.point: unknown key; expected one of projects,",
        ),
        (
            f"{GOOD}, {ENDS}, scope: {{points: [x]}}",
            "waivers.0.scope.points.0: unknown extension point; expected",
        ),
        (f"{GOOD}, {ENDS}, scope: {{nodes: x}}", "waivers.0.scope.nodes: expected a list"),
        (f"{GOOD}, {ENDS}, reason: ' '", "waivers.0.reason: duplicate key, first on line 3"),
        (f"{GOOD.replace('reason: r', 'reason: ')}, {ENDS}", "waivers.0.reason: expected text"),
        (f"{GOOD.replace('W-1', 'W 1')}, {ENDS}", "waivers.0.id: expected up to 40 letters"),
        (
            f"{GOOD.replace('rule: MC-C14, ', '')}, {ENDS}",
            "waivers.0: missing; expected rule or check",
        ),
        (
            f"{GOOD.replace('MC-C14', QUOTED)}, {ENDS}",
            "waivers.0: matches every finding; expected a rule, a check, a scope, a fingerprint or a pattern",
        ),
    ],
)
def test_a_problem_is_one_line_that_says_what_is_expected(fields: str, line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        one(fields)
    assert any(line in said for said in str(refused.value).splitlines()), refused.value
    assert all(said.startswith("w.yaml:3:") for said in str(refused.value).splitlines())


def test_only_the_policy_s_approvers_may_approve() -> None:
    assert one(f"{GOOD}, {ENDS}", approvers=["a", "b"])
    with pytest.raises(
        ConfigError, match=r"^w.yaml:3:\d+: waivers.0.approver: unknown approver b; expected one of a$"
    ):
        one(f"{GOOD}, {ENDS}", approvers=["a"])


def test_the_approver_differs_from_the_owner_where_the_policy_says_so() -> None:
    same = GOOD.replace("owner: 1923", "owner: ' B'")
    assert one(f"{same}, {ENDS}").items
    assert one(f"{GOOD}, {ENDS}", separate_approver=True).items
    with pytest.raises(
        ConfigError, match=r"^w.yaml:3:\d+: waivers.0.approver: b is the owner; expected another"
    ):
        one(f"{same}, {ENDS}", separate_approver=True)


def test_ids_are_unique() -> None:
    with pytest.raises(
        ConfigError, match=r"^w.yaml:4:8: waivers.1.id: duplicate id W-1; expected a unique id$"
    ):
        read(f"version: 1\nwaivers:\n- {{{GOOD}, {ENDS}}}\n- {{{GOOD}, {ENDS}}}\n")


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no.yaml: cannot be read: No such file"):
        load_waivers(tmp_path / "no.yaml", WaiverRules(), NOW)


def test_an_invalid_change_is_rejected_and_the_last_valid_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(f"version: 1\nwaivers: [{{{GOOD}, {ENDS}}}]\n")
    reloaded = ReloadableFile(
        path,
        lambda name, content: parse_waivers(name, content, WaiverRules(), NOW),
        name="waivers",
        report=lambda _: None,
        every=0,
    )

    def change(text: str) -> tuple[str, ...]:
        path.write_text(text)
        os.utime(path, (time.time() - 60,) * 2)
        return tuple(item.id for item in reloaded.value.items)

    assert change(f"version: 1\nwaivers: [{{{GOOD}}}]\n") == ("W-1",)
    assert change(f"version: 1\nwaivers: [{{{GOOD.replace('W-1', 'W-2')}, {ENDS}}}]\n") == ("W-2",)


def plain(text: str) -> Any:
    return YAML(typ="base", pure=True).load(text)


FILE = f"""# Reviewed by the data council.
version: 1   # of the form
waivers:
  # The old loader goes in December.
  - id: W-1
    rule: MC-C14   # whole tables
    scope: {{node_ids: [700123]}}
    reason: >
      known
      for long
    owner: a
    approver: b
    {ENDS}   # agreed

  - {{{GOOD.replace("W-1", "W-2")}, {ENDS}}}
  # The end.
"""
ITEM = {
    "id": "W-9",
    "check": "release-window",
    "scope": {"points": ["commit-file"]},
    "reason": '月底: "前" #1',
    "owner": "1923",
    "approver": "b",
    "expires_at": "2026-12-01T18:00:00+08:00",
}


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        FILE.rstrip("\n"),
        FILE.replace("  # The end.\n", "other: 1\n"),
        FILE.replace("  -", "-").replace("\n    ", "\n  "),
        FILE.replace("  # The end.\n", ""),
        FILE.partition("  - {")[0],
        FILE.partition("    reason")[0]
        + f"    owner: a\n    approver: b\n    {ENDS}\n    reason: |\n      known\n\n",
    ],
)
def test_a_waiver_is_appended_and_the_rest_stays(text: str) -> None:
    new = editor.append_waiver("w.yaml", text, ITEM)
    old, whole = (plain(each) for each in (text, new))
    assert whole == {**old, "waivers": [*old["waivers"], ITEM]}
    lines = new.splitlines()
    first = lines.index(next(line for line in lines if "id: W-9" in line))
    count = len(lines) - len(text.splitlines())
    assert lines[:first] + lines[first + count :] == text.splitlines()


@pytest.mark.parametrize(
    "text", ["", "\n", "version: 1\nwaivers:\n", "version: 1\nwaivers: []\n", "version: 1\nwaivers: # none\n"]
)
def test_the_first_waiver(text: str) -> None:
    assert plain(editor.append_waiver("w.yaml", text, ITEM)) == {
        "version": "1",
        "waivers": [ITEM],
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [("version: 1\nwaivers: [{id: a}]", "in flow style"), ("version: 1", "waivers: missing")],
)
def test_a_list_that_cannot_be_appended_to_is_reported(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        editor.append_waiver("w.yaml", text, ITEM)


@pytest.mark.parametrize("quoted", [str, lambda text: text.replace(ENDS, f"expires_at: '{ENDS[12:]}'")])
@pytest.mark.parametrize("id_", ["W-1", "W-2"])
def test_an_expiry_is_set_and_nothing_else_changes(id_: str, quoted: Callable[[str], str]) -> None:
    text = quoted(FILE)
    at = datetime(2026, 11, 20, 2, tzinfo=UTC)
    new = editor.set_expiry("w.yaml", text, id_, at)
    assert len(new.splitlines()) == len(text.splitlines())
    changed = [(old, now) for old, now in zip(text.splitlines(), new.splitlines(), strict=True) if old != now]
    ((old, now),) = changed
    assert now.replace("2026-11-20T02:00:00+00:00", "") == old.replace(f"'{ENDS[12:]}'", "").replace(
        ENDS[12:], ""
    )
    items = {item["id"]: item for item in plain(new)["waivers"]}
    assert items.pop(id_)["expires_at"] == "2026-11-20T02:00:00+00:00"
    assert all(item["expires_at"] == ENDS[12:] for item in items.values())
