"""The pages, held against the code: settings, queues, checks, commands, links."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from common.settings import PREFIX, BrokerSettings
from common.topology import Topology
from review.rules.external_rules import is_external
from review.rules.registry import BY_ID
from tests.support import plain_yaml
from workers.checks import registry
from workers.checks.finding_ids import FINDING_IDS
from workers.policy import policy

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATED = DOCS / "rules"
HAND_WRITTEN = [page for page in DOCS.rglob("*.md") if GENERATED not in page.parents]
PAGES = sorted([*ROOT.glob("*.md"), *HAND_WRITTEN, *(ROOT / "deploy").rglob("*.md")])
DWGATE = Path(sys.executable).with_name("dwgate")
SETTINGS_MODULES = (
    "common.settings",
    "ingest.settings",
    "workers.settings",
    "console.web.settings",
    "console.flower.settings",
)


def rows(page: Path) -> list[list[str]]:
    """Return the cells of every table row of `page`."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def models(model: type[BrokerSettings] = BrokerSettings) -> list[type[BrokerSettings]]:
    """Return `model` and everything made from it."""
    return [model, *(deeper for child in model.__subclasses__() for deeper in models(child))]


def told_default(info: FieldInfo) -> str:
    """Return a field's default as the page writes it."""
    if info.is_required():
        return "*none*"
    if info.default is None:
        return "none"
    return f"`{str(info.default).lower() if isinstance(info.default, bool) else info.default}`"


def test_settings_page_tells_every_setting() -> None:
    for module in SETTINGS_MODULES:
        import_module(module)
    page = {tuple(row) for row in rows(DOCS / "settings.md") if row[0].startswith(f"`{PREFIX}")}
    wanted = {
        (f"`{PREFIX}{name.upper()}`", told_default(info), str(info.description))
        for model in models()
        if model.__module__ in SETTINGS_MODULES
        for name, info in model.model_fields.items()
    }
    assert page == wanted


def test_architecture_page_tells_every_queue() -> None:
    page = {row[0]: row[1] for row in rows(DOCS / "architecture.md") if row[0].startswith("`dwgate.")}
    queues = Topology("NAMESPACE").queues
    assert page.keys() == {f"`{queue.name}`" for queue in queues}
    for queue in queues[:-1]:
        assert page[f"`{queue.name}`"] == ", ".join(f"`{key}`" for key in queue.routing_keys)


def test_checks_page_tells_every_check_and_option() -> None:
    told: dict[str, set[str]] = {}
    name = ""
    for linked, second, *_ in rows(DOCS / "checks.md"):
        first = re.sub(r"\[(`[\w-]+`)\]\(checks/[\w-]+\.md\)", r"\1", linked)
        name = first.strip("`") if first.startswith("`") else name
        if first.startswith("`") or not first:
            option = {second.strip("`")} if re.fullmatch(r"`\w+`", second) else set()
            told[name] = told.get(name, set()) | option
    assert told == {name: set(check.options.model_fields) for name, check in registry.load_checks().items()}


def test_pages_of_checks_list_every_finding() -> None:
    listed = {
        name
        for page in (DOCS / "checks").glob("*.md")
        for table in re.findall(r"^\| finding .*\n\|[-| ]+\n((?:\|.*\n)+)", page.read_text(), re.MULTILINE)
        for row in table.splitlines()
        for name in re.findall(r"`([\w-]+)`", row.split("|")[1])
    }
    # Of the review, and of every check with too many findings.
    elsewhere = {"script-place", "findings-truncated"}
    assert listed - BY_ID.keys() | elsewhere == FINDING_IDS


def test_findings_of_the_cases_are_known() -> None:
    files = (ROOT / "tests" / "data" / "policy_cases").glob("*.yaml")
    cases = [case for file in files for case in plain_yaml.load(file.read_text())["cases"]]
    found = {name for case in cases for name in case["expect"].get("findings") or ()}
    assert {name for name in found if not is_external(name)} <= BY_ID.keys() | FINDING_IDS


def test_every_check_has_a_page_and_cases() -> None:
    wanted = set(registry.load_checks())
    assert {path.stem for path in (DOCS / "checks").glob("*.md")} == wanted
    assert {path.stem for path in (ROOT / "tests" / "data" / "policy_cases").glob("*.yaml")} >= wanted


def yaml_of(page: str) -> str:
    """Return the first YAML example of `page`."""
    example = re.search(r"```yaml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert example
    return example[1]


def test_policy_example_is_a_policy() -> None:
    example = policy.parse_policy("policy.md", yaml_of("policy.md").encode(), registry.load_checks())
    assert [check.name for check in example.resolve("commit-file", 93124).checks] == ["code-review"]


def test_options_example_is_a_policy() -> None:
    points = {"version": 1, "points": {"commit-file": {"checks": plain_yaml.load(yaml_of("checks.md"))}}}
    policy.parse_policy("checks.md", plain_yaml.dump(points).encode(), registry.load_checks())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_there(page: Path) -> None:
    told = subprocess.run([DWGATE, "--help"], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^\W*([a-z]+)  ", told, re.MULTILINE))
    assert set(re.findall(r"(?:^|`|/)dwgate ([a-z]+)", page.read_text(), re.MULTILINE)) <= commands


def test_check_in_contributing_runs() -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    ask = """
from workers.checks.registry import _registered
from common.snapshot import FileSnapshot, Snapshot
file = FileSnapshot(1, "orders", 10, "", owner=None)
context = Context(None, Snapshot(file=file), OwnerOptions(), None, 0)
print([finding.message for finding in _registered["file-owner"].run(context)])
"""
    told = subprocess.run(
        [sys.executable, "-c", code[0] + ask], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.stdout == "['orders has no owner']\n", told.stderr


def anchors(page: Path) -> set[str]:
    """Return the link targets that the headings of `page` make."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def linked_from(index: Path) -> set[Path]:
    """Return the files that `index` links to."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", index.read_text())
    return {(index.parent / link).resolve() for link in links if not link.startswith("https://")}


def test_index_links_every_page() -> None:
    assert linked_from(DOCS / "README.md") >= {*DOCS.glob("*.md")} - {DOCS / "README.md"}


def test_index_of_decisions_links_every_record() -> None:
    decisions = DOCS / "decisions"
    assert linked_from(decisions / "README.md") >= {*decisions.glob("*.md")} - {decisions / "README.md"}


def test_glossary_is_sorted_and_complete() -> None:
    sections = re.split(r"^## .*$", (DOCS / "glossary.md").read_text(), flags=re.MULTILINE)[1:]
    for section in sections:
        lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]
        terms = [cells[0].strip().strip("*") for cells in lines]
        assert terms == sorted(terms, key=str.lower)
        assert all(len(cells) == 3 and all(cell.strip() for cell in cells) for cells in lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_are_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for called in re.findall(r"(?:^|`)make ([a-z -]+?)(?:`|$|  )", page.read_text(), re.MULTILINE):
        assert set(called.split()) <= targets, called
