"""The reference pages, held against the code: commands, log events, JSON of events, emulator, RAM policy."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from common.impact_graph import ImpactEdge, ImpactGraph, ImpactNode, Unexplored
from common.ledger import State, TimelineEntry
from common.verdicts import AppliedWaiver, Finding, Outcome, OutcomeKind, Severity, Subject, SubjectKind
from console.main import COMMANDS
from console.output.event_schema import event_schema, list_schema
from emulator.dataworks.control_api import Control
from emulator.dataworks.faults import Fault, FaultKind
from emulator.dataworks.graph_generator import Size
from tests.support.openapi_operations import CALLED_ACTIONS
from tests.support.records import VERDICT, record

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("common", "console", "deploy", "emulator", "ingest", "review", "workers")
LEVELS = ("debug", "info", "warning", "error")
FIELDS: dict[str, tuple[str, ...]] = {"": (), "component": (), "exc_info": ("error", "frames")}
"""Fields of a line by the keyword of a call, where they differ; without a keyword: `**fields`."""


def rows(page: str, heading: str = "") -> list[list[str]]:
    """Return the cells of the rows of the tables under a heading of a page, without the header rows."""
    text = (DOCS / page).read_text()
    if heading:
        text = re.split(r"^#+ ", text.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    cells = [re.split(r" ?\| ?", line.strip("|")) for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in cells]


def names(cell: str) -> set[str]:
    """Return what is set as code in a cell."""
    return set(re.findall(r"`([^`]+)`", cell))


def test_commands_page_has_every_command_with_its_summary() -> None:
    page = {row[0]: row[1] for row in rows("commands.md") if re.fullmatch(r"`dwgate [a-z]+`", row[0])}
    assert page == {f"`dwgate {name}`": summary for name, summary in COMMANDS.items()}


def logged_events() -> dict[str, tuple[set[str], set[str]]]:
    """Return the levels and the fields of each log event, as the code names them."""
    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if (name := log_event(node)) and isinstance(node, ast.Call):
                    levels, keys = found[name]
                    levels.add(node.func.attr)  # type: ignore[attr-defined]
                    for keyword in node.keywords:
                        name_of = keyword.arg or ""
                        keys.update(FIELDS.get(name_of, (name_of,)))
    return dict(found)


def log_event(node: ast.AST) -> str | None:
    """Return the name of the event if `node` is a call such as `log.warning("name", …)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=logger, attr=level), args=[ast.Constant(value=str(name)), *_]):
            is_logger = re.search(r"\b_?log$|get_logger\(\)$", ast.unparse(logger))
            return name if level in LEVELS and is_logger else None
    return None


def test_log_page_has_every_event_with_its_levels_and_fields() -> None:
    page = {row[0].strip("`"): row for row in rows("log-events.md")}
    code = logged_events()
    assert page.keys() == code.keys()
    for name, (levels, keys) in code.items():
        assert page[name][1] == ", ".join(level for level in LEVELS if level in levels), name
        assert names(page[name][2]) >= keys, name
        assert page[name][3], name
    assert list(page) == sorted(page)


def test_ram_policy_allows_exactly_what_is_called() -> None:
    example = re.search(r"```json\n(.*?)```", (DOCS / "ram-policy.md").read_text(), re.DOTALL)
    assert example
    statement = orjson.loads(example[1])["Statement"][0]
    assert sorted(statement["Action"]) == sorted(f"dataworks:{name}" for name in CALLED_ACTIONS)
    assert {name for row in rows("ram-policy.md") for name in names(row[0])} == CALLED_ACTIONS


@pytest.mark.parametrize("name", ["emulator.md", "zh/emulator.md"])
def test_emulator_page_has_every_route_of_the_control_api(name: str) -> None:
    page = (DOCS / name).read_text()
    written = set(re.findall(r"^\| (GET|POST|DELETE) \| `([^`]+)` \|", page, re.MULTILINE))
    control = Control.__new__(Control)
    assert written == {(route.method, route.path) for route in control.routes()}


@pytest.mark.parametrize(
    ("page", "of_fault", "of_graph"),
    [
        ("emulator.md", "### A fault", "### A generated graph"),
        ("zh/emulator.md", "### 故障", "### 生成的图"),
    ],
)
def test_emulator_page_has_every_field_and_kind(page: str, of_fault: str, of_graph: str) -> None:
    fault = {row[0].strip("`") for row in rows(page, of_fault)}
    assert fault == {field.name for field in fields(Fault)} | set(FaultKind)
    size = {row[0].strip("`"): row[2] for row in rows(page, of_graph)}
    assert size == {field.name: str(field.default) for field in fields(Size)}


WAIVED = Finding(
    "MC-S01",
    Severity.BLOCK,
    "An AccessKey id must not be in the code.",
    line=14,
    column=3,
    end_line=14,
    end_column=9,
    help="Remove it.",
    suppressed="a test",
    fingerprint="0123",
    waived=AppliedWaiver("w-1", "until Friday"),
    subjects=(Subject(SubjectKind.FILE, "7", "dwd_order", ("orders",)),),
    params=(("count", 2),),
    english="An AccessKey id must not be in the code.",
    code_digest="4567",
)
GRAPH = ImpactGraph(
    nodes=(
        ImpactNode("1", "dwd_order", "19", 7, "node", 0, is_changed=True),
        ImpactNode("2", "ads_report", "20", 7, "node", 1, baseline="morning", priority=8, due="07:30"),
    ),
    edges=(ImpactEdge("1", "2"),),
    unexplored=(Unexplored("2", "not_stored"),),
    is_complete=False,
)
REPORTED = record(
    State.REPORTED,
    "code-review",
    "change-impact",
    accepted_verdict=VERDICT,
    reported_at=5.0,
    accepted_how="posted",
    verdict=VERDICT,
    outcomes={
        "code-review": Outcome.of([WAIVED]),
        "change-impact": Outcome(OutcomeKind.FINDINGS, (WAIVED,), evidence=GRAPH),
    },
    timeline=(TimelineEntry(1.5, "admitted", "run 1"),),
)
RECORDS = [REPORTED, record(State.DEAD, verdict=VERDICT), record(State.RECEIVED)]


@pytest.mark.parametrize("stored", RECORDS, ids=lambda stored: str(stored.state))
def test_schema_accepts_an_event_and_describes_each_of_its_properties(stored: Any) -> None:
    event = stored.to_json("shop-gate")
    jsonschema.Draft202012Validator(closed(event_schema())).validate(event)
    jsonschema.Draft202012Validator(closed(list_schema())).validate({"events": [event]})


def closed(schema: Any) -> Any:
    """Return a schema that allows no property that it does not describe."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return inner | ({"additionalProperties": False} if "properties" in schema else {})


@pytest.mark.parametrize("file", ["event-json.md", "zh/event-json.md"])
def test_json_page_has_every_property(file: str) -> None:
    schema = event_schema()
    objects = {"event": schema, **schema["$defs"]}
    for name, described in objects.items():
        page = {row[0].strip("`") for row in rows(file, f"## {name}")}
        assert page == described["properties"].keys(), name
