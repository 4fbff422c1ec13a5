"""What Flower's pages show of dwgate."""

from __future__ import annotations

from pathlib import Path

import flower
import pytest

from console.flower.pages import _STATUS_ROW, event_row, message_id_of
from console.flower.server import mask

URL = "https://gate.example.com/events/{message_id}"


@pytest.mark.parametrize(
    ("task_id", "message_id"),
    [
        ("m-1", "m-1"),
        ("m-1.1.report", "m-1"),
        ("m-1.12.code-review", "m-1"),
        ("a.b.2.code-review", "a.b"),
        ("67b07cee-bad1-42dc-89a0-ad2e87e510f2", "67b07cee-bad1-42dc-89a0-ad2e87e510f2"),
    ],
)
def test_the_event_of_a_task(task_id: str, message_id: str) -> None:
    assert message_id_of(task_id) == message_id


def test_a_task_leads_to_the_page_of_its_event() -> None:
    row = event_row("m-1.1.code-review", URL)
    assert '<a href="https://gate.example.com/events/m-1" rel="noreferrer">m-1</a>' in row
    assert "<code>dwgate events show m-1</code>" in event_row("m-1.1.code-review", None)


def test_a_hostile_id_is_text() -> None:
    for url in (URL, None):
        row = event_row('"><script>alert(1)</script>.1.x', url)
        assert "<script" not in row
        assert '"><' not in row.replace('detail-row task-data-row"><dt>', "")


def test_the_row_has_its_place_in_this_version_of_flower() -> None:
    page = Path(flower.__file__).parent / "templates" / "task.html"
    assert len(_STATUS_ROW.findall(page.read_text())) == 1


@pytest.mark.parametrize(
    ("result", "shown"), [("FAIL", True), ("2 block, 1 warn", True), ("'SELECT 1'", False), (None, False)]
)
def test_only_verdicts_and_ends_of_checks_are_shown_as_results(result: str | None, shown: bool) -> None:
    assert ("result" in mask({"type": "task-succeeded", "result": result})) is shown
