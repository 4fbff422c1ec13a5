"""The order in which the nodes of a cluster are tried."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Generic, TypeVar

AddressT = TypeVar("AddressT")


class AddressRotation(Generic[AddressT]):
    """Addresses of one cluster: one that failed is tried after all others, until these fail, too.

    A process begins with a random one, so that the connections of a fleet spread over the nodes.

    Args:
        addresses: one or more.
    """

    def __init__(self, addresses: Sequence[AddressT]) -> None:
        # Not for security.
        self._addresses = random.sample(addresses, len(addresses))
        self._lock = threading.Lock()

    def in_order(self) -> list[AddressT]:
        """Return all addresses, the most promising first."""
        with self._lock:
            return [*self._addresses]

    def note_failure(self, address: AddressT) -> None:
        """Record that an address does not serve."""
        with self._lock:
            self._addresses.remove(address)
            self._addresses.append(address)
