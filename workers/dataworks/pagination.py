"""Pagination that tolerates wrong totals, an endless `HasNext`, repeated keys and rows that move meanwhile.

Duplicate rows count once. Reading stops at a page without new rows, and at the fiftieth page.
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
    """Return the rows of a list that is paged by number, at most `limit`.

    Args:
        read: reads a page by its number, from 1: its rows, and the total number of rows, if reported.
        limit: number of rows after which no further page is read.
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
    """Return the rows of a list in which each page holds the token of the next page, at most `limit`.

    Args:
        read: reads a page by its token (None for the first): its rows, and the next page's token, if any.
        limit: number of rows after which no further page is read.
    """
    found: dict[T, None] = {}
    seen: set[str | None] = {None}
    token: str | None = None
    for _ in range(MAX_PAGES):
        rows, token = read(token)
        before = len(found)
        found |= dict.fromkeys(rows)
        if token in seen or len(found) == before or len(found) >= limit:
            break
        seen.add(token)
    return tuple(found)[:limit]
