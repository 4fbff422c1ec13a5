"""The structure of a data integration job in script mode, as a JSON schema.

Source: help page "Configure a batch synchronization task in the code editor" of DataWorks. Parameters of
readers and writers differ by plug-in and are left open.
"""

from __future__ import annotations

from typing import Any

_NUMBER = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": r"^(\d+(\.\d+)?|\$.*|\{\{.*\}\})?$"},
        {"type": "null"},
    ]
}
_TRUTH = {
    "anyOf": [
        {"type": "boolean"},
        {"enum": ["true", "false"]},
        {"type": "string", "pattern": r"^\$"},
        {"type": "null"},
    ]
}
_SETTING = {
    "type": "object",
    "properties": {
        "errorLimit": {"type": "object", "properties": {"record": _NUMBER, "percentage": _NUMBER}},
        "speed": {
            "type": "object",
            "properties": {"throttle": _TRUTH, "concurrent": _NUMBER, "mbps": _NUMBER, "dmu": _NUMBER},
        },
    },
}
_STEP = {
    "type": "object",
    "required": ["stepType", "parameter", "category"],
    "properties": {
        "stepType": {"type": "string", "minLength": 1},
        "parameter": {"type": "object"},
        "name": {"type": "string"},
        "category": {"type": "string", "minLength": 1},
    },
}
_HOP = {
    "type": "object",
    "required": ["from", "to"],
    "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
}
_END = {
    "type": "object",
    "required": ["plugin", "parameter"],
    "properties": {"plugin": {"type": "string", "minLength": 1}, "parameter": {"type": "object"}},
}

STEPS: dict[str, Any] = {
    "type": "object",
    "required": ["type", "steps"],
    "properties": {
        "type": {"const": "job"},
        "steps": {"type": "array", "minItems": 2, "items": _STEP},
        "setting": _SETTING,
        "order": {"type": "object", "properties": {"hops": {"type": "array", "items": _HOP}}},
    },
}
"""Version 2.0: a list of steps."""

ENDS: dict[str, Any] = {
    "type": "object",
    "required": ["configuration"],
    "properties": {
        "configuration": {
            "type": "object",
            "required": ["reader", "writer"],
            "properties": {"reader": _END, "writer": _END, "setting": _SETTING},
        }
    },
}
"""Version 1.0: one reader and one writer."""

PROBLEMS = {
    "required": ("missing field {}", "缺少字段 {}"),
    "type": ("expected a value of type {}", "应为 {} 类型的值"),
    "const": ("expected {}", "应为 {}"),
    "minItems": ("expected at least {} items", "至少需要 {} 项"),
    "minLength": ("expected a non-empty value", "不能为空"),
}
"""Descriptions of violations by JSON schema keyword, in English and Chinese; `{}` is the detail."""
OTHER_PROBLEM = ("expected a number, a boolean or a scheduling parameter", "应为数字、布尔值或调度参数")
