"""Targets and how they are sent to, against receivers on this machine, with the real plugins of apprise."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import logging
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from apprise import Apprise
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot
from pydantic import SecretStr

from tests.support.webhook import Webhook, webhook
from workers.notifications import sending
from workers.notifications.apprise_plugins import DingTalk
from workers.notifications.message import Message
from workers.notifications.sending import SendEnd, send
from workers.notifications.targets import TargetsInvalid, parse_targets

MESSAGE = Message("title", "first line\nsecond line")
SECRET, TOKEN = "SEC0123456789", "a" * 64


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A receiver that stands for the robots of DingTalk, Feishu and WeCom, whose hosts are fixed."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with webhook() as found:
        monkeypatch.setattr(NotifyDingTalk, "notify_url", f"{found.url}/robot/send?access_token={{token}}")
        monkeypatch.setattr(NotifyFeishu, "notify_url", f"{found.url}/feishu/{{token}}")
        monkeypatch.setattr(NotifyWeComBot, "notify_url", f"{found.url}/wecom?key={{key}}")
        yield found


def to(url: str) -> SendEnd:
    return send(SecretStr(url), MESSAGE)


def sign_of(path: str) -> str:
    """Return the signature that a receiver gets, decoded once, and as it should be for its timestamp."""
    query = parse_qs(urlsplit(path).query)
    return query["sign"][0]


def expected_sign(path: str) -> str:
    timestamp = parse_qs(urlsplit(path).query)["timestamp"][0]
    digest = hmac.new(SECRET.encode(), f"{timestamp}\n{SECRET}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def test_dingtalk_gets_a_signature_that_is_encoded_once(hook: Webhook) -> None:
    assert to(f"dingtalk://{SECRET}@{TOKEN}") is SendEnd.SENT
    [(path, content)] = hook.received
    assert sign_of(path) == expected_sign(path)
    assert content["text"]["content"] == "title\nfirst line\nsecond line"
    assert parse_qs(urlsplit(path).query)["access_token"] == [TOKEN]


def test_apprise_alone_encodes_it_twice(hook: Webhook) -> None:
    plugin = Apprise.instantiate(f"dingtalk://{SECRET}@{TOKEN}")
    assert isinstance(plugin, NotifyDingTalk)
    plugin.send("body")
    [(path, _)] = hook.received
    assert sign_of(path) != expected_sign(path), "fixed there: remove `DingTalk.send`"
    assert not isinstance(plugin, DingTalk)


@pytest.mark.parametrize("url", [f"dingtalk://{SECRET}@{TOKEN}", f"feishu://{TOKEN}", "wecombot://BOTKEY"])
def test_an_answer_that_refuses_the_message_is_no_success(hook: Webhook, url: str) -> None:
    assert to(url) is SendEnd.SENT
    hook.answer = {"errcode": 310000, "errmsg": "sign not match", "code": 19024, "msg": "Key Words Not Found"}
    assert to(url) is SendEnd.FAILED


def test_a_webhook_gets_title_and_body(hook: Webhook) -> None:
    assert to(hook.target) is SendEnd.SENT
    assert hook.messages == ["title\nfirst line\nsecond line"]
    hook.status = 500
    assert to(hook.target) is SendEnd.FAILED


def test_a_target_that_hangs_ends_at_the_limit(hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.3)
    hook.answers.clear()
    assert to(hook.target) is SendEnd.FAILED


@pytest.mark.parametrize("url", ["nonsense://x", "dingtalk://", "json://"])
def test_a_url_that_apprise_does_not_know_is_unusable_and_not_logged(url: str) -> None:
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.getLogger().addHandler(handler)
    try:
        assert to(url) is SendEnd.UNUSABLE
    finally:
        logging.getLogger().removeHandler(handler)
    assert logged.getvalue() == ""


def test_targets_are_lines_of_names_and_urls() -> None:
    found = parse_targets("# robots\nops = dingtalk://S@T?x=1\n\nteam-2=mailto://u:p@example.com\n")
    assert {name: url.get_secret_value() for name, url in found.items()} == {
        "ops": "dingtalk://S@T?x=1",
        "team-2": "mailto://u:p@example.com",
    }
    assert "dingtalk" not in repr(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ops", "line 1 is not of the form name=url"),
        ("ops=json://h\nhttps://h/?key=secret", "line 2 is not of the form name=url"),
        ("Ops=json://secret", "line 1: not a name of a target"),
        ("ops=json://h\nops=json://secret", "line 2: ops is there twice"),
    ],
)
def test_a_wrong_line_is_named_without_its_url(text: str, expected: str) -> None:
    with pytest.raises(TargetsInvalid) as raised:
        parse_targets(text)
    assert expected in str(raised.value)
    assert "secret" not in str(raised.value)
