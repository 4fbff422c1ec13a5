"""Requests that ingest must reject: unsigned, replayed and foreign ones are never queued."""

from __future__ import annotations

import time
from typing import Any

import httpx
import orjson
import pytest
from kombu.connection import Connection

from common.topology import QueueName
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import TARGET, TOKEN, RunningDwgate


def queued(gate: RunningDwgate) -> int:
    """Return the number of new messages in the backstop, which gets a copy of every event."""
    with Connection(gate.environment["DWGATE_BROKER_URL"]) as connection:
        channel: Any = connection.default_channel
        return int(channel.queue_declare(TOPOLOGY[QueueName.ARRIVALS].name, passive=True).message_count)


def refusals(gate: RunningDwgate, reason: str) -> float:
    text = httpx.get(f"{gate.url}/metrics", trust_env=False).text
    lines = [line for line in text.splitlines() if f'reason="{reason}"' in line and not line.startswith("#")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if "_created" not in line)


def signed(gate: RunningDwgate, **changes: str | None) -> tuple[bytes, dict[str, str]]:
    _, event, _ = gate.sample("commit-file-good")
    body = orjson.dumps(event)
    headers = gate.signer.sign(TARGET, body, time.time(), TOKEN)
    for name, value in changes.items():
        key = f"x-eventbridge-{name.replace('_', '-')}"
        if value is None:
            del headers[key]
        else:
            headers[key] = value
    return body, headers


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("missing-header", {"signature_v2": None}),
        ("signature", {"signature_v2": "AAAA"}),
        ("token", {"signature_token": "another"}),
        ("missing-header", {"signature_token": None}),
        ("clock", {"signature_timestamp": str(int((time.time() - 3600) * 1000))}),
        ("certificate-url", {"signature_url": "https://evil.example.com/x509_public_certificate.pem"}),
        (
            "certificate-url",
            {"signature_url": "https://evil-eventbridge.oss-accelerate.aliyuncs.com/x509.pem"},
        ),
    ],
)
def test_what_is_not_authentic_is_refused_and_counted(
    gate: RunningDwgate, reason: str, changes: dict[str, str | None]
) -> None:
    before, parked = refusals(gate, reason), queued(gate)
    answer = gate.post_raw(*signed(gate, **changes))

    assert answer.status_code == 401
    assert answer.json()["reason"] == reason
    assert refusals(gate, reason) == before + 1
    assert queued(gate) <= parked


def test_a_well_signed_event_outside_the_window_is_refused(gate: RunningDwgate) -> None:
    _, event, _ = gate.sample("commit-file-good")
    assert gate.post(event, now=time.time() - 61).status_code == 401
    assert gate.post(event, now=time.time() + 61.5).status_code == 401
    assert gate.ledger.get(event["id"]) is None


def test_an_event_of_another_account_is_refused(gate: RunningDwgate) -> None:
    _, event, _ = gate.sample("commit-file-good")
    event["aliyunaccountid"] = "999"
    answer = gate.post(event)
    assert (answer.status_code, answer.json()["reason"]) == (401, "account")


def test_a_body_over_one_mebibyte_is_refused(gate: RunningDwgate) -> None:
    _, event, _ = gate.sample("commit-file-good")
    event["data"]["padding"] = "x" * (1024 * 1024)
    assert gate.post(event).status_code == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b'"text"', b'{"id": "1"}', b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "no-json", "array", "text", "no-type", "no-utf-8", "deep"],
)
def test_what_is_authentic_and_cannot_be_read_is_kept(gate: RunningDwgate, body: bytes) -> None:
    if body.startswith(b"{"):
        body = orjson.dumps({"id": "1", "aliyunaccountid": "1107550004250001"})
    before = len(gate.ledger.rejects(1000))
    answer = gate.post(body)

    assert (answer.status_code, answer.json()["status"]) == (200, "rejected")
    assert len(gate.ledger.rejects(1000)) == before + 1


def test_an_event_without_an_id_is_kept(gate: RunningDwgate) -> None:
    _, event, _ = gate.sample("commit-file-good")
    del event["id"]
    answer = gate.post(event)
    assert answer.json()["status"] == "rejected", answer.text
    assert "id" in gate.ledger.rejects(1)[0]["reason"]
