"""Names by pattern: what a pattern stands for, and whether an expression has a name in common with it."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.checks import globs


@pytest.mark.parametrize(
    ("glob", "name", "stands"),
    [
        ("odps.shop.*", "odps.shop.a", True),
        ("odps.shop.*", "ODPS.SHOP.A.b", True),
        ("odps.shop.*", "odps.shop", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a[bc]", "a[bc]", True),
        ("a[bc]", "ab", False),
        ("a.c", "abc", False),
        ("*a*a*a*a*a*b", "a" * 5000, False),
    ],
)
def test_a_pattern_stands_for_names(glob: str, name: str, stands: bool) -> None:
    assert globs.first([glob], name) == (glob if stands else None)


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
    assert globs.of_regular(expression) == glob


NAMES = ["".join(letters) for length in range(7) for letters in product("a.", repeat=length)]


def fits(pattern: str, *, dots: bool) -> re.Pattern[str]:
    wild = {"*": ".*" if dots else "[^.]*", "?": "." if dots else "[^.]"}
    return re.compile("".join(wild.get(piece, re.escape(piece)) for piece in pattern))


@settings(deadline=None, max_examples=150)
@given(st.text("a.*?", max_size=3), st.text("a.*?", max_size=3))
def test_patterns_meet_when_they_have_a_name_in_common(parts: str, glob: str) -> None:
    one, other = fits(parts, dots=False), fits(glob, dots=True)
    assert globs.meet(parts, glob) == any(one.fullmatch(name) and other.fullmatch(name) for name in NAMES)
