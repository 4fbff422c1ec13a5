"""The check `table-readers`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Finding, Severity
from workers.checks import fields
from workers.checks.check import Context, Options, Runs
from workers.checks.named import MOST_NAMED, name_first
from workers.checks.registry import check


class TableReadersOptions(Options):
    """What a workspace may set."""

    most_readers: int = Field(
        default=0, strict=True, ge=0, le=1000, description="tables made from it that do not block yet"
    )


@check("table-readers", points=("deploy-table",), runs=Runs.WAITING, options=TableReadersOptions)
def table_readers(context: Context) -> Iterator[Finding]:
    """Ask how many tables are made from the table that is deployed.

    Why: a changed column breaks the tables that are made from it. It looks one hop down.

    Options:
        most_readers: more tables than this block; 0 if not set.
    """
    assert context.lookups  # noqa: S101 - a WAITING check has lookups
    project = fields.text(context.event.data, "maxComputeProject")
    table = fields.text(context.event.data, "tableName")
    if not project or not table:
        missing = "tableName" if project else "maxComputeProject"
        yield fields.unreadable(fields.Unreadable(f"{missing} is missing"))
        return
    guid = f"odps.{project}.{table}"
    most = context.options.most_readers + MOST_NAMED + 2
    found = context.lookups.downstream_tables(guid, most)
    readers = [reader for reader in found if reader.guid.lower() != guid.lower()]
    if len(readers) > context.options.most_readers:
        count = "1 table is" if len(readers) == 1 else f"{len(readers)} tables are"
        count = f"At least {count}" if len(found) >= most else count
        names = name_first([f"{reader.database}.{reader.name}" for reader in readers])
        yield Finding(
            "downstream-tables",
            Severity.BLOCK,
            f"{count} made from {project}.{table}: {names}.",
            help="Agree the change with their owners, then let the policy allow that many.",
        )
