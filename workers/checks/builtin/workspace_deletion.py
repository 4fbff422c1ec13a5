"""The check `workspace-deletion`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.i18n import Text
from common.verdicts import Finding
from workers.checks import limits
from workers.checks.api import Context, Options, Runs
from workers.checks.registry import check


class WorkspaceDeletionOptions(Options):
    """What the policy may set."""

    operators: tuple[limits.Uid, ...] = Field(
        default=(), description="uids that may do it; nobody when empty"
    )


@check("workspace-deletion", points=("delete-project",), runs=Runs.INLINE, options=WorkspaceDeletionOptions)
def workspace_deletion(context: Context) -> Iterator[Finding]:
    """Ask whether a workspace is deleted by one of those who may.

    Why: its nodes, schedules and settings are gone with it, and so is the data of others who read its tables.

    Options:
        operators: uids that may delete workspaces; nobody when empty.
    """
    workspace = context.event.project_id
    what = Text(
        "delete workspaces" if workspace is None else f"delete workspace {workspace}",
        "删除工作空间" if workspace is None else f"删除工作空间 {workspace} ",
    )
    yield from limits.operator_not_allowed(context, "workspace-deletion", context.options.operators, what)
