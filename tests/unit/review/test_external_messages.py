"""Messages about findings of external linters: made of the rule alone, complete, and in both languages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from common.text.i18n import Language, Text
from common.verdicts import Severity
from review.facts import Span
from review.languages.external import ruff, squawk
from review.languages.external.external_diagnostic import ExternalDiagnostic
from review.languages.external.external_tool import (
    limit_hits,
)
from review.report import describe_rule
from review.rules.external_rules import is_external, message_of, title_of
from review.rules.external_titles.ruff import RUFF_TITLES
from review.rules.external_titles.shellcheck import SHELLCHECK_TITLES
from review.rules.external_titles.squawk import SQUAWK_TITLES

CHINESE = re.compile(r"[\u4e00-\u9fff]")
TITLES = {
    **{f"PY-{name}": title for name, title in RUFF_TITLES.items()},
    **{f"SH-{name}": title for name, title in SHELLCHECK_TITLES.items()},
    **{f"PG-{name}": title for name, title in SQUAWK_TITLES.items()},
}


@pytest.mark.parametrize("rule", TITLES)
def test_a_title_is_a_short_line_in_both_languages(rule: str) -> None:
    title = TITLES[rule]
    assert is_external(rule)
    assert title_of(rule) == title
    assert CHINESE.search(title.zh)
    assert not CHINESE.search(title.en)
    assert not title.en.endswith(".")
    assert not title.zh.endswith("。")
    assert max(len(title.en), len(title.zh)) < 100
    assert message_of(rule) == Text(f"{title.en}.", f"{title.zh}。")
    assert describe_rule(rule, Language.CHINESE).title == title.zh


def test_every_rule_of_ruff_that_is_enabled_has_a_title() -> None:
    program = Path(sys.executable).with_name("ruff")
    done = subprocess.run([program, "rule", "--all", "--output-format=json"], capture_output=True, check=True)
    stable = [rule["code"] for rule in json.loads(done.stdout) if not rule["preview"] and rule["code"]]
    removed = {"E999"}
    enabled = [
        code
        for code in stable
        if code not in removed
        and any(re.fullmatch(rf"{chosen}\d*", code) for chosen in ruff._SELECT.split(","))
        and code not in ruff._IGNORE.split(",")
    ]
    assert len(enabled) > 80
    assert sorted(set(enabled) - set(RUFF_TITLES)) == []


def test_every_rule_of_squawk_that_is_enabled_has_a_title() -> None:
    assert SQUAWK_TITLES.keys() == squawk._ENABLED_RULES.keys()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            "PY-F999",
            Text(
                "ruff reports F999 here; see https://docs.astral.sh/ruff/rules/F999/.",
                "ruff 在此报告 F999，详见 https://docs.astral.sh/ruff/rules/F999/ 。",
            ),
        ),
        (
            "SH-SC9999",
            Text(
                "shellcheck reports SC9999 here; see https://www.shellcheck.net/wiki/SC9999.",
                "shellcheck 在此报告 SC9999，详见 https://www.shellcheck.net/wiki/SC9999 。",
            ),
        ),
    ],
)
def test_an_unknown_rule_is_named_with_its_page(rule: str, message: Text) -> None:
    assert title_of(rule) is None
    assert message_of(rule) == message


def test_findings_of_one_rule_displace_no_other() -> None:
    def hit(rule: str, severity: Severity, at: int) -> ExternalDiagnostic:
        return ExternalDiagnostic(rule, severity, Span(at, at + 1), Text("m", "消息"))

    hits = [hit("PY-F401", Severity.WARN, at) for at in range(150)]
    hits.append(hit("PY-S602", Severity.WARN, 200))
    kept = list(limit_hits(ruff.RUFF, "x\n", iter(hits)))
    assert [item.rule for item in kept] == ["PY-F401"] * 100 + ["PY-S602", "PY-RUFF"]
    assert kept[-1].severity is Severity.WARN
    assert kept[-1].message.en == "50 more findings of ruff are not listed."
