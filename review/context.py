"""The context of a review besides the code: its node, its project, and the tables it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class TableMetadata:
    """A table's metadata from the catalog.

    Attributes:
        partitions: types of its partition columns by name in lower case, in order; empty if not partitioned.
        columns: types of its other columns by name in lower case, in order; empty if unknown.
        labels: sensitivity labels by column in lower case, where there are any.
        keys: columns of its primary key.
        size: bytes; None if unknown.
    """

    partitions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    keys: tuple[str, ...] = ()
    size: int | None = None


@dataclass(frozen=True, slots=True)
class NodeContext:
    """The node that the code belongs to; None always means unknown.

    Attributes:
        name: its name.
        scheduled: whether it runs on a schedule; an ad hoc run does not.
        production: whether the code is deployed to, or runs in, production.
        parameters: names that its scheduling defines.
        inputs: output names (`project.table`) that it declares as dependencies.
        outputs: its declared output names.
    """

    name: str | None = None
    scheduled: bool = True
    production: bool = False
    parameters: frozenset[str] | None = None
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """The context of a review besides the code.

    Attributes:
        project: the MaxCompute project (or database) of names without one.
        tables: by name in lower case, with or without the project; a missing table is unknown.
        estimate: bytes that the code would scan by the engine's estimate (`tables.scan_estimate`); None
            if it was not queried.
    """

    node: NodeContext = field(default_factory=NodeContext)
    project: str | None = None
    tables: Mapping[str, TableMetadata] = field(default_factory=lambda: MappingProxyType({}))
    estimate: int | None = None

    def table(self, name: str) -> TableMetadata | None:
        """Return the metadata of the table `name`, as written in the code; None if unknown."""
        key = name.lower()
        if key in self.tables:
            return self.tables[key]
        if "." not in key and self.project:
            return self.tables.get(f"{self.project.lower()}.{key}")
        if self.project and key.startswith(f"{self.project.lower()}."):
            return self.tables.get(key.partition(".")[2])
        return None
