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

from common.config_files.errors import MAX_REPORTED, ConfigError, Keys, Problem
from common.config_files.validation import describe, keys_of
from review.context import TableMetadata

MAX_BYTES = 64 << 20
"""Maximum size of a file, in bytes."""

_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")

Word = Annotated[str, StringConstraints(min_length=1, strict=True)]


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


def parse_tables(name: str, content: bytes) -> dict[str, TableMetadata]:
    """Return the tables of a snapshot by their names in lower case.

    Args:
        name: how errors call the file.
        content: its bytes, JSON.

    Raises:
        ConfigError: it is too large, not JSON, or not of the shape.
    """
    if len(content) > MAX_BYTES:
        text = f"too large; expected at most {MAX_BYTES} bytes"
        raise ConfigError((Problem(name, text, (), 1, 1),))
    try:
        file = _File.model_validate(orjson.loads(content))
    except orjson.JSONDecodeError as error:
        problem = Problem(name, f"not JSON: {error.msg}", (), error.lineno, error.colno)
        raise ConfigError((problem,)) from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        lines = (f"{_path(keys_of(each))}: {describe(each, _File)}" for each in found[:MAX_REPORTED])
        problems = tuple(Problem(name, line) for line in lines)
        raise ConfigError(problems, max(len(found) - MAX_REPORTED, 0)) from None
    return {key.lower(): _table(value) for key, value in file.tables.items()}


def _table(raw: _Table) -> TableMetadata:
    return TableMetadata(
        partitions=_by_lower_name(raw.partitions),
        columns=_by_lower_name(raw.columns),
        labels=_by_lower_name(raw.labels),
        keys=tuple(key.lower() for key in raw.keys),
        size=raw.size,
    )


def _by_lower_name(words: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in words.items()}


def _path(keys: Keys) -> str:
    parts = [
        f".{key}" if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else f"[{orjson.dumps(key).decode()}]"
        for key in keys
    ]
    return "".join(("$", *parts))
