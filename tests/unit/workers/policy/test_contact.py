"""Whom people may ask: in the policy, the plan, and the tip of a blocked operation."""

from __future__ import annotations

import dataclasses

import pytest

from common.config_files.errors import ConfigError
from common.contact import Contact
from common.events import Event
from common.plan import Plan
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, Result, Severity
from tests.support.plans import plan_of
from workers.checks import registry
from workers.pipeline import planner
from workers.pipeline.tip import MAX_LENGTH, render_tip
from workers.policy.policy import Policy, parse_policy

CHECKS = registry.load_checks()
TEAM = Contact("platform team", "https://chat.example.com/data")


def load(text: str) -> Policy:
    return parse_policy("policy.yaml", f"version: 1\n{text}".encode(), CHECKS)


def test_the_contact_of_a_workspace_is_merged_over_that_of_the_organisation() -> None:
    policy = load(
        "contact: {name: platform, url: 'https://a.example.com', tracker: 'https://b.example.com?r={rule}'}\n"
        "workspaces: {7: {contact: {name: trade}}, 8: {}}"
    )
    everywhere = Contact("platform", "https://a.example.com", None, "https://b.example.com?r={rule}")
    assert policy.contact(None) == policy.contact(1) == policy.contact(8) == everywhere
    assert policy.contact(7) == dataclasses.replace(everywhere, name="trade")


def test_a_workspace_may_be_the_only_one_with_a_contact() -> None:
    policy = load("workspaces: {7: {contact: {mail: a@example.com}}}")
    assert policy.contact(7) == Contact(mail="a@example.com")
    assert (policy.contact(8), load("contact:").contact(None)) == (None, None)


@pytest.mark.parametrize(
    ("contact", "problem"),
    [
        ("{url: example.com}", "2:16: contact.url: expected a URL that begins with https:// or http://"),
        ("{url: 'javascript:alert(1)'}", "contact.url: expected a URL"),
        ("{mail: someone}", "contact.mail: expected a mail address"),
        ("{tracker: 'https://a.example.com?q={code}'}", "expected {message_id}, {rule}, {file}"),
        ("{name: ''}", "contact.name: expected text of at least 1 characters"),
        ("{phone: 1}", "contact.phone: unknown key; expected one of name, url, mail, tracker"),
    ],
)
def test_an_invalid_contact_is_rejected(contact: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(f"contact: {contact}")
    assert problem in str(error.value)


def test_the_plan_has_the_contact_of_the_workspace_also_from_the_ledger() -> None:
    policy = load("workspaces: {7: {contact: {mail: a@example.com}}}")
    plan = planner.build_plan(Event("m", "commit-file", 7, None, True, {}, 0), policy, CHECKS)
    assert plan.contact == Contact(mail="a@example.com")
    assert Plan.from_json(plan.to_json()) == plan
    older = {key: value for key, value in plan.to_json().items() if key != "contact"}
    assert Plan.from_json(older).contact is None


def test_the_link_of_a_request_contains_encoded_values() -> None:
    contact = Contact(tracker="https://a.example.com/new?t={rule}&f={file}&e={message_id}")
    url = contact.request_url(message_id="m-1", rule="MC-C01", file="a b&c={rule}")
    assert url == "https://a.example.com/new?t=MC-C01&f=a%20b%26c%3D%7Brule%7D&e=m-1"
    assert TEAM.request_url(message_id="m", rule="r", file="f") is None


def tip(
    result: Result, contact: Contact | None, findings: int = 1, language: Language = Language.ENGLISH
) -> str:
    plan = dataclasses.replace(plan_of("code-review"), contact=contact, language=language)
    found = [Finding("MC-C01", Severity.BLOCK, "x" * 500, line=number) for number in range(1, findings + 1)]
    return render_tip(result, plan, {"code-review": Outcome.of(found)}, "m-1")


def test_the_tip_of_a_blocked_operation_names_the_contact() -> None:
    line = "Questions: platform team, https://chat.example.com/data"
    assert line in tip(Result.FAIL, TEAM).splitlines()
    assert "联系方式：a@example.com" in tip(
        Result.FAIL, Contact(mail="a@example.com"), language=Language.CHINESE
    )
    assert "Questions" not in tip(Result.WARN, TEAM)
    assert "Questions" not in tip(Result.FAIL, Contact(tracker="https://a.example.com"))


@pytest.mark.parametrize("findings", [0, 1, 3, 20])
@pytest.mark.parametrize("length", [50, 280])
def test_a_contact_is_shown_as_a_whole_or_not_at_all(findings: int, length: int) -> None:
    url = "https://chat.example.com/" + "y" * length
    text = tip(Result.FAIL, Contact("n" * 80, url), findings)
    assert len(text) <= MAX_LENGTH
    assert text.endswith("\nEvent m-1")
    assert "Questions" not in text or url in text.splitlines()[-2]
    assert text.count("[MC-C01]") >= min(findings, 1)
