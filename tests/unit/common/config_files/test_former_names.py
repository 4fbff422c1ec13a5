"""An error about a former public name contains the current one."""

from __future__ import annotations

import time

import pytest

from common.config_files.errors import ConfigError
from common.config_files.former_names import CHECKS, FINDINGS, RULES
from review.rules.registry import BY_NAME
from workers.checks.registry import load_checks
from workers.policy.policy import parse_policy
from workers.waivers.loader import parse_waivers
from workers.waivers.model import WaiverRules


def test_current_names_exist() -> None:
    assert set(CHECKS.values()) <= load_checks().keys()
    assert not CHECKS.keys() & load_checks().keys()
    assert set(RULES.values()) <= BY_NAME.keys()
    assert not FINDINGS.keys() & set(FINDINGS.values())


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            "points: {unfreeze-node: {checks: {start-rush: {}}}}",
            "unknown check; start-rush is now start-surge",
        ),
        (
            "points: {backfill-data: {checks: {backfill-limits: {options: {most_days: 3}}}}}",
            "unknown key; most_days is now max_days",
        ),
        ("waivers: {longest_days: 3}", "unknown key; longest_days is now max_days"),
        ("console: [{setting: backfill-limits.max_days, least: 1}]", "unknown key; least is now minimum"),
        ("console: [{setting: backfill-limits.max_days, most: 1}]", "unknown key; most is now maximum"),
        (
            "console: [backfill-limits.most_days]",
            "unknown option backfill-limits.most_days; most_days is now max_days",
        ),
        ("console: [start-rush.mode]", "unknown check start-rush; start-rush is now start-surge"),
    ],
)
def test_a_former_name_in_a_policy(policy: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_policy("p.yaml", f"version: 1\n{policy}\n".encode(), load_checks())
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("rule: not-looked-at", "not-looked-at is now not-checked"),
        ("check: data-leaving", "data-leaving is now data-download"),
    ],
)
def test_a_former_name_in_a_waiver(key: str, message: str) -> None:
    waiver = f"{{id: W-1, {key}, reason: r, owner: o, approver: a, expires_at: 2026-11-28T12:00:00+08:00}}"
    with pytest.raises(ConfigError, match=message):
        parse_waivers("w.yaml", f"version: 1\nwaivers: [{waiver}]\n".encode(), WaiverRules(), time.time())
