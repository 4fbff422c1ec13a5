"""Findings of external linters: ruff for Python, shellcheck for shell, squawk for Hologres."""

from __future__ import annotations

import re

from common.text.i18n import Text
from review.rules.external_titles.ruff import RUFF_TITLES
from review.rules.external_titles.shellcheck import SHELLCHECK_TITLES
from review.rules.external_titles.squawk import SQUAWK_TITLES

_IDS = re.compile(
    r"PY-(?P<ruff>[A-Z]{1,4}[0-9]{3,4})|SH-(?P<shellcheck>SC[0-9]{4})|PG-(?P<squawk>[a-z]+(?:-[a-z]+)+)"
    r"|PY-RUFF|SH-SHELLCHECK|PG-SQUAWK"
)
_PAGES = {
    "ruff": "https://docs.astral.sh/ruff/rules/{}/",
    "shellcheck": "https://www.shellcheck.net/wiki/{}",
    "squawk": "https://squawkhq.com/docs/{}",
}
_TITLES = {"ruff": RUFF_TITLES, "shellcheck": SHELLCHECK_TITLES, "squawk": SQUAWK_TITLES}

SECRETS = frozenset({"PY-S105", "PY-S106", "PY-S107"})
"""Ids whose findings are on secrets."""

_ABOUT_REVIEW = frozenset({"MC-C19", "PY-RUFF", "SH-SHELLCHECK", "PG-SQUAWK"})


def is_external(rule: str) -> bool:
    """Whether `rule` is the id of a finding of an external linter."""
    return _IDS.fullmatch(rule) is not None


def is_about_review(rule: str) -> bool:
    """Whether findings of `rule` are about the review itself: what was not reviewed, or a suppression."""
    return rule in _ABOUT_REVIEW or rule.startswith("DW-")


def docs_url(rule: str) -> str | None:
    """Return the URL of the linter's page about a rule; None if it has none."""
    name, linter = _name_and_linter(rule)
    return _PAGES[linter].format(name) if linter else None


def title_of(rule: str) -> Text | None:
    """Return what an external rule reports, in dwgate's own words; None if the rule is unknown."""
    name, linter = _name_and_linter(rule)
    return _TITLES[linter].get(name) if linter else None


def message_of(rule: str) -> Text:
    """Return the message of every finding of an external rule.

    It is made of the rule alone. A linter's own message quotes the code and may contain a secret.
    """
    if title := title_of(rule):
        return Text(f"{title.en}.", f"{title.zh}。")
    name, linter = _name_and_linter(rule)
    url = docs_url(rule)
    return Text(f"{linter} reports {name} here; see {url}.", f"{linter} 在此报告 {name}，详见 {url} 。")


def _name_and_linter(rule: str) -> tuple[str, str]:
    """Return a rule's name at its linter, and the linter; both empty if it is not a rule of a linter."""
    match = _IDS.fullmatch(rule)
    if match is None or match.lastgroup is None:
        return "", ""
    return match[match.lastgroup], match.lastgroup
