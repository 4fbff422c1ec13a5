"""What is known of tables, from a snapshot file.

    {"tables": {"proj.table": {"partitions": {"ds": "STRING"}, "columns": {"id": "BIGINT"}}}}

A table may also have `labels` (sensitivity by column), `keys` (columns of its primary key), `size` (bytes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from common.errors import DwgateError
from workers.review.given import Table

_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")
_WRONG = {
    "extra_forbidden": "no such key",
    "missing": "missing",
    "string_type": "wants a string",
    "dict_type": "wants an object",
    "model_type": "wants an object",
    "model_attributes_type": "wants an object",
    "tuple_type": "wants a list",
    "int_type": "wants a whole number",
}

Word = Annotated[str, StringConstraints(min_length=1, strict=True)]


class MetadataError(DwgateError):
    """The file of what is known of tables cannot be used: mend it at the place that the text names."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    partitions: dict[Word, Word] = Field(default_factory=dict)
    columns: dict[Word, Word] = Field(default_factory=dict)
    labels: dict[Word, Word] = Field(default_factory=dict)
    keys: tuple[Word, ...] = ()
    size: Annotated[int, Field(ge=0, strict=True)] | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tables: dict[Word, _Table]


def tables(name: str, content: bytes) -> dict[str, Table]:
    """Return the tables of a snapshot by their names in lower case.

    Args:
        name: how errors call the file.
        content: its bytes, JSON.

    Raises:
        MetadataError: it is not JSON, or not of the shape.
    """
    try:
        file = _File.model_validate(orjson.loads(content))
    except orjson.JSONDecodeError as error:
        raise MetadataError(f"{name}:{error.lineno}:{error.colno}: not JSON: {_lower(error.msg)}") from None
    except ValidationError as error:
        first = error.errors()[0]
        what = _WRONG.get(first["type"]) or first["msg"].replace("Input should be", "wants")
        raise MetadataError(f"{name}: {_path(first['loc'])}: {_lower(what)}") from None
    return {key.lower(): _table(value) for key, value in file.tables.items()}


def _table(raw: _Table) -> Table:
    return Table(
        partitions=_keyed(raw.partitions),
        columns=_keyed(raw.columns),
        labels=_keyed(raw.labels),
        keys=tuple(key.lower() for key in raw.keys),
        size=raw.size,
    )


def _keyed(words: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in words.items()}


def _path(keys: tuple[str | int, ...]) -> str:
    parts = [
        f".{key}" if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else f"[{orjson.dumps(key).decode()}]"
        for key in keys
        if key != "[key]"
    ]
    return "".join(("$", *parts))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
