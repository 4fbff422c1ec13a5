"""The JSON schema of a policy file, with the options of every registered check, for editors and CI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.points import POINTS
from workers.checks.check import Check
from workers.policy_model import PolicyFile

Schema = dict[str, Any]


def schema(checks: Mapping[str, Check]) -> Schema:
    """Return the JSON schema of a policy file, given the registered checks by name."""
    whole: Schema = PolicyFile.model_json_schema(ref_template="#/$defs/{model}")
    parts = whole["$defs"]
    for name, check in sorted(checks.items()):
        parts |= _check(name, check, parts["CheckPart"])
    for point in POINTS:
        fitting = sorted(name for name, check in checks.items() if check.applies_to(point.code))
        parts[f"point {point.code}"] = _point(fitting, parts["PointPart"])
    points = _closed({point.code: _optional(f"point {point.code}") for point in POINTS})
    whole["properties"]["points"] = points
    whole["properties"]["defaults"] = _optional("Defaults")
    parts["WorkspacePart"]["properties"]["points"] = points
    whole["properties"]["workspaces"] = {
        "type": ["object", "null"],
        "patternProperties": {"^[0-9]+$": _optional("WorkspacePart")},
        "additionalProperties": False,
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_pruned(whole)}


def _check(name: str, check: Check, base: Schema) -> Schema:
    options = check.options.model_json_schema(ref_template=f"#/$defs/{name} {{model}}")
    inner = {f"{name} {key}": value for key, value in options.pop("$defs", {}).items()}
    properties = {**base["properties"], "options": {"anyOf": [options, {"type": "null"}]}}
    return {name: {**base, "title": name, "description": check.title, "properties": properties}, **inner}


def _point(fitting: list[str], base: Schema) -> Schema:
    names = _closed({name: _optional(name) for name in fitting})
    return {**base, "properties": {**base["properties"], "checks": names}}


def _closed(properties: Schema) -> Schema:
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _optional(part: str) -> Schema:
    return {"anyOf": [{"$ref": f"#/$defs/{part}"}, {"type": "null"}]}


def _pruned(whole: Schema) -> Schema:
    parts = {name: part for name, part in whole["$defs"].items() if name not in ("CheckPart", "PointPart")}
    return {**whole, "$defs": parts}
