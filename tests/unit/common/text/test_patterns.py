"""Patterns that people write: RE2, with errors that name the place, and linear in the text."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from common.text.patterns import MAX_TEXT, Pattern, is_found, is_full_match


class Options(BaseModel):
    pattern: Pattern


def error_of(pattern: str) -> str:
    with pytest.raises(ValidationError) as caught:
        Options(pattern=pattern)
    return str(caught.value.errors()[0]["ctx"]["error"])


@pytest.mark.parametrize(
    ("pattern", "text", "found", "whole"),
    [
        ("b+", "abbc", True, False),
        ("[a-c]+", "abbc", True, True),
        ("_dev$", "shop_dev", True, False),
        ("表", "订单表", True, False),
        ("^$", "", True, True),
        (".", "\ud800", True, True),
        ("(?i)ABC", "abc", True, True),
        (r"\Aa\z", "a\n", False, False),
    ],
)
def test_matches(pattern: str, text: str, found: bool, whole: bool) -> None:
    assert Options(pattern=pattern).pattern == pattern
    assert (is_found(pattern, text), is_full_match(pattern, text)) == (found, whole)


@pytest.mark.parametrize(
    "pattern", ["(a|a)*b", "(a+)+$", "(?:a?){28}a{28}b", r"\s*" * 8 + "x", "(.*)*" * 20 + "b"]
)
def test_no_pattern_is_slow(pattern: str) -> None:
    Options(pattern=pattern)
    assert not is_full_match(pattern, "a" * MAX_TEXT + "!")
    assert not is_full_match(pattern, " " * MAX_TEXT)


def test_a_text_that_is_too_long_matches_nothing() -> None:
    assert is_full_match("a*", "a" * MAX_TEXT)
    assert not is_full_match("a*", "a" * (MAX_TEXT + 1))
    assert not is_found("a", "a" * (MAX_TEXT + 1))


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a(?=b)", "(?= at character 2; RE2 has no look-around"),
        ("(?<!a)b", "(?<! at character 1; RE2 has no"),
        (r"(a)\1", r"\1 at character 4; RE2 has no"),
        ("(?P<n>a)(?P=n)", "(?P= at character 9; RE2 has no"),
        ("(?>a)", "(?> at character 1; RE2 has no"),
        ("ba++", "++ at character 3; RE2 has no"),
        ("a)b", "unexpected ) at character 2"),
        ("ab[z-a]", "invalid character class range: z-a at character 4"),
        ("x{2,1}", "invalid repetition size: {2,1} at character 2"),
        ("((a{1,100}){1,100}){1,100}", "invalid repetition size"),
        ("a{1000}" * 71, "pattern too large"),
    ],
)
def test_an_error_names_the_place(pattern: str, said: str) -> None:
    assert error_of(pattern).startswith("invalid regular expression: ")
    assert said in error_of(pattern)
    assert "\n" not in error_of(pattern)


def test_a_pattern_that_is_too_long_is_rejected() -> None:
    assert error_of("a" * 501) == "expected a regular expression of at most 500 characters"
