"""Pagination of correct and of inconsistent lists."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workers.dataworks.pagination import MAX_PAGES, paginate_by_number, paginate_by_token

SIZE = 10


class Listing:
    """`count` rows in pages of ten that report `total`; each read inserts `moves` rows at the front."""

    def __init__(self, count: int, total: int | None, moves: int = 0) -> None:
        self.rows = list(range(count))
        self.total = total
        self.moves = moves
        self.reads = 0

    def read(self, number: int) -> tuple[list[int], int | None]:
        start = (number - 1) * SIZE
        page = self.rows[start : start + SIZE]
        self.reads += 1
        self.rows = [*range(-self.moves * self.reads, -self.moves * (self.reads - 1)), *self.rows]
        return page, self.total


@pytest.mark.parametrize(
    ("count", "total", "reads"),
    [(25, 25, 3), (20, 20, 2), (0, 0, 1), (20, None, 3), (25, 9, 4), (25, 1_000_000, 4), (25, 20, 2)],
)
def test_numbered_pages_end_at_the_total_or_without_new_rows(
    count: int, total: int | None, reads: int
) -> None:
    listing = Listing(count, total)
    assert paginate_by_number(listing.read) == tuple(range(min(count, 20) if total == 20 else count))
    assert listing.reads == reads


def test_rows_that_move_meanwhile_count_once() -> None:
    listing = Listing(25, 25, moves=3)
    found = paginate_by_number(listing.read)
    assert set(range(25)) <= set(found)
    assert len(found) == len(set(found))


def test_endless_numbered_pages_stop_at_the_maximum() -> None:
    assert (
        len(paginate_by_number(lambda number: (range(number * SIZE, number * SIZE + SIZE), None)))
        == MAX_PAGES * SIZE
    )


def test_no_page_is_read_beyond_the_limit() -> None:
    listing = Listing(100, 100)
    assert paginate_by_number(listing.read, 15) == tuple(range(15))
    assert listing.reads == 2


def chain(next_token: Callable[[int], str | None]) -> tuple[list[str | None], tuple[int, ...]]:
    """Read endless pages of ten, with tokens from `next_token`; return the tokens and rows."""
    tokens: list[str | None] = []

    def read(token: str | None) -> tuple[range, str | None]:
        tokens.append(token)
        start = int(token or 0)
        return range(start, start + SIZE), next_token(start + SIZE)

    return tokens, paginate_by_token(read)


def test_pages_end_without_a_token() -> None:
    tokens, found = chain(lambda end: str(end) if end < 30 else None)
    assert tokens == [None, "10", "20"]
    assert found == tuple(range(30))


def test_pages_end_at_a_repeated_token() -> None:
    tokens, found = chain(lambda _: "10")
    assert tokens == [None, "10"]
    assert found == tuple(range(20))


def test_pages_end_when_tokens_form_a_cycle() -> None:
    tokens, found = chain(lambda end: str(end % 30))
    assert tokens == [None, "10", "20", "0"]
    assert found == tuple(range(30))


def test_endless_pages_by_token_stop_at_the_maximum() -> None:
    tokens, found = chain(str)
    assert (len(tokens), len(found)) == (MAX_PAGES, MAX_PAGES * SIZE)


def test_pages_end_without_new_rows() -> None:
    reads: list[str | None] = []

    def read(token: str | None) -> tuple[list[int], str | None]:
        reads.append(token)
        return [1, 2], str(len(reads))

    assert paginate_by_token(read) == (1, 2)
    assert len(reads) == 2
