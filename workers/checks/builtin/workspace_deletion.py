"""The check `workspace-deletion`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.text.i18n import Text
from common.verdicts import Finding
from workers.checks import limits
from workers.checks.api import Context, Options, Runs
from workers.checks.registry import check


class WorkspaceDeletionOptions(Options):
    """Options of `workspace-deletion`."""

    operators: tuple[limits.Uid, ...] = Field(default=(), description="UIDs that may do it; no one if empty")


@check("workspace-deletion", points=("delete-project",), runs=Runs.INLINE, options=WorkspaceDeletionOptions)
def workspace_deletion(context: Context) -> Iterator[Finding]:
    """Check whether the operator may delete a workspace.

    Why: its nodes, schedules and settings are deleted with it, and its tables are lost to their readers.

    Options:
        operators: UIDs that may delete workspaces; no one if empty.
    """
    workspace = context.event.project_id
    what = Text(
        "delete workspaces" if workspace is None else f"delete workspace {workspace}",
        "删除工作空间" if workspace is None else f"删除工作空间 {workspace} ",
    )
    yield from limits.operator_not_allowed(context, "workspace-deletion", context.options.operators, what)
