"""Edits the text of a waivers file; everything else in it, comments included, stays unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from common.config_files.errors import ConfigError, Problem
from common.config_files.yaml_document import compose, dump

_EMPTY = "version: 1\nwaivers:\n"
_INDENT = 2
_WIDTH = 10_000


def append_waiver(name: str, text: str, item: dict[str, Any]) -> str:
    """Return the text of a waivers file with a waiver appended.

    Args:
        name: the file name for messages.
        text: its text; empty for a new file.
        item: the waiver as plain values.

    Raises:
        ConfigError: the list is in flow style, to which no item can be appended.
    """
    text = text if text.strip() else _EMPTY
    key, waivers = _waivers(name, text)
    if isinstance(waivers, SequenceNode) and waivers.value:
        if waivers.flow_style:
            message = "the list is in flow style ([…]); expected one item per waiver (- id: …)"
            mark = waivers.start_mark
            raise ConfigError((Problem(name, message, ("waivers",), mark.line + 1, mark.column + 1),))
        return _insert(text, _next_line(waivers), _item(item, waivers.start_mark.column))
    if waivers.start_mark.index != waivers.end_mark.index:
        text = text[: waivers.start_mark.index].rstrip(" ") + text[waivers.end_mark.index :]
    return _insert(text, key.start_mark.line + 1, _item(item, _INDENT))


def set_expiry(name: str, text: str, id_: str, at: datetime) -> str:
    """Return the text of a valid waivers file with `expires_at` of one waiver set to `at`.

    Args:
        name: the file name for messages.
        text: its text.
        id_: the waiver.
        at: the time, with a zone.

    Raises:
        KeyError: the waiver does not exist.
    """
    for item in _waivers(name, text)[1].value:
        fields = {key.value: value for key, value in item.value}
        if fields["id"].value == id_:
            end = fields["expires_at"]
            return text[: end.start_mark.index] + at.isoformat() + text[end.end_mark.index :]
    raise KeyError(id_)


def _waivers(name: str, text: str) -> tuple[Node, Node]:
    """Return the key `waivers` and its value."""
    root = compose(name, text)
    for key, value in root.value if isinstance(root, MappingNode) else ():
        if key.value == "waivers":
            return key, value
    raise ConfigError((Problem(name, "waivers: missing", (), 1, 1),))


def _next_line(node: Node) -> int:
    """Return the number of the line after the last one of `node`, from 0."""
    end = list(_leaves(node))[-1].end_mark
    # A block scalar ends at the start of the next line, any other node on its own last line.
    return int(end.line if end.column == 0 else end.line + 1)


def _leaves(node: Node) -> Iterator[Node]:
    if not isinstance(node, CollectionNode) or not node.value or node.flow_style:
        yield node
        return
    for value in node.value:
        yield from _leaves(value[1] if isinstance(node, MappingNode) else value)


def _item(item: dict[str, Any], column: int) -> str:
    text = dump([item], width=_WIDTH)
    return "".join(f"{' ' * column}{line}" for line in text.splitlines(keepends=True))


def _insert(text: str, line: int, added: str) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines[:line], added, *lines[line:]])
