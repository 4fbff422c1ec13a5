"""Login by OpenID Connect against a provider on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import RSAKey

from common.ledger import Ledger, connect
from console.web.application import create_application
from console.web.settings import ConsoleSettings
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.oidc_provider import CLIENT_SECRET, OidcProvider
from tests.support.page_reader import PageReader


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    provider = OidcProvider()
    yield provider
    provider.close()


@pytest.fixture
def browser(provider: OidcProvider, clean_redis_url: str, tmp_path: Path) -> Iterator[PageReader]:
    users = tmp_path / "users.yaml"
    users.write_text("version: 1\nusers:\n- {name: lin@example.com, role: viewer}\n")
    settings = ConsoleSettings.model_validate(
        {
            "broker_url": clean_redis_url,
            "redis_url": clean_redis_url,
            "extension_code": EXTENSION_CODE,
            "region": "cn-shanghai",
            "console_url": "http://console.test",
            "console_users_file": users,
            "console_oidc_issuer": provider.issuer,
            "console_oidc_client_secret": CLIENT_SECRET,
        }
    )
    client = connect(clean_redis_url)
    with PageReader(create_application(settings, Ledger(client, EXTENSION_CODE))) as reader:
        yield reader
    client.close()


def return_from_provider(browser: PageReader) -> str:
    """Go to the provider; return the address to which it sends the browser back."""
    to_provider = browser.get("/login/oidc/start?next=/events%3Fstate%3Ddead")
    assert to_provider.status_code == 302, to_provider.text
    assert "code_challenge=" in to_provider.headers["location"]
    back = httpx.get(to_provider.headers["location"], trust_env=False).headers["location"]
    return back.removeprefix("http://console.test")


def test_a_listed_person_is_logged_in_and_led_back(browser: PageReader, provider: OidcProvider) -> None:
    provider.claims = {"email": "lin@example.com", "email_verified": True}
    back = return_from_provider(browser)
    answer = browser.get(back)

    assert (answer.status_code, answer.headers["location"]) == (303, "/events?state=dead")
    assert browser.get("/events").status_code == 200
    assert "lin@example.com, viewer" in browser.get("/events").text
    assert browser.get(back).status_code == 403, "a code is used once"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"email": "chen@example.com", "email_verified": True}, "has no access"),
        ({"email": "lin@example.com", "email_verified": False}, "has not verified"),
        ({}, "sent no email"),
        ({"email": "lin@example.com", "aud": "other"}, "did not confirm"),
        ({"email": "lin@example.com", "iss": "http://evil.example"}, "did not confirm"),
        ({"email": "lin@example.com", "nonce": "other"}, "did not confirm"),
        ({"email": "lin@example.com", "exp": 1000}, "did not confirm"),
    ],
)
def test_anyone_else_is_refused(
    browser: PageReader, provider: OidcProvider, claims: dict[str, object], expected: str
) -> None:
    provider.claims = claims
    answer = browser.get(return_from_provider(browser))
    assert answer.status_code == 403
    assert expected in answer.text
    assert browser.get("/events").status_code == 303


def test_a_token_of_another_key_and_a_foreign_state_are_refused(
    browser: PageReader, provider: OidcProvider
) -> None:
    provider.claims = {"email": "lin@example.com"}
    back = return_from_provider(browser)
    assert browser.get(back.partition("&state")[0] + "&state=other").status_code == 403
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "k1"}, auto_kid=False)
    assert browser.get(return_from_provider(browser)).status_code == 403
    assert browser.get("/events").status_code == 303


def test_a_provider_that_is_down_is_named(browser: PageReader, provider: OidcProvider) -> None:
    provider.close()
    answer = browser.get("/login/oidc/start")
    assert answer.status_code == 502
    assert "the login service cannot be reached" in answer.text
