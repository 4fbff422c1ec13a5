"""The application without an engine: error pages, headers, files."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
import redis

from common.ledger import Ledger
from console.web.application import create_application
from console.web.settings import ConsoleSettings
from tests.support.engines import free_port
from tests.support.page_reader import PageReader


@pytest.fixture
def client() -> Iterator[PageReader]:
    """A browser of a console whose Redis is down."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    settings = ConsoleSettings(
        broker_url=url, redis_url=url, extension_code="unit", region="cn-shanghai", event_days=7
    )
    ledger = Ledger(redis.Redis.from_url(url, socket_connect_timeout=1), "unit")
    with PageReader(create_application(settings, ledger)) as browser:
        yield browser


def test_an_unknown_address_is_answered_with_a_page(client: PageReader) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert "There is no page at this address." in answer.text


def test_a_page_in_chinese(client: PageReader) -> None:
    answer = client.get("/nothing", headers={"accept-language": "zh-CN"})
    assert '<html lang="zh"' in answer.text
    assert "此地址没有页面" in answer.text


def test_a_chosen_language_and_theme_are_remembered(client: PageReader) -> None:
    client.get("/nothing?lang=zh&theme=dark")
    assert '<html lang="zh" data-theme="dark">' in client.get("/nothing").text


def test_a_switch_keeps_the_rest_of_the_address(client: PageReader) -> None:
    text = client.get("/nothing?t=a%26b&lang=zh").text
    assert 'href="?t=a%26b&amp;lang=en"' in text


def test_json_is_answered_with_json(client: PageReader) -> None:
    answer = client.get("/nothing.json")
    assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


def test_without_redis_a_page_says_so_in_time(client: PageReader) -> None:
    begin = time.monotonic()
    answer = client.get("/readyz")
    assert time.monotonic() - begin < 2
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"
    assert "The ledger cannot be reached." in answer.text


def test_nothing_in_a_page_may_be_a_script_or_a_style(client: PageReader) -> None:
    answer = client.get("/nothing")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"\bstyle=|\bon\w+=|<script(?! src=)|<style", answer.text)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "private, no-store"


def test_files_are_cached_under_an_address_of_their_content(client: PageReader) -> None:
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/nothing").text):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/../settings.py").status_code == 404
    assert client.get("/static/none.css").status_code == 404


def test_another_method_is_answered_with_a_page(client: PageReader) -> None:
    assert client.post("/healthz").status_code == 405
