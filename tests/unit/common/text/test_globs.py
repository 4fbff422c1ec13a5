"""Globs: which names they match, and whether they overlap with a regular expression."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.events import Event
from common.snapshot import Snapshot
from common.subjects.event_subject import subject_of
from common.subjects.policy_subject import PolicySubject
from common.text import globs
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, Severity
from console.commands import waivers
from console.exit_codes import UsageError
from workers.checks import registry
from workers.checks.api import Context
from workers.policy.layers import build_stacks
from workers.policy.model import PolicyFile
from workers.waivers.matching import Waivers, apply_waivers
from workers.waivers.model import Waiver

NOW = 1_780_000_000.0


def matches_in_check(glob: str, name: str, _: pytest.MonkeyPatch) -> bool:
    check = registry.load_checks()["data-upload"]
    event = Event("m-1", "upload-data", 93124, "1923", True, {"tableGuid": name}, NOW)
    options = check.options.model_validate({"forbidden_targets": [glob]})
    findings = check.run(Context(event, Snapshot(), options, None, NOW, Language.ENGLISH))
    return "upload-target" in {finding.rule for finding in findings}


def matches_in_waiver(glob: str, name: str, _: pytest.MonkeyPatch) -> bool:
    fields = {
        "id": "W-1",
        "rule": glob,
        "reason": "r",
        "owner": "a",
        "approver": "b",
        "scope": {"projects": [1]},
    }
    waiver = Waiver.model_validate({**fields, "expires_at": "2026-12-01T18:00:00+08:00"})
    event = Event("m-1", "freeze-node", 1, "1923", True, {}, NOW)
    outcome = Outcome.of([Finding(name, Severity.BLOCK, "message")])
    (finding,) = apply_waivers(outcome, subject_of("x", event, None), Waivers((waiver,)), NOW).findings
    return finding.waived is not None


def matches_in_where(glob: str, name: str, _: pytest.MonkeyPatch) -> bool:
    where = {"paths": [glob], "points": {"commit-file": {}}}
    stack = build_stacks(PolicyFile.model_validate({"version": 1, "where": [where]}))[None]
    return bool(stack.applicable("commit-file", PolicySubject(10, (name,))))


def matches_in_console(glob: str, name: str, patch: pytest.MonkeyPatch) -> bool:
    check = registry.load_checks()["data-upload"]
    patch.setattr(registry, "load_checks", lambda: {name: check})
    try:
        waivers._require_known(None, glob)
    except UsageError:
        return False
    return True


@pytest.mark.parametrize(
    "matches", [matches_in_check, matches_in_waiver, matches_in_where, matches_in_console]
)
@pytest.mark.parametrize(
    ("glob", "name", "expected"),
    [
        ("odps.shop.*", "odps.shop.a", True),
        ("odps.shop.*", "ODPS.SHOP.A.b", True),
        ("ODPS.*", "odps.shop", True),
        ("odps.shop.*", "odps.shop", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a[bc]", "a[bc]", True),
        ("a[bc]", "ab", False),
        ("a[!b]*", "a[!b]c", True),
        ("a[!b]*", "acc", False),
        ("a]", "a]", True),
        ("a.c", "abc", False),
        ("(a|b)", "a", False),
        ("b*", "ab", False),
        ("*a*a*a*a*a*b", "a" * 5000, False),
    ],
)
def test_a_glob_means_the_same_everywhere(
    matches: Callable[[str, str, pytest.MonkeyPatch], bool],
    glob: str,
    name: str,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert matches(glob, name, monkeypatch) is expected


@pytest.mark.parametrize(
    ("expression", "glob"),
    [
        ("orders", "orders"),
        ("Test.*", "test*"),
        (".+", "?*"),
        (r"a\.b.", "a.b?"),
        ("a*", None),
        ("(a|b)", None),
        ("[ab]", None),
        ("^a$", None),
        ("a{2}", None),
        ("x" * 300, None),
    ],
)
def test_simple_expressions_are_globs(expression: str, glob: str | None) -> None:
    assert globs.regex_to_glob(expression) == glob


NAMES = ["".join(letters) for length in range(7) for letters in product("a.", repeat=length)]


def fits(pattern: str, *, dots: bool) -> re.Pattern[str]:
    wild = {"*": ".*" if dots else "[^.]*", "?": "." if dots else "[^.]"}
    return re.compile("".join(wild.get(piece, re.escape(piece)) for piece in pattern))


@settings(deadline=None, max_examples=150)
@given(st.text("a.*?", max_size=3), st.text("a.*?", max_size=3))
def test_patterns_overlap_when_they_have_a_name_in_common(parts: str, glob: str) -> None:
    one, other = fits(parts, dots=False), fits(glob, dots=True)
    assert globs.overlap(parts, glob) == any(one.fullmatch(name) and other.fullmatch(name) for name in NAMES)
