"""Lineage as an event of OpenLineage, with the facet `columnLineage` of the datasets that are written.

Sources: the schemas https://openlineage.io/spec/2-0-2/OpenLineage.json and
https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from review.lineage import ALL_COLUMNS
from review.lineage.file_lineage import FileLineage, StatementLineage

PRODUCER = "urn:dwgate"
EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACET_SCHEMA = (
    "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
)
NAMESPACE = "dwgate"
"""Of the job. The namespace of a dataset is the dialect of the statement that names it."""

_Key = tuple[str, str]
"""Namespace and name in lower case: names that differ only in case are one dataset."""


def lineage_event(files: Sequence[FileLineage], job: str, time: datetime) -> dict[str, Any]:
    """Return one event for the lineage of all files.

    It has the type OTHER: the code was read, not run. Columns of which only the table is known are left out.

    Args:
        files: the lineage.
        job: name of the job: what was read.
        time: when it was read, with a time zone.
    """
    found = _Datasets()
    for statement in (item for file in files for item in file.statements):
        found.add(statement)
    return {
        "eventType": "OTHER",
        "eventTime": time.isoformat(),
        "run": {"runId": str(uuid.uuid4())},
        "job": {"namespace": NAMESPACE, "name": job},
        "inputs": [found.names[key] for key in found.inputs],
        "outputs": [found.output(key) for key in found.outputs],
        "producer": PRODUCER,
        "schemaURL": EVENT_SCHEMA,
    }


@dataclass(slots=True)
class _Datasets:
    """The datasets of an event, each once.

    Attributes:
        names: each as it is named first.
        outputs: the input columns of the columns of the datasets that are written.
    """

    names: dict[_Key, dict[str, str]] = field(default_factory=dict)
    inputs: dict[_Key, None] = field(default_factory=dict)
    outputs: dict[_Key, dict[str, dict[tuple[_Key, str], None]]] = field(default_factory=dict)

    def add(self, statement: StatementLineage) -> None:
        """Add the tables and columns of a statement."""
        for name in statement.reads:
            self.inputs[self._key(statement.dialect, name)] = None
        for write in statement.writes:
            self.outputs.setdefault(self._key(statement.dialect, write.table), {})
        for column in statement.columns:
            if column.column not in ("", ALL_COLUMNS):
                columns = self.outputs.setdefault(self._key(statement.dialect, column.table), {})
                sources = columns.setdefault(column.column, {})
                for table, name in column.sources:
                    if name != ALL_COLUMNS:
                        sources[self._key(statement.dialect, table), name] = None

    def _key(self, namespace: str, name: str) -> _Key:
        key = (namespace, name.lower())
        self.names.setdefault(key, {"namespace": namespace, "name": name})
        return key

    def output(self, key: _Key) -> dict[str, Any]:
        """Return a dataset that is written, with its facet if columns of it are known."""
        fields = {
            name: {"inputFields": list(self._fields(sources))} for name, sources in self.outputs[key].items()
        }
        facet = {"_producer": PRODUCER, "_schemaURL": FACET_SCHEMA, "fields": fields}
        return {**self.names[key], "facets": {"columnLineage": facet} if fields else {}}

    def _fields(self, sources: dict[tuple[_Key, str], None]) -> Iterator[dict[str, str]]:
        for key, name in sources:
            yield {**self.names[key], "field": name}
