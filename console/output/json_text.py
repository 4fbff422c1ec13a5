"""Values as JSON text that is safe to show."""

from __future__ import annotations

from typing import Any

import orjson

from common.text.printable import escape_json


def json_text(value: Any) -> str:
    """Return a value as indented JSON; characters that are not printable are escaped."""
    return escape_json(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
