"""The extension points of DataWorks: the event type of each, and the operation that receives its verdict.

Source: help page "Formats of event messages sent to EventBridge", and those of the three result operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TYPE_PREFIX = "dataworks:"
"""Prefix of the CloudEvents type of every event of DataWorks, also of those that need no verdict."""


class ResultOperation(StrEnum):
    """The OpenAPI operation that carries the verdict of an extension point."""

    IDE = "UpdateIDEEventResult"
    WORKBENCH = "UpdateWorkbenchEventResult"
    CALLBACK = "CallbackExtension"


class Level(StrEnum):
    """Level of an extension point: an extension binds points of one level only (help page "Preparations").

    WORKSPACE: the extension is enabled per workspace, and events come to the bus of its distribution channel.
    TENANT: the extension is enabled for the tenant, and events come to the bus `default`.
    """

    WORKSPACE = "workspace"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class ExtensionPoint:
    """One operation of DataWorks that waits for the verdict of extensions.

    Attributes:
        code: the event code, as in `data.eventCode` (`commit-file`).
        type: the CloudEvents type (`dataworks:FileChange:CommitFile`).
        result_operation: the OpenAPI operation that receives its verdict.
        has_snapshot: whether `GetIDEEventDetail` returns the operation's file or table.
        level: where it is bound.
    """

    code: str
    type: str
    result_operation: ResultOperation
    has_snapshot: bool = False
    level: Level = Level.WORKSPACE

    @property
    def works_on_table(self) -> bool:
        """Whether its operation, if it has a snapshot, works on a table and not on a file."""
        return self.type.startswith("dataworks:TableChange:")


def _ide_point(code: str, action: str) -> ExtensionPoint:
    return ExtensionPoint(code, f"{TYPE_PREFIX}{action}", ResultOperation.IDE, has_snapshot=True)


def _workbench_point(code: str, action: str) -> ExtensionPoint:
    return ExtensionPoint(code, f"{TYPE_PREFIX}{action}", ResultOperation.WORKBENCH)


def _callback_point(code: str, action: str, level: Level = Level.WORKSPACE) -> ExtensionPoint:
    return ExtensionPoint(code, f"{TYPE_PREFIX}{action}", ResultOperation.CALLBACK, level=level)


POINTS: tuple[ExtensionPoint, ...] = (
    _ide_point("commit-file", "FileChange:CommitFile"),
    _ide_point("deploy-file", "FileChange:DeployFile"),
    _ide_point("delete-file", "FileChange:DeleteFile"),
    _ide_point("run-file", "FileChange:RunFile"),
    _ide_point("review-file", "FileChange:ReviewFile"),
    _ide_point("commit-table", "TableChange:CommitTable"),
    _ide_point("deploy-table", "TableChange:DeployTable"),
    _workbench_point("undeploy-node", "NodeChange:UndeployNode"),
    _workbench_point("freeze-node", "NodeChange:FreezeNode"),
    _workbench_point("unfreeze-node", "NodeChange:UnFreezeNode"),
    _workbench_point("backfill-data", "BackfillDataOperate:BackfillData"),
    _workbench_point("pre-freeze-instance", "InstanceChange:PreFreezeInstance"),
    _workbench_point("pre-unfreeze-instance", "InstanceChange:PreUnfreezeInstance"),
    _workbench_point("pre-rerun-instance", "InstanceChange:PreRerunInstance"),
    _workbench_point("pre-set-instance-success", "InstanceChange:PreSetInstanceSuccess"),
    _workbench_point("pre-kill-instance", "InstanceChange:PreKillInstance"),
    _callback_point("start-diJob", "NodeChange:StartDiJob"),
    _callback_point("batch-start-diJob", "NodeChange:BatchStartDiJob"),
    _callback_point("approval-change-before-create", "ApprovalChange:ApprovalChangeBeforeCreate"),
    _callback_point("batch-create-data-quality-rules", "DqcCheck:BatchCreateDataQualityRules"),
    _callback_point("batch-update-data-quality-rules", "DqcCheck:BatchUpdateDataQualityRules"),
    _callback_point("batch-delete-data-quality-rules", "DqcCheck:BatchDeleteDataQualityRules"),
    _callback_point("update-data-quality-rule", "DqcCheck:UpdateDataQualityRule"),
    _callback_point("create-data-quality-evaluation-task", "DqcCheck:CreateDataQualityEvaluationTask"),
    _callback_point("update-data-quality-evaluation-task", "DqcCheck:UpdateDataQualityEvaluationTask"),
    _callback_point("clone-data-quality-evaluation-task", "DqcCheck:CloneDataQualityEvaluationTask"),
    _callback_point(
        "batch-delete-data-quality-evaluation-tasks",
        "DqcCheck:BatchDeleteDataQualityEvaluationTasks",
    ),
    _callback_point(
        "create-data-quality-evaluation-task-notification",
        "DqcCheck:CreateDataQualityEvaluationTaskNotification",
    ),
    _callback_point(
        "update-data-quality-evaluation-task-notification",
        "DqcCheck:UpdateDataQualityEvaluationTaskNotification",
    ),
    _callback_point(
        "delete-data-quality-evaluation-task-notification",
        "DqcCheck:DeleteDataQualityEvaluationTaskNotification",
    ),
    _callback_point("delete-project", "ProjectChange:DeleteProject", Level.TENANT),
    _callback_point("download-resources", "ResourcesDownload:DownloadResources", Level.TENANT),
    _callback_point("download-resources-execute", "ResourcesDownload:DownloadResourcesExecute", Level.TENANT),
    _callback_point("upload-data-to-table", "ResourcesUpload:UploadDataToTable", Level.TENANT),
)

BY_CODE = {point.code: point for point in POINTS}
_BY_TYPE = {point.type.lower(): point for point in POINTS}


def extension_point_for(type_: str) -> ExtensionPoint | None:
    """Return the extension point of a CloudEvents type; None if no extension point has this type.

    The type is used, not `data.eventCode`: several published samples have no code, or the code of another
    event. Case is ignored, since DataWorks itself writes `UnFreezeNode`.
    """
    return _BY_TYPE.get(type_.lower())
