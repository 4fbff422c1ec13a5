"""docs/eventbridge.md against the extension points, and every page against the OpenAPI's operations."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from common.extension_points import POINTS, ExtensionPoint, Level
from emulator.eventbridge import event_bodies
from ingest.envelope import Ignored, parse_event
from tests.support import plain_yaml
from tests.support.eventbridge_pattern import is_match
from tests.support.openapi_operations import CALLED_ACTIONS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "eventbridge.md").read_text()
PUBLISHED: list[dict[str, Any]] = plain_yaml.load((ROOT / "tests/data/published_events.yaml").read_text())
ANY_OPERATION = re.compile(r"`((?:Get|List|Update|Callback|Create|Delete|Check)[A-Z]\w+)`")
"""Names in the style of OpenAPI operations."""


def section(title: str) -> str:
    """Return the text under a heading of the page, up to the next heading."""
    return re.split(r"^#+ ", PAGE.split(f"{title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rule() -> dict[str, Any]:
    """Return the pattern that the page tells people to create."""
    example = re.search(r"```json\n(.*?)```", section("## 2. A rule"), re.DOTALL)
    assert example
    pattern: dict[str, Any] = orjson.loads(example[1])
    return pattern


def event_of(point: ExtensionPoint) -> dict[str, Any]:
    body = event_bodies.event_body(point.code)
    return event_bodies.event_envelope(point.code, body, account_id="1107550004250001", now=time.time())


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.code)
def test_the_rule_passes_every_extension_point(point: ExtensionPoint) -> None:
    assert is_match(rule(), event_of(point))


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published["form"])
def test_the_rule_passes_the_published_events(published: dict[str, Any]) -> None:
    event = published["event"]
    assert is_match(rule(), event)
    parsed = parse_event(orjson.dumps(event), 12.5)
    assert isinstance(parsed, Ignored) is not published["waits"]


@pytest.mark.parametrize(
    "other", [{"source": "acs.oss", "type": "dataworks:FileChange:CommitFile"}, {"source": "acs.dataworks"}]
)
def test_the_rule_passes_nothing_else(other: dict[str, Any]) -> None:
    assert not is_match(rule(), other)


def test_the_page_names_every_family_of_types() -> None:
    families = {point.type.split(":")[1] for point in POINTS}
    assert set(re.findall(r"`(?:dataworks:)?(\w+):`", section("## 2. A rule"))) == families


@pytest.mark.parametrize("level", Level)
def test_the_page_names_the_bus_of_each_level(level: Level) -> None:
    row = next(line for line in section("## 1. An event bus").splitlines() if line.startswith(f"| {level} |"))
    on_default = "`default`" in row
    for point in POINTS:
        if point.level is level:
            assert (event_of(point)["aliyuneventbusname"] == "default") is on_default
            assert f"`{point.code}`" in row or level is Level.WORKSPACE


@pytest.mark.parametrize(
    "page",
    [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "SECURITY.md"],
    ids=lambda page: page.stem,
)
def test_no_page_names_an_operation_that_is_not_called(page: Path) -> None:
    assert set(ANY_OPERATION.findall(page.read_text())) <= CALLED_ACTIONS
