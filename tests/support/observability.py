"""The alert rules and dashboards of deploy/observability, and the series that their expressions select."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import promql_parser

from tests.support import plain_yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"
ALERTS = FOLDER / "alerts.yml"
ALERT_TESTS = FOLDER / "alerts.test.yml"

OF_PROMETHEUS = frozenset({"up"})
"""Metrics that Prometheus itself makes."""

TARGET_LABELS = frozenset({"job", "instance", "service"})
"""Labels that Prometheus adds to each series."""

_VARIABLES = {"$__rate_interval": "5m", "$__range": "6h", "$job": "dwgate"}
_PARTS = ("lhs", "rhs", "expr", "param", "vector_selector")


def load_alerts() -> dict[str, dict[str, Any]]:
    """Return the alert rules by name."""
    groups = plain_yaml.load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def load_dashboards() -> dict[str, dict[str, Any]]:
    """Return the dashboards by the name of their file."""
    files = sorted((FOLDER / "dashboards").glob("*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files}


def expressions() -> dict[str, str]:
    """Return all expressions by where they are, with the variables of Grafana replaced."""
    found = {f"alert {name}": str(rule["expr"]) for name, rule in load_alerts().items()}
    for name, dashboard in load_dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                found[f"dashboard {name}, {panel['title']}, {target['refId']}"] = target["expr"]
    return {where: _replace_variables(text) for where, text in found.items()}


def selectors(expression: str) -> Iterator[Any]:
    """Yield the vector selectors of an expression.

    Raises:
        ValueError: it is not PromQL.
    """
    yield from _walk(promql_parser.parse(expression))


def matches(selector: Any, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a selector selects a series, labels of Prometheus aside."""
    wanted = [item for item in selector.matchers.matchers if item.name not in TARGET_LABELS]
    return bool(selector.name == name) and all(_holds(item, labels) for item in wanted)


def grouping_labels(expression: str) -> set[str]:
    """Return the labels by which an expression aggregates."""
    return {
        label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in labels.split(",")
    }


def _holds(matcher: Any, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    match str(matcher.op):
        case "MatchOp.Equal":
            return bool(value == matcher.value)
        case "MatchOp.NotEqual":
            return bool(value != matcher.value)
        case "MatchOp.Re":
            return re.fullmatch(matcher.value, value) is not None
        case "MatchOp.NotRe":
            return re.fullmatch(matcher.value, value) is None
    raise AssertionError(matcher.op)


def _walk(node: Any) -> Iterator[Any]:
    if isinstance(node, promql_parser.VectorSelector):
        yield node
        return
    for part in _PARTS:
        if (child := getattr(node, part, None)) is not None:
            yield from _walk(child)
    for child in _arguments(node):
        yield from _walk(child)


def _arguments(node: Any) -> Iterable[Any]:
    found = getattr(node, "args", None) or ()
    return getattr(found, "args", found)


def _replace_variables(text: str) -> str:
    for name, value in _VARIABLES.items():
        text = text.replace(name, value)
    return text
