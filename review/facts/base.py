"""How facts are made: a review makes thousands of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

__all__ = ["fact"]

if TYPE_CHECKING:
    from dataclasses import dataclass as fact
else:

    def fact(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """Make a class a dataclass that mypy alone holds to be frozen.

        Making one that Python freezes takes four times as long: a twelfth of a review's time went into that.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)
