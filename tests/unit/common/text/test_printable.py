"""Text that is shown: what is replaced, and that everything else stays as it is."""

from __future__ import annotations

import json
import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.text.printable import escape_json, is_printable, printable

TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 表 dwd_订单 and é", "plain text, 表 dwd_订单 and é"),
        ("a\tb\nc\r\nd", "a b c  d"),
        ("a\u00a0b\u3000c\u2028d\u2029e\x85f", "a b c d e f"),
        ("\x1b[2J\x9b2J\x07", "\ufffd[2J\ufffd2J\ufffd"),
        ("a\u202eb\u2066c\u200bd\u200de\ufefff", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"),
        ("a\ud800b\ue000c\uffffd", "a\ufffdb\ufffdc\ufffdd"),
        ("a\u3164b\u2800c\u115fd\ufe0fe\u034ff\U000e0101", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffd"),
    ],
)
def test_what_is_not_visible_is_replaced(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(TEXT)
def test_the_result_is_printable_and_as_long(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert shown.isprintable()
    assert is_printable(shown)
    assert printable(shown) == shown
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.recursive(TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)))
def test_escaped_json_has_the_same_values(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    escaped = escape_json(text)
    assert json.loads(escaped) == json.loads(text)
    assert all(is_printable(line) for line in escaped.split("\n"))


def test_json_with_plain_text_is_unchanged() -> None:
    text = orjson.dumps({"表": ["订单", "é"]}, option=orjson.OPT_INDENT_2).decode()
    assert escape_json(text) == text
