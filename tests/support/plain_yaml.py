"""Reads and writes YAML with the library alone, independently of dwgate's loader of configuration files."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML


def load(text: str | bytes) -> Any:
    """Return a YAML text as plain values."""
    return YAML(typ="safe", pure=True).load(text)


def dump(values: object) -> str:
    """Return plain values as YAML."""
    text = StringIO()
    YAML(typ="safe", pure=True).dump(values, text)
    return text.getvalue()
