from __future__ import annotations

import pytest

from common.text.i18n import Language
from console.web.preferences import Theme, accepted_language, read_preferences

EN, ZH = Language.ENGLISH, Language.CHINESE


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", EN),
        ("zh", ZH),
        ("zh-CN,zh;q=0.9,en;q=0.8", ZH),
        ("en-GB,en;q=0.9,zh;q=0.8", EN),
        ("de,zh;q=0.5", ZH),
        ("de;q=1,fr", EN),
        ("zh;q=0,en;q=0.1", EN),
        ("zh;q=x,en;q=0.1", EN),
        ("*", EN),
        (";;;,,q=1", EN),
        ("en," * 100_000 + "zh", EN),
    ],
)
def test_the_language_of_a_browser(header: str, language: Language) -> None:
    assert accepted_language(header) is language


def test_an_address_is_stronger_than_a_cookie_and_a_cookie_than_the_browser() -> None:
    assert read_preferences({"lang": "en"}, {"lang": "zh"}, "zh").language is EN
    assert read_preferences({}, {"lang": "zh"}, "en").language is ZH
    assert read_preferences({}, {}, "zh").language is ZH


def test_a_choice_in_the_address_is_remembered() -> None:
    chosen = read_preferences({"lang": "zh", "theme": "dark"}, {}, "")
    assert (chosen.theme, chosen.cookies) == (Theme.DARK, {"lang": "zh", "theme": "dark"})


def test_unknown_values_are_ignored() -> None:
    chosen = read_preferences({"lang": "xx", "theme": "<b>"}, {"lang": "yy", "theme": "blue"}, "zh")
    assert (chosen.language, chosen.theme, chosen.cookies) == (ZH, None, {})
