"""A waivers file changed as text: all that is not changed stays as it is, comments too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import yaml

from workers.policy_file import PolicyError

_EMPTY = "version: 1\nwaivers:\n"
_INDENT = 2


def appended(text: str, item: dict[str, Any]) -> str:
    """Return the text of a waivers file with one more waiver, as the last.

    Args:
        text: the file as it is; empty to begin one.
        item: the waiver as plain values.

    Raises:
        PolicyError: the list is written so that nothing can be put after it.
    """
    text = text if text.strip() else _EMPTY
    key, listed = _listed(text)
    if isinstance(listed, yaml.SequenceNode) and listed.value:
        if listed.flow_style:
            raise PolicyError("the waivers stand in brackets; write each as an item of its own (- id: …)")
        return _after(text, _last_line(listed), _item(item, listed.start_mark.column))
    if listed.start_mark.index != listed.end_mark.index:
        text = text[: listed.start_mark.index].rstrip(" ") + text[listed.end_mark.index :]
    return _after(text, key.start_mark.line + 1, _item(item, _INDENT))


def ended(text: str, id_: str, at: datetime) -> str:
    """Return the text of a waivers file with `expires_at` of one waiver set to `at`; nothing else changes.

    Args:
        text: a good waivers file.
        id_: the waiver.
        at: the moment, with a zone.

    Raises:
        KeyError: there is no such waiver.
    """
    for item in _listed(text)[1].value:
        fields = {key.value: value for key, value in item.value}
        if fields["id"].value == id_:
            mark = fields["expires_at"]
            return text[: mark.start_mark.index] + at.isoformat() + text[mark.end_mark.index :]
    raise KeyError(id_)


def _listed(text: str) -> tuple[yaml.Node, yaml.Node]:
    """Return the key `waivers` and its value."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "waivers":
            return key, value
    raise PolicyError("the waivers file has no key waivers")


def _last_line(node: yaml.Node) -> int:
    """Return the number of the line after the last one that belongs to `node`, from 0."""
    last = list(_leaves(node))[-1].end_mark
    # A text of several lines ends where the next line begins, anything else on its own line.
    return last.line if last.column == 0 else last.line + 1


def _leaves(node: yaml.Node) -> Iterator[yaml.Node]:
    if not isinstance(node, yaml.CollectionNode) or not node.value or node.flow_style:
        yield node
        return
    for value in node.value:
        yield from _leaves(value[1] if isinstance(node, yaml.MappingNode) else value)


def _item(item: dict[str, Any], column: int) -> str:
    text = yaml.safe_dump([item], sort_keys=False, allow_unicode=True, width=10_000)
    return "".join(f"{' ' * column}{line}" for line in text.splitlines(keepends=True))


def _after(text: str, line: int, added: str) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines[:line], added, *lines[line:]])
