"""Rules of plug-ins: one whose options cannot be used is a problem, and the others stay."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from review.rules import plugins
from review.rules.api import Options, Rule
from review.rules.registry import BY_ID


class Opaque:
    """A class that is no type of an option."""


class OpaqueOptions(Options):
    value: Opaque = Opaque()


class NeedyOptions(Options):
    limit: int


class UsableOptions(Options):
    limit: int = 3


def offered(id_: str, options: type[Options]) -> Rule:
    return replace(BY_ID["MC-P06"], id=id_, name=id_.lower(), options=options)


def test_only_rules_with_usable_options_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [
        offered("ACME-C01", OpaqueOptions),
        offered("ACME-C02", NeedyOptions),
        offered("ACME-C03", UsableOptions),
    ]
    entries = [(EntryPoint(rule.id, "acme", plugins.GROUP), rule) for rule in rules]
    monkeypatch.setattr(plugins, "load_plugins", lambda _: iter(entries))
    loaded = plugins.load_rules(frozenset())
    assert [rule.id for rule in loaded.rules] == ["ACME-C03"]
    opaque, needy = map(str, loaded.problems)
    assert "ACME-C01: its options are invalid: Unable to generate pydantic-core schema" in opaque
    assert needy.endswith("ACME-C02: its options have fields without a valid default: limit")
