"""Comments that name a waiver: they hold exactly if that waiver covers the findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from common.plan import Mode, PlannedCheck
from common.subjects.event_subject import EventSubject
from common.verdicts import AppliedWaiver, Finding, Outcome, Result, Severity, Subject, SubjectKind
from review.dialects import Dialect
from review.engine import review
from review.options import ReviewOptions
from workers.waivers.matching import Waivers, apply_waivers, waiver_of
from workers.waivers.model import Waiver

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00").timestamp()
CODE = "DROP TABLE shop.u; DELETE FROM shop.t; -- dwgate:ignore MC-C14 waiver:W-1\n"
FILE = EventSubject("code-review", "commit-file", 93124, (Subject(SubjectKind.FILE, "501", "dwd_order_di"),))
PLANNED = PlannedCheck("code-review", Mode.ENFORCE, Result.WARN, Result.WARN)


def waiver(**fields: Any) -> Waiver:
    given = {"id": "W-1", "rule": "MC-C14", "reason": "known", "owner": "a", "approver": "b"} | fields
    return Waiver.model_validate({"expires_at": "2026-12-01T18:00:00+08:00", **given})


def judged(code: str, *waivers: Waiver, now: float = NOW, **policy: Any) -> dict[str, list[str | None]]:
    """Return the waivers of all findings by rule."""
    found = review(code, Dialect.MAXCOMPUTE, policy=ReviewOptions.model_validate(policy))
    marked = apply_waivers(Outcome.of(found), FILE, Waivers(waivers), now).findings
    rules: dict[str, list[str | None]] = {}
    for item in marked:
        rules.setdefault(item.rule, []).append(waiver_of(item))
    return rules


def test_the_waiver_covers_the_finding_and_its_comment() -> None:
    rules = judged(CODE, waiver())
    assert rules["MC-C14"] == ["W-1"]
    assert rules["DW-I03"] == ["W-1"]
    assert rules["MC-S02"] == [None], "another rule on the same line"


@pytest.mark.parametrize(
    ("code", "known", "now"),
    [
        (CODE, [], NOW),
        (CODE, [waiver(id="W-2", rule="MC-P04")], NOW),
        (CODE, [waiver()], waiver().expires_ts),
        (CODE, [waiver(rule="MC-P04")], NOW),
        (CODE, [waiver(scope={"files": ["other"]})], NOW),
        (CODE, [waiver(scope={"projects": [1]})], NOW),
    ],
)
def test_a_waiver_that_does_not_cover_the_finding_changes_nothing(
    code: str, known: list[Waiver], now: float
) -> None:
    rules = judged(code, *known, now=now)
    assert rules["MC-C14"] == [None]
    assert rules["DW-I03"] == [None]


def test_a_comment_that_names_another_waiver_than_the_one_that_holds_is_reported() -> None:
    rules = judged(CODE, waiver(id="W-2"))
    assert rules["MC-C14"] == ["W-2"]
    assert rules["DW-I03"] == [None]


def test_one_comment_for_several_findings_needs_all_of_them_covered() -> None:
    code = "-- dwgate:ignore MC-S02 waiver:W-1\nDROP TABLE shop.a; DROP TABLE shop.b;\n"
    only = waiver(rule="MC-S02", scope={"tables": ["shop.a"]})
    rules = judged(code, only)
    assert rules["MC-S02"] == ["W-1", None]
    assert rules["DW-I03"] == [None]


def test_the_marks_change_with_the_waivers() -> None:
    found = Outcome.of(review(CODE, Dialect.MAXCOMPUTE))
    without = apply_waivers(found, FILE, Waivers(), NOW)
    with_ = apply_waivers(without, FILE, Waivers((waiver(),)), NOW)
    marks = {item.rule: item.waived for item in with_.findings}
    assert marks["DW-I03"] == marks["MC-C14"] == AppliedWaiver("W-1", "known", waiver().expires_ts)
    assert apply_waivers(with_, FILE, Waivers(), NOW) == without
    assert PLANNED.effective_result(without) is Result.FAIL


def test_a_policy_can_require_waivers() -> None:
    plain = "SELECT id FROM t WHERE ds = '1' ORDER BY id -- dwgate:ignore MC-P06 200 rows a day"
    strict: dict[str, Any] = {"suppressions": {"require_waiver": True}}
    assert judged(plain, **strict)["DW-I03"] == [None]
    named = plain.replace("200 rows a day", "waiver:W-1 until the loader is replaced")
    assert judged(named, waiver(rule="MC-P06"), **strict)["DW-I03"] == ["W-1"]
    assert judged(named, waiver(rule="MC-P06"), **strict)["MC-P06"] == ["W-1"]


def test_findings_without_references_stay_as_they_are() -> None:
    finding = Finding("MC-P04", Severity.WARN, "m", fingerprint="a")
    (item,) = apply_waivers(Outcome.of([finding]), FILE, Waivers((waiver(),)), NOW).findings
    assert item.waived is None
    assert item.params == ()
