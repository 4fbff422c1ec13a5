"""What every fact has: its span in the script, and the dataclass decorator."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

__all__ = ["Span", "fact"]

if TYPE_CHECKING:
    from dataclasses import dataclass as fact
else:

    def fact(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """Make a class a dataclass that is frozen for mypy only; a review creates thousands of them.

        An instance that is frozen at run time takes four times as long to create: a twelfth of a review.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)


class Span(NamedTuple):
    """Offsets in the script of the first character, and of the character after the last."""

    begin: int
    end: int
