"""Lists that come in pages, which may lie.

`HasNext` may be true for ever, a key may come twice, a total may be wrong, and rows may move while they are
read. So a row counts once, a page that brings nothing new is the last, and so is the fiftieth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

PAGE_SIZE = 100
MAX_PAGES = 50

T = TypeVar("T")


def paginate_by_number(
    read: Callable[[int], tuple[Iterable[T], int | None]], limit: int = PAGE_SIZE * MAX_PAGES
) -> tuple[T, ...]:
    """Return the rows of a list with page numbers, at most `limit`.

    Args:
        read: reads a page by its number, from 1: its rows, and how many there are in all if it says so.
        limit: after how many rows no further page is read.
    """
    found: dict[T, None] = {}
    for number in range(1, MAX_PAGES + 1):
        rows, total = read(number)
        before = len(found)
        found |= dict.fromkeys(rows)
        if len(found) in (before, total) or len(found) >= limit:
            break
    return tuple(found)[:limit]


def paginate_by_token(
    read: Callable[[str | None], tuple[Iterable[T], str | None]], limit: int = PAGE_SIZE * MAX_PAGES
) -> tuple[T, ...]:
    """Return the rows of a list in which each page holds the key of the next, at most `limit`.

    Args:
        read: reads a page by its key, None for the first: its rows, and the key of the next if there is one.
        limit: after how many rows no further page is read.
    """
    found: dict[T, None] = {}
    keys: set[str | None] = {None}
    key: str | None = None
    for _ in range(MAX_PAGES):
        rows, key = read(key)
        before = len(found)
        found |= dict.fromkeys(rows)
        if key in keys or len(found) == before or len(found) >= limit:
            break
        keys.add(key)
    return tuple(found)[:limit]
