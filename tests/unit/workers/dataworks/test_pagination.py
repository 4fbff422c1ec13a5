"""Lists in pages, told truly and with every lie."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workers.dataworks.pagination import MAX_PAGES, paginate_by_number, paginate_by_token

SIZE = 10


class Listing:
    """A list of `count` rows in pages of ten, that says `total`; `moves` rows come in before each page."""

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
def test_numbered_pages_end_by_total_or_when_nothing_new_comes(
    count: int, total: int | None, reads: int
) -> None:
    listing = Listing(count, total)
    assert paginate_by_number(listing.read) == tuple(range(min(count, 20) if total == 20 else count))
    assert listing.reads == reads


def test_rows_that_move_while_they_are_read_count_once() -> None:
    listing = Listing(25, 25, moves=3)
    found = paginate_by_number(listing.read)
    assert set(range(25)) <= set(found)
    assert len(found) == len(set(found))


def test_numbered_pages_without_end_are_ended() -> None:
    assert (
        len(paginate_by_number(lambda number: (range(number * SIZE, number * SIZE + SIZE), None)))
        == MAX_PAGES * SIZE
    )


def test_no_more_pages_are_read_than_wanted() -> None:
    listing = Listing(100, 100)
    assert paginate_by_number(listing.read, 15) == tuple(range(15))
    assert listing.reads == 2


def chain(next_key: Callable[[int], str | None]) -> tuple[list[str | None], tuple[int, ...]]:
    """Read pages of ten that go on for ever, with keys by `next_key`; return keys and rows."""
    keys: list[str | None] = []

    def read(key: str | None) -> tuple[range, str | None]:
        keys.append(key)
        start = int(key or 0)
        return range(start, start + SIZE), next_key(start + SIZE)

    return keys, paginate_by_token(read)


def test_keyed_pages_end_when_there_is_no_key() -> None:
    keys, found = chain(lambda end: str(end) if end < 30 else None)
    assert keys == [None, "10", "20"]
    assert found == tuple(range(30))


def test_a_key_that_comes_again_ends_them() -> None:
    keys, found = chain(lambda _: "10")
    assert keys == [None, "10"]
    assert found == tuple(range(20))


def test_keys_in_a_ring_end_them() -> None:
    keys, found = chain(lambda end: str(end % 30))
    assert keys == [None, "10", "20", "0"]
    assert found == tuple(range(30))


def test_keyed_pages_without_end_are_ended() -> None:
    keys, found = chain(str)
    assert (len(keys), len(found)) == (MAX_PAGES, MAX_PAGES * SIZE)


def test_new_keys_without_new_rows_end_them() -> None:
    reads: list[str | None] = []

    def read(key: str | None) -> tuple[list[int], str | None]:
        reads.append(key)
        return [1, 2], str(len(reads))

    assert paginate_by_token(read) == (1, 2)
    assert len(reads) == 2
