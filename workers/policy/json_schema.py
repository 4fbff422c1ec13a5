"""The JSON schema of a policy file, with the options of every registered check, for editors and CI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from common.extension_points import POINTS
from workers.checks.api import Check
from workers.policy import console_fields
from workers.policy.model import PolicyFile

Schema = dict[str, Any]


def build_schema(checks: Mapping[str, Check]) -> Schema:
    """Return the JSON schema of a policy file for the registered checks, by name."""
    whole: Schema = PolicyFile.model_json_schema(ref_template="#/$defs/{model}")
    parts = whole["$defs"]
    for name, check in sorted(checks.items()):
        parts |= _check(name, check, parts["CheckPart"])
    for point in POINTS:
        fitting = sorted(name for name, check in checks.items() if check.applies_to(point.code))
        parts[f"point.{point.code}"] = _point(fitting, parts["PointPart"])
    points = _closed({point.code: _optional(f"point.{point.code}") for point in POINTS})
    for part in (whole, parts["SetPart"], parts["WorkspacePart"]):
        part["properties"]["points"] = points
    _where_schema(parts)
    whole["properties"]["defaults"] = _optional("Defaults")
    for part in (whole, parts["SetPart"], parts["WorkspacePart"]):
        part["properties"]["suppressions"] = _optional("SuppressionRules")
    for part in (whole, parts["WorkspacePart"]):
        part["properties"]["contact"] = _optional("ContactPart")
    whole["properties"]["sets"] = {
        "type": ["object", "null"],
        "additionalProperties": _optional("SetPart"),
        "description": whole["properties"]["sets"]["description"],
    }
    whole["properties"]["workspaces"] = {
        "type": ["object", "null"],
        "patternProperties": {"^[0-9]+$": _optional("WorkspacePart")},
        "additionalProperties": False,
        "description": whole["properties"]["workspaces"]["description"],
    }
    _console(whole, checks)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_pruned(whole)}


def _console(whole: Schema, checks: Mapping[str, Check]) -> None:
    """Allow an entry of `console` to be just a setting's name, and list the known settings."""
    names = {"enum": console_fields.field_names(checks)}
    setting = whole["$defs"]["ConsolePart"]["properties"]["setting"]
    setting |= names
    console = whole["properties"]["console"]
    console["items"] = {"anyOf": [names, {"$ref": "#/$defs/ConsolePart"}]}
    for part in (whole, *(whole["$defs"][name] for name in ("SetPart", "WorkspacePart", "WherePart"))):
        for item in part["properties"].values():
            if item.get("type") == "array":
                item["type"] = ["array", "null"]


def _where_schema(parts: Schema) -> None:
    """Allow in `where` only points whose events name a file or table, and no deadline."""
    codes = [point.code for point in POINTS if point.has_snapshot]
    for code in codes:
        parts[f"where.{code}"] = _without(parts[f"point.{code}"], "deadline")
    parts["WherePart"]["properties"]["points"] = _closed({code: _optional(f"where.{code}") for code in codes})


def _without(part: Schema, name: str) -> Schema:
    return {**part, "properties": {key: value for key, value in part["properties"].items() if key != name}}


def _check(name: str, check: Check, base: Schema) -> Schema:
    options = check.options.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    for key, field in check.options.model_fields.items():
        if field.default_factory is not None:
            default = field.get_default(call_default_factory=True)
            options["properties"][field.alias or key]["default"] = to_jsonable_python(default, by_alias=True)
    inner = {f"{name}.{key}": value for key, value in options.pop("$defs", {}).items()}
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
