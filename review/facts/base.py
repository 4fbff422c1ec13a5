"""The dataclass decorator of facts; a review creates thousands of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

__all__ = ["fact"]

if TYPE_CHECKING:
    from dataclasses import dataclass as fact
else:

    def fact(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """Make a class a dataclass that is frozen for mypy only.

        An instance that is frozen at run time takes four times as long to create: a twelfth of a review.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)
