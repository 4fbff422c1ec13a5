"""The check `change-impact`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from common.i18n import Text
from common.verdicts import Finding, SubjectKind, table_subject
from workers.checks.api import LookupContext, Options, Runs
from workers.checks.code_effects.loss_readers import Readers
from workers.checks.code_effects.losses import Loss, Tables, of_alterations, of_fills, of_remade
from workers.checks.code_effects.model import Deeds, Fill
from workers.checks.code_effects.node_file import MAXCOMPUTE, coded, project_of
from workers.checks.code_effects.reader import deeds
from workers.checks.code_effects.table_names import guid
from workers.checks.not_checked import not_checked, unparsed
from workers.checks.registry import check
from workers.checks.subjects import named_subjects
from workers.dataworks.errors import Refused


class ChangeImpactOptions(Options):
    """What a workspace may set."""

    project: str | None = Field(
        default=None, description="MaxCompute project of tables named without one; else that of the outputs"
    )
    most_columns: int = Field(
        default=20,
        ge=1,
        le=200,
        strict=True,
        description="lost columns and tables whose readers are looked up",
    )


@check(
    "change-impact",
    points=("commit-file", "deploy-file"),
    runs=Runs.CPU,
    options=ChangeImpactOptions,
    snapshot=True,
    looks_up=True,
)
def change_impact(context: LookupContext) -> Iterator[Finding]:
    """Ask who reads the columns and tables that the code drops, renames, narrows or no longer fills.

    Why: the code itself runs well; the readers of what it takes away fail, or go on with NULL, in the next
    night and in other people's nodes. Nothing is looked up unless the code takes something away.

    Options:
        project: MaxCompute project of tables named without one; else that of the node's declared outputs.
        most_columns: lost columns and tables whose readers are looked up; what is left is said.
    """
    file, dialect = coded(context)
    project = context.options.project or project_of(file)
    done = deeds(context, file.content, dialect, project)
    yield from unparsed(context, done.unread)
    tables = Tables(context.lookups)
    if dialect in MAXCOMPUTE:
        losses = [*of_alterations(done, tables), *of_remade(done, tables), *_unfilled(context, done, tables)]
        yield from _told(context, done, losses)
        for table, what, line in tables.unseen:
            yield not_checked(context, what, line=line, subjects=[table_subject(table)])
    elif done.altered or done.remade:
        names = [item.table for item in done.altered] + [item.table for item in done.remade]
        lines = [item.line for item in done.altered] + [item.line for item in done.remade]
        what = Text(
            f"who reads what this code takes away: DataWorks keeps no lineage of {dialect} tables by name",
            f"无法查询此代码所删改内容的下游：DataWorks 不按名称保存 {dialect} 表的血缘",
        )
        yield not_checked(context, what, line=min(lines), subjects=named_subjects(SubjectKind.TABLE, *names))


def _unfilled(context: LookupContext, done: Deeds, tables: Tables) -> Iterator[Loss]:
    """Yield columns that the version in production fills, and this one leaves NULL or out."""
    file, dialect = coded(context)
    if file.file_id is None or not any(_leaves_out(fill, tables) for fill in done.fills):
        return
    try:
        before = context.lookups.deployed_code(file.file_id)
    except Refused:
        return  # it is new: nothing of it runs yet
    if before and before != file.content:
        project = context.options.project or project_of(file)
        yield from of_fills(deeds(context, before, dialect, project).fills, done.fills, tables)


def _leaves_out(fill: Fill, tables: Tables) -> bool:
    """Whether a write leaves columns of its table without values, by NULL or by a list of the others."""
    if any(fill.empty):
        return True
    known = tables.columns(fill.table) if fill.listed else None
    return any(not column.partition and column.name.lower() not in fill.listed for column in known or ())


def _told(context: LookupContext, done: Deeds, losses: Sequence[Loss]) -> Iterator[Finding]:
    most = context.options.most_columns
    own = {item.table for item in done.fills} | {item.table for item in done.remade}
    readers = Readers(context, own)
    for loss in losses[:most]:
        if guid(loss.table) is None:
            what = Text(
                f"who reads {loss.name}: its project is not known", f"{loss.name} 的下游：无法确定其所属项目"
            )
            yield not_checked(context, what, line=loss.line, subjects=loss.subjects)
        else:
            yield from readers.of(loss)
    if len(losses) > most:
        left = len(losses) - most
        what = Text(f"readers of {left} more lost columns and tables", f"另外 {left} 个被删改对象的下游")
        subjects = [subject for loss in losses[most:] for subject in loss.subjects]
        yield not_checked(context, what, subjects=subjects)
