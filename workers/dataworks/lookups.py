"""The lookups of one check: DataWorks, bound to the time that the check has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.dataworks.values import Environment, Node, TableInfo, TableRef

if TYPE_CHECKING:
    from workers.dataworks.client import DataWorks

MOST_TABLES = 1000


@dataclass(frozen=True, slots=True)
class BoundLookups:
    """What a check may ask DataWorks, up to a time; see `Lookups`."""

    dataworks: DataWorks
    until: float

    def node_children(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        """Return the nodes that depend on `node_id`, one hop."""
        return self.dataworks.node_children(node_id, environment, until=self.until)

    def node_parents(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        """Return the nodes that `node_id` depends on, one hop."""
        return self.dataworks.node_parents(node_id, environment, until=self.until)

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:
        """Return one node."""
        return self.dataworks.node(node_id, environment, until=self.until)

    def downstream_tables(self, guid: str, most: int = MOST_TABLES) -> tuple[TableRef, ...]:
        """Return the tables made from the table `guid`, one hop, at most `most`."""
        return self.dataworks.downstream_tables(guid, most, until=self.until)

    def table_info(self, guid: str) -> TableInfo:
        """Return one table with its columns."""
        return self.dataworks.table_info(guid, until=self.until)

    def deployed_code(self, file_id: int) -> str | None:
        """Return the code of a file as it runs in production, or None."""
        return self.dataworks.deployed_code(file_id, until=self.until)
