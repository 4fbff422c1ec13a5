"""The scanner of `make check` for regular expressions of more than linear time."""

from __future__ import annotations

import re

import pytest

from tests.redos.growth import slow_text

SLOW = [
    (r"(?:a|b|[ab]c?)*d", 0, "match"),
    (r"(?:a*)*b", 0, "match"),
    (r"(?:a|aa)+$", 0, "match"),
    (r"(?:yyyy|yy|mm|dd)+", re.IGNORECASE, "fullmatch"),
    (r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|[(;])*select\b", re.DOTALL, "match"),
    (r"\s+$", 0, "finditer"),
    (r"print[ \t]*(?:>>)?[ \t]*(?=[^\s=])", 0, "match"),
    (r"^[^\n#]*\btrap\b.*\bERR\b", re.MULTILINE, "finditer"),
    (r"\[[^\]\n]*\]", 0, "finditer"),
    (r"'(?:[^'\\\n]|\\.)*'", re.DOTALL, "finditer"),
    (r"#[^\n]{0,100}?password:(?=[!-~]*\d)", 0, "finditer"),
    (r"as\s+[\w,\s]+(?:\([\d\s]*\))?[^()]*\)", 0, "match"),
    (r"(\w+)\s*=\s*\1;", 0, "finditer"),
    (r"\bvalues\s*;?\s*\Z", 0, "finditer"),
    (r"\bset\s+(?:-\w+\s+)*-\d", 0, "finditer"),
]
LINEAR = [
    (r"(?:\s|--[^\n]*+(?:\n|\Z)|/\*.*?\*/|[(;])*+select\b", re.DOTALL, "match"),
    (r"\s+$", 0, "match"),
    (r"'(?:[^'\\\n]|\\.)*+'?", re.DOTALL, "finditer"),
    (r"\[[^\[\]\n]*\]", 0, "finditer"),
    (r"(?:yyyy|yy|mm|dd)++", re.IGNORECASE, "fullmatch"),
    (r"\bvalues\s*+(?:;\s*+)?\Z", 0, "match"),
    (r"[a-z]{1,40}=", 0, "finditer"),
    (r"/\*.*?(?:\*/|\Z)", re.DOTALL, "finditer"),
]


@pytest.mark.parametrize(("pattern", "flags", "method"), SLOW)
def test_finds_a_slow_pattern(pattern: str, flags: int, method: str) -> None:
    assert slow_text(pattern, flags, method) is not None


@pytest.mark.parametrize(("pattern", "flags", "method"), LINEAR)
def test_accepts_a_linear_pattern(pattern: str, flags: int, method: str) -> None:
    assert slow_text(pattern, flags, method) is None
