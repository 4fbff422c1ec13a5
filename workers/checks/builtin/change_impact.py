"""The check `change-impact`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from pydantic import Field

from common.text.i18n import Text
from common.verdicts import Finding, Severity, SubjectKind, table_subject
from review.content.node_script import node_script
from review.dialects import Dialect
from workers.checks.api import LookupContext, Options, Runs, Unreviewable
from workers.checks.code_effects.loss_readers import ChangeReaders
from workers.checks.code_effects.losses import (
    BreakingChange,
    TableLookup,
    altered_columns,
    rebuilt_columns,
    unfilled_columns,
)
from workers.checks.code_effects.model import CodeEffects, ColumnWrite
from workers.checks.code_effects.node_file import MAXCOMPUTE, code_file, node_type, project_of
from workers.checks.code_effects.reader import read_effects
from workers.checks.code_effects.table_names import table_guid
from workers.checks.not_checked import language_unknown, not_checked, require_parsed, unparsed
from workers.checks.registry import check
from workers.checks.subjects import named_subjects
from workers.dataworks.errors import Permanent


class ChangeImpactOptions(Options):
    """Options of `change-impact`."""

    project: str | None = Field(
        default=None,
        description="MaxCompute project of tables named without one; default: that of the outputs",
    )
    max_columns: int = Field(
        default=20,
        ge=1,
        le=200,
        strict=True,
        description="dropped columns and tables whose readers are looked up",
    )


@check(
    "change-impact",
    points=("commit-file", "deploy-file"),
    runs=Runs.CPU,
    options=ChangeImpactOptions,
    needs_snapshot=True,
    uses_lookups=True,
)
def change_impact(context: LookupContext) -> Iterator[Finding]:
    """Check who reads the columns and tables that the code drops, renames, narrows or no longer fills.

    Why: the code itself succeeds; the readers of what it removes, in other people's nodes, fail or continue
    with NULL in the next night. Nothing is looked up unless the code removes something.

    Options:
        project: MaxCompute project of tables named without one; default: that of the node's declared outputs.
        max_columns: dropped columns and tables whose readers are looked up; code with more of them is
            unreviewable.
    """
    file, script = code_file(context)
    dialect = script.dialect
    if dialect is Dialect.UNKNOWN:
        yield language_unknown(context, Severity.INFO)  # the review already warns
        return
    project = context.options.project or project_of(file)
    effects = read_effects(context, script.code, dialect, project)
    yield from unparsed(context, effects.unparsed)
    tables = TableLookup(context.lookups)
    fault: Permanent | None = None
    if dialect in MAXCOMPUTE:
        losses = [
            *altered_columns(effects, tables),
            *rebuilt_columns(effects, tables),
            *_unfilled_columns(context, effects, tables),
        ]
        readers = _readers(context, effects)
        fault = yield from _loss_findings(context, readers, losses)
        for table, what, line in tables.unavailable:
            yield not_checked(context, what, line=line, subjects=[table_subject(table)])
        _require_within_limits(context, readers, losses)
        fault = fault or tables.fault
    elif effects.altered or effects.rebuilt:
        names = [item.table for item in effects.altered] + [item.table for item in effects.rebuilt]
        lines = [item.line for item in effects.altered] + [item.line for item in effects.rebuilt]
        what = Text(
            f"who reads what this code removes: DataWorks keeps no lineage of {dialect} tables by name",
            f"无法查询此代码所删改内容的下游：DataWorks 不按名称保存 {dialect} 表的血缘",
        )
        yield not_checked(context, what, line=min(lines), subjects=named_subjects(SubjectKind.TABLE, *names))
    require_parsed(context, effects.gaps)
    if fault:
        raise fault


def _unfilled_columns(
    context: LookupContext, effects: CodeEffects, tables: TableLookup
) -> Iterator[BreakingChange]:
    """Yield columns that the version in production fills, and this one fills with NULL or omits."""
    file, _ = code_file(context)
    if file.file_id is None or not any(_omits_columns(write, tables) for write in effects.column_writes):
        return
    before = context.lookups.deployed_code(file.file_id)
    if before and before != file.content:
        project = context.options.project or project_of(file)
        old = node_script(before, node_type(file, context))
        yield from unfilled_columns(
            read_effects(context, old.code, old.dialect, project).column_writes, effects.column_writes, tables
        )


def _omits_columns(write: ColumnWrite, tables: TableLookup) -> bool:
    """Whether a write leaves columns of its table without values: NULL, or missing from its column list."""
    if any(write.empty):
        return True
    known = tables.columns(write.table) if write.listed else None
    return any(not column.partition and column.name.lower() not in write.listed for column in known or ())


def _readers(context: LookupContext, effects: CodeEffects) -> ChangeReaders:
    written_tables = {item.table for item in effects.column_writes} | {item.table for item in effects.rebuilt}
    return ChangeReaders(context, written_tables)


def _require_within_limits(
    context: LookupContext, readers: ChangeReaders, losses: Sequence[BreakingChange]
) -> None:
    """Raise `Unreviewable` if a limit was reached: the author chooses how much precedes what matters."""
    if readers.is_exhausted or len(losses) > context.options.max_columns:
        what = Text(
            f"the code drops or changes {len(losses)} columns and tables, too many to look up all readers",
            f"代码删改了 {len(losses)} 个字段和表，数量过多，无法查询全部下游",
        )
        raise Unreviewable(what.in_language(context.language))


def _loss_findings(
    context: LookupContext, readers: ChangeReaders, losses: Sequence[BreakingChange]
) -> Generator[Finding, None, Permanent | None]:
    """Yield the readers of `losses`; return the last refusal of DataWorks, which hides no other loss."""
    max_columns = context.options.max_columns
    fault: Permanent | None = None
    for loss in losses[:max_columns]:
        if table_guid(loss.table) is None:
            what = Text(
                f"who reads {loss.name}: its project is unknown", f"{loss.name} 的下游：无法确定其所属项目"
            )
            yield not_checked(context, what, line=loss.line, subjects=loss.subjects)
        else:
            try:
                yield from readers.findings_for(loss)
            except Permanent as error:
                fault = error
    if len(losses) > max_columns:
        left = len(losses) - max_columns
        what = Text(f"readers of {left} more dropped columns and tables", f"另外 {left} 个被删改对象的下游")
        subjects = [subject for loss in losses[max_columns:] for subject in loss.subjects]
        yield not_checked(context, what, subjects=subjects)
    return fault
