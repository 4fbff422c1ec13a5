"""`dwgate waivers report` on a real Valkey: counts of the stored events."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from common.events import Event
from common.ledger import Ledger, connect
from common.subjects.event_subject import subject_of
from common.verdicts import Finding, Outcome, Severity
from console.commands import waivers as waiving
from tests.support.plans import plan_of
from workers.waivers.loader import load_waivers
from workers.waivers.matching import apply_waivers
from workers.waivers.model import WaiverRules


def test_the_report_counts_stored_events(
    clean_redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DWGATE_BROKER_URL", clean_redis_url)
    monkeypatch.setenv("DWGATE_REDIS_URL", clean_redis_url)
    monkeypatch.setenv("DWGATE_EXTENSION_CODE", "ext")
    monkeypatch.setenv("DWGATE_REGION", "cn-shanghai")
    now = time.time()
    file = tmp_path / "w.yaml"
    ends = datetime.fromtimestamp(now + 3 * 86400 + 60, UTC).isoformat()
    fields = f"reason: r, owner: a, approver: b, expires_at: '{ends}'"
    file.write_text(
        f"version: 1\nwaivers: [{{id: W-1, rule: r*, {fields}}}, {{id: W-2, rule: x, {fields}}}]\n"
    )
    waivers = load_waivers(file, WaiverRules(), now)
    client = connect(clean_redis_url)
    ledger = Ledger(client, "ext")
    for message_id, age in (("m-1", 0), ("m-2", 86400)):
        event = Event(message_id, "freeze-node", 7, "42", True, {"nodeIds": [1]}, now - age)
        ledger.admit(event, now + 60, now + 50)
        found = Outcome.of([Finding("rule", Severity.BLOCK, "It is so.")])
        judged = apply_waivers(found, subject_of("check", event, None), waivers, now)
        ledger.save_plan(message_id, 1, plan_of("check"), None, {"check": judged})
    client.close()

    assert waiving.report(file, None, since=None, json=True) == 0
    printed = orjson.loads(capsys.readouterr().out)
    assert printed["events"] == 2
    lines = [(line["id"], line["findings"], line["events"], line["state"]) for line in printed["waivers"]]
    assert lines == [("W-1", 2, 2, "expires in 3 days"), ("W-2", 0, 0, "expires in 3 days, never matched")]
    assert printed["waivers"][0]["last"] == pytest.approx(now, abs=1)

    assert waiving.report(file, None, since=now - 3600, json=False) == 0
    shown = capsys.readouterr().out
    assert "Events examined: 1." in shown
    assert "never matched" in shown
