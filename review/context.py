"""What is known besides the code: the node it belongs to, the project, and the tables it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the catalogue has it.

    Attributes:
        partitions: types of its partition columns by name in lower case, in order; empty: not partitioned.
        columns: types of its other columns by name in lower case, in order; empty when they are not known.
        labels: sensitivity labels by column in lower case, where there are some.
        keys: columns of its primary key.
        size: bytes; None when it is not known.
    """

    partitions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    keys: tuple[str, ...] = ()
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """The node that the code belongs to; None always means: not known.

    Attributes:
        name: its name.
        scheduled: whether it runs by schedule; an ad hoc run is not scheduled.
        production: whether the code goes to, or runs in, production.
        parameters: names that its scheduling defines.
        inputs: output names (`project.table`) that it declares to depend on.
        outputs: its declared output names.
    """

    name: str | None = None
    scheduled: bool = True
    production: bool = False
    parameters: frozenset[str] | None = None
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """Everything known besides the code.

    Attributes:
        project: the MaxCompute project (or database) that names without one belong to.
        tables: by name in lower case, with and without the project; what is not here is not known.
        estimate: bytes that the engine says the code would scan (`tables.scan_estimate`); None: not asked.
    """

    node: Node = field(default_factory=Node)
    project: str | None = None
    tables: Mapping[str, Table] = field(default_factory=lambda: MappingProxyType({}))
    estimate: int | None = None

    def table(self, name: str) -> Table | None:
        """Return what is known of the table `name`, as written in the code; None when nothing is."""
        key = name.lower()
        if key in self.tables:
            return self.tables[key]
        if "." not in key and self.project:
            return self.tables.get(f"{self.project.lower()}.{key}")
        if self.project and key.startswith(f"{self.project.lower()}."):
            return self.tables.get(key.partition(".")[2])
        return None
