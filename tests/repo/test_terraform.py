"""deploy/terraform: the documented pattern and RAM policy, and no name that is not declared."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "terraform"
FILES = {file.name: file.read_text() for file in sorted(FOLDER.glob("*.tf"))}
EVERYTHING = "\n".join(FILES.values())


def documented(page: str, heading: str) -> object:
    """Return the first JSON example under a heading of a page."""
    text = (ROOT / "docs" / page).read_text().split(f"## {heading}\n", 1)[1]
    example = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert example
    return orjson.loads(example[1])


def test_the_pattern_is_the_documented_one() -> None:
    assert orjson.loads((FOLDER / "event_pattern.json").read_bytes()) == documented(
        "eventbridge.md", "2. A rule"
    )


def test_the_policy_of_the_workers_is_the_documented_one() -> None:
    assert orjson.loads((FOLDER / "ram_policy.json").read_bytes()) == documented(
        "ram-policy.md", "Exactly what dwgate calls"
    )


def test_both_rules_have_the_pattern() -> None:
    rules = re.findall(
        r'resource "alicloud_event_bridge_rule" "(\w+)" {(.*?)^}', EVERYTHING, re.DOTALL | re.MULTILINE
    )
    assert [name for name, _ in rules] == ["http", "amqp"]
    for _, body in rules:
        assert re.search(r"filter_pattern = local\.pattern\b", body)
        assert re.search(r'push_retry_strategy = "EXPONENTIAL_DECAY_RETRY"', body)
        assert re.search(r'resource_key = "Body"\s+form\s+= "ORIGINAL"', body), "the complete event"


def test_every_variable_is_declared_and_used() -> None:
    declared = re.findall(r'^variable "(\w+)" {', EVERYTHING, re.MULTILINE)
    assert len(declared) == len(set(declared))
    assert set(re.findall(r"\bvar\.(\w+)", EVERYTHING)) == set(declared)


def test_every_local_value_resource_and_file_is_there() -> None:
    blocks = re.findall(r"^locals {\n(.*?)^}", EVERYTHING, re.DOTALL | re.MULTILINE)
    values = {name for block in blocks for name in re.findall(r"^  (\w+) +=", block, re.MULTILINE)}
    assert set(re.findall(r"\blocal\.(\w+)", EVERYTHING)) <= values
    declared = {".".join(pair) for pair in re.findall(r'^resource "(\w+)" "(\w+)"', EVERYTHING, re.MULTILINE)}
    assert set(re.findall(r"(?<![.\w])(alicloud_\w+\.\w+)", EVERYTHING)) <= declared | {
        "alicloud_account.current"
    }
    for name in re.findall(r'file\("\$\{path\.module\}/([^"]+)"\)', EVERYTHING):
        assert (FOLDER / name).is_file()


@pytest.mark.parametrize("name", FILES)
def test_brackets_are_balanced(name: str) -> None:
    code = re.sub(r'#.*|"(?:[^"\\]|\\.)*"', "", FILES[name])
    for opening, closing in ("{}", "[]", "()"):
        assert code.count(opening) == code.count(closing)
