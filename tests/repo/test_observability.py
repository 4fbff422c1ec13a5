"""The alert rules and dashboards: valid, tested, and true to the metrics and to the runbook."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from typing import Any

import promql_parser
import pytest
from prometheus_client import Counter, Gauge, Histogram

from ingest.metrics import QueueMetrics
from tests.repo.test_docs import DOCS, anchors, rows
from tests.support import observability, plain_yaml
from tests.support.observability import ALERT_TESTS, ALERTS, FOLDER
from workers import metrics

Family = Counter | Gauge | Histogram

FAMILIES: list[Family] = [item for item in vars(metrics).values() if isinstance(item, Family)]
FAMILIES += [item for item in QueueMetrics(0)._registry._collector_to_names if isinstance(item, Family)]
PROCESS = ("process_cpu_seconds_total", "process_resident_memory_bytes")
EXPRESSIONS = observability.expressions()
DASHBOARDS = observability.load_dashboards()


def name_of(family: Family) -> str:
    return f"{family._name}_total" if isinstance(family, Counter) else family._name


def series_names() -> dict[str, set[str]]:
    """Return the names of all series, with their labels."""
    found: dict[str, set[str]] = {name: {"group"} for name in PROCESS}
    for family in FAMILIES:
        labels = set(family._labelnames)
        if isinstance(family, Histogram):
            found |= {f"{family._name}{end}": labels for end in ("_sum", "_count")}
            found[f"{family._name}_bucket"] = labels | {"le"}
        else:
            found[name_of(family)] = labels
    return found


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_and_the_rules_are_valid() -> None:
    promtool("check", "config", "prometheus.yml")


def test_each_alert_fires_when_it_must_and_is_silent_in_a_healthy_fleet() -> None:
    promtool("test", "rules", ALERT_TESTS.name)


def test_each_alert_has_both_tests() -> None:
    alerts = set(observability.load_alerts())
    tests: list[dict[str, Any]] = plain_yaml.load(ALERT_TESTS.read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == alerts


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_an_expression_uses_metrics_and_labels_that_exist(where: str) -> None:
    known = series_names()
    expression = EXPRESSIONS[where]
    labels = set(observability.TARGET_LABELS)
    for selector in observability.selectors(expression):
        if selector.name in observability.OF_PROMETHEUS:
            continue
        assert selector.name in known, selector.name
        used = {matcher.name for matcher in selector.matchers.matchers}
        assert used <= known[selector.name] | observability.TARGET_LABELS, (selector.name, used)
        labels |= known[selector.name]
    assert observability.grouping_labels(expression) <= labels


def test_what_is_no_promql_is_found() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum(")
    nested = "histogram_quantile(0.9, sum by (le) (rate(a[5m]))) / (max(b) > 0) or absent(c) or topk(3, d)"
    assert [found.name for found in observability.selectors(nested)] == ["a", "b", "c", "d"]


def test_each_alert_leads_to_its_section_of_the_runbook() -> None:
    sections = re.findall(r"^## (\w+)$", (DOCS / "runbook.md").read_text(), re.MULTILINE)
    assert sections == [*observability.load_alerts()], "in the order of the rules"
    for name, rule in observability.load_alerts().items():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/runbook.md"
        assert anchor == name.lower()
        assert anchor in anchors(DOCS / "runbook.md")


def test_the_severity_is_that_of_the_runbook() -> None:
    text = (DOCS / "runbook.md").read_text()
    for name, rule in observability.load_alerts().items():
        [shown] = re.findall(rf"^## {name}\n\n\*\*(\w+)", text, re.MULTILINE)
        assert shown.lower() == rule["labels"]["severity"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_importable(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert dashboard["uid"] == f"dwgate-{name}"
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels if panel["type"] != "row")
    for above, below in pairwise(panels):
        first, second = above["gridPos"], below["gridPos"]
        assert first["x"] + first["w"] <= 24
        is_beside = second["y"] == first["y"] and second["x"] >= first["x"] + first["w"]
        assert is_beside or second["y"] >= first["y"] + first["h"], "panels overlap"


@pytest.mark.parametrize("name", ["metrics.md", "zh/metrics.md"])
def test_the_page_of_metrics_lists_them_all(name: str) -> None:
    listed = [row for row in rows(DOCS / name) if row[0].startswith("`dwgate_")]
    page = [(row[0], row[1], row[2].replace("、", ", ")) for row in listed]
    kinds = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}
    known = [
        (
            f"`{name_of(family)}`",
            kinds[type(family)],
            ", ".join(f"`{label}`" for label in family._labelnames),
        )
        for family in FAMILIES
    ]
    assert sorted(page) == sorted(known)
    own = [row for row in page if not row[0].startswith("`dwgate_ingest")]
    assert own == sorted(own)


def test_the_rules_are_of_no_other_file() -> None:
    assert plain_yaml.load((FOLDER / "prometheus.yml").read_text())["rule_files"] == [ALERTS.name]
