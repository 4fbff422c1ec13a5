"""Lists of names in messages: the first few names, and the number of the others."""

from __future__ import annotations

from collections.abc import Sequence

from common.text.i18n import Text
from workers.dataworks.models import Node

MAX_NAMES = 3
MAX_NAME_LENGTH = 80


def summarize_names(names: Sequence[str]) -> Text:
    """Return the first names, and the number of the others."""
    shown, left = [shorten(name) for name in names[:MAX_NAMES]], len(names) - MAX_NAMES
    if left <= 0:
        return Text(", ".join(shown), "、".join(shown))
    return Text(f"{', '.join(shown)} and {left} more", f"{'、'.join(shown)} 等 {len(names)} 个")


def summarize_texts(texts: Sequence[Text]) -> Text:
    """Return the first texts, each in its language, and the number of the others."""
    return Text(
        summarize_names([text.en for text in texts]).en, summarize_names([text.zh for text in texts]).zh
    )


def summarize_nodes(nodes: Sequence[Node]) -> Text:
    """Return the first nodes as `name (id, owner)`, and the number of the others."""
    return summarize_texts(
        [
            Text(
                f"{node.name} ({node.id}, {node.owner or 'no owner'})",
                f"{node.name}（{node.id}，{node.owner or '无负责人'}）",
            )
            for node in nodes
        ]
    )


def shorten(name: str, length: int = MAX_NAME_LENGTH) -> str:
    """Return a name on one line, cut to `length` characters."""
    line = " ".join(name.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
