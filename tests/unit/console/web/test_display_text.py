from __future__ import annotations

import pytest

from console.web.display_text import display, isolate, shorten

FSI, PDI = "\u2068", "\u2069"


def test_plain_text_is_unchanged() -> None:
    assert isolate("dws_trade_user_1d 订单") == display("dws_trade_user_1d 订单") == "dws_trade_user_1d 订单"


@pytest.mark.parametrize("hostile", ["a\u202eb", "a\u2066b", "a\u2068b", "a\u2069b", "a\u200bb", "a\x00b"])
def test_invisible_characters_are_replaced(hostile: str) -> None:
    assert isolate(hostile) == "a\ufffdb"


def test_text_from_right_to_left_cannot_move_what_surrounds_it() -> None:
    assert isolate("שלום") == f"{FSI}שלום{PDI}"
    assert display(f"the table {isolate('שלום')} was stopped") == f"the table {FSI}שלום{PDI} was stopped"


def test_values_that_are_no_text_are_unchanged() -> None:
    assert display(5) == 5
    assert display(None) is None


def test_a_long_text_loses_its_middle() -> None:
    assert shorten("a" * 10 + "b" * 10, 11) == "aaaaa…bbbbb"
    assert shorten("short", 11) == "short"
    assert len(shorten("x" * 1_000_000, 80)) == 80
