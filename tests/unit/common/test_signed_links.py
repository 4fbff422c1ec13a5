"""Signed links: valid for one event and a limited time; anything else is expired or altered."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.signed_links import LinkCheck, details_link, sign, verify

KEY = b"k" * 32
NOW = 1_780_000_000.0
TOKEN = sign(KEY, "m-1", NOW + 60)


def test_a_link_is_valid_until_it_expires() -> None:
    assert verify(KEY, "m-1", TOKEN, NOW) is LinkCheck.VALID
    assert verify(KEY, "m-1", TOKEN, NOW + 59.9) is LinkCheck.VALID
    assert verify(KEY, "m-1", TOKEN, NOW + 60) is LinkCheck.EXPIRED


@pytest.mark.parametrize(
    ("key", "message_id", "token"),
    [
        (KEY, "m-2", TOKEN),
        (b"x" * 32, "m-1", TOKEN),
        (KEY, "m-1", TOKEN.replace("1780000060", "1780009999")),
        (KEY, "m-1", TOKEN[:-1]),
        (KEY, "m-1", TOKEN + "A"),
        (KEY, "m-1", f" {TOKEN}"),
        (KEY, "m-1", f"{TOKEN}\n"),
        (KEY, "m-1", f"0{TOKEN}"),
        (KEY, "m-1", "1780000060.é" + "A" * 21),
        (KEY, "m-1", "1780000060."),
        (KEY, "m-1", ""),
        (KEY, "m-1", "1" * 100_000),
    ],
)
def test_any_other_link_is_altered_also_when_it_claims_to_have_expired(
    key: bytes, message_id: str, token: str
) -> None:
    assert verify(key, message_id, token, NOW) is LinkCheck.ALTERED
    assert verify(key, message_id, token, NOW + 10**9) is LinkCheck.ALTERED


@given(st.text(), st.text(), st.integers(min_value=1, max_value=10**11))
def test_no_two_events_share_a_link(one: str, other: str, expiry: int) -> None:
    token = sign(KEY, one, expiry)
    expected = LinkCheck.VALID if one == other else LinkCheck.ALTERED
    assert verify(KEY, other, token, expiry - 1) is expected
    assert verify(KEY, one, token, expiry - 1) is LinkCheck.VALID


@given(st.text())
def test_any_text_as_a_token_is_altered(token: str) -> None:
    assert verify(KEY, "m-1", token, NOW) is LinkCheck.ALTERED


@pytest.mark.parametrize(
    ("template", "link"),
    [
        ("https://x.example/e/{message_id}", f"https://x.example/e/m-1?t={TOKEN}"),
        ("https://x.example/?e={message_id}&l=zh", f"https://x.example/?e=m-1&l=zh&t={TOKEN}"),
        ("https://x.example/{message_id}#top", f"https://x.example/m-1?t={TOKEN}#top"),
    ],
)
def test_the_token_is_added_to_the_query(template: str, link: str) -> None:
    assert details_link(template, "m-1", TOKEN) == link
    assert parse_qs(urlsplit(link).query)["t"] == [TOKEN]


def test_the_id_is_encoded_and_the_link_may_be_unsigned() -> None:
    assert details_link("https://x.example/e/{message_id}", "a/b c?") == "https://x.example/e/a%2Fb%20c%3F"


def test_a_token_is_short_enough_for_a_tip() -> None:
    assert len(TOKEN) == 33
