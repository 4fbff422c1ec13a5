"""Every text of the pages exists in both languages, with the same values."""

from __future__ import annotations

import re
import string
from importlib import import_module
from pathlib import Path

import pytest

from common.text.i18n import Text
from console.web import page_renderer, texts
from console.web.texts.catalogue import ONE, Catalogue, Words

MODULES = sorted(path.stem for path in Path(texts.__path__[0]).glob("*.py") if path.stem != "__init__")
CATALOGUES = {
    f"{module}.{name}": value
    for module in MODULES
    for name, value in vars(import_module(f"console.web.texts.{module}")).items()
    if isinstance(value, Catalogue)
}
TEXTS = [(f"{name}.{key}", text) for name, held in CATALOGUES.items() for key, text in held.texts.items()]


def values_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("text", [text for _, text in TEXTS], ids=[name for name, _ in TEXTS])
def test_a_text_has_both_languages(text: Text) -> None:
    assert text.en.strip()
    assert text.zh.strip()
    assert values_of(text.en) == values_of(text.zh)


@pytest.mark.parametrize("text", [text for _, text in TEXTS], ids=[name for name, _ in TEXTS])
def test_chinese_is_punctuated_as_chinese(text: Text) -> None:
    assert not re.search(r"[一-鿿][,;:?!]|[一-鿿]\.(?!\w)", text.zh)
    assert not re.search(r"[一-鿿][A-Za-z0-9]|[A-Za-z0-9][一-鿿]", text.zh), "a space between the scripts"


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_text_for_one_has_a_text_for_more(name: str) -> None:
    keys = CATALOGUES[name].texts
    assert {key.removesuffix(ONE) for key in keys if key.endswith(ONE)} <= keys.keys()


def test_templates_use_texts_that_exist() -> None:
    known = {key for held in CATALOGUES.values() for key in held.texts}
    for template in page_renderer.TEMPLATES.glob("*.j2"):
        used = set(re.findall(r"\bwords\.(\w+)", template.read_text(encoding="utf-8")))
        assert used - known <= {"count", "fill", "number"}, template.name


def test_a_text_in_two_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="greeting"):
        Catalogue({"greeting": Text("a", "b")}, {"greeting": Text("c", "d")})


def test_no_key_is_hidden_by_an_attribute_of_the_words() -> None:
    hidden = {key for held in CATALOGUES.values() for key in held.texts if hasattr(Words, key)}
    assert hidden == set()
