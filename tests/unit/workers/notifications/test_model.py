"""The section `notifications` of a policy: what is wrong is named with its line, and who gets what."""

from __future__ import annotations

import jsonschema
import pytest

from common.config_files.errors import ConfigError
from common.text.i18n import Language
from tests.support import plain_yaml
from workers.checks import registry
from workers.notifications.model import NotificationKind, NotificationRules
from workers.policy.json_schema import build_schema
from workers.policy.policy import parse_policy

SECTION = """\
version: 1
notifications:
  people: {2001: alice, carol: carol-mail}
  routes:
    - {kinds: [dead-event, policy-rejected], to: [ops]}
    - {kinds: [dead-event, blocked-operation], workspaces: [93124], to: [operator, owner, team], language: zh}
    - {kinds: [waiver-expiring], to: [owner]}
"""


def rules(text: str = SECTION) -> NotificationRules:
    return parse_policy("policy.yaml", text.encode(), registry.load_checks()).notifications


def test_every_route_that_fits_applies_and_a_target_gets_one() -> None:
    found = rules().targets(
        NotificationKind.DEAD_EVENT, [93124], operators=["2001"], owners=["carol", "nobody"]
    )
    chinese = Language.CHINESE
    assert found == {"ops": None, "alice": chinese, "carol-mail": chinese, "team": chinese}


def test_a_route_for_workspaces_is_for_these_only() -> None:
    kind = NotificationKind.BLOCKED_OPERATION
    assert not rules().wants(kind, [7])
    assert not rules().wants(kind, [])
    assert rules().wants(kind, [93124])
    assert rules().targets(NotificationKind.DEAD_EVENT, [7], operators=["2001"]) == {"ops": None}


def test_a_person_without_an_entry_gets_nothing() -> None:
    assert rules().targets(NotificationKind.WAIVER_EXPIRING, [], owners=["dave"]) == {}


def test_all_targets_that_are_used_are_known() -> None:
    assert rules().target_names() == {"ops", "team", "alice", "carol-mail"}


def test_a_policy_without_the_section_notifies_nobody() -> None:
    assert not any(rules("version: 1").wants(kind, [1]) for kind in NotificationKind)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("routes: [{kinds: [dead], to: [ops]}]", "expected 'dead-event', 'blocked-operation'"),
        ("routes: [{kinds: [dead-event], to: []}]", "expected a list of at least 1"),
        ("routes: [{kinds: [dead-event]}]", "to: missing"),
        ("routes: [{kinds: [dead-event], to: [https://x/?key=secret]}]", "not a name of a target"),
        ("routes: [{kinds: [dead-event], to: [operator]}]", "people is missing"),
        ("people: {1: a}\n  routes: [{kinds: [weekly-report], to: [owner]}]", "weekly-report has no owner"),
        ("people: {1: a}\n  routes: [{kinds: [waiver-expiring], to: [operator]}]", "has no operator"),
        ("people: {1: owner}", "owner is no target"),
        ("routes: [{kinds: [dead-event], to: [ops], language: fr}]", "expected 'en' or 'zh'"),
        ("routs: []", "unknown key; expected one of people, routes"),
    ],
)
def test_what_is_wrong_is_named(section: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        rules(f"version: 1\nnotifications:\n  {section}\n")
    text = str(raised.value)
    assert expected in text
    assert text.startswith("policy.yaml:")
    assert "secret" not in text


def test_the_json_schema_knows_the_section() -> None:
    schema = build_schema(registry.load_checks())
    valid = plain_yaml.load(SECTION.replace("2001", '"2001"'))
    jsonschema.validate(valid, schema)
    valid["notifications"]["routes"][0]["kinds"] = ["dead"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(valid, schema)
