"""The extension points of DataWorks: how each is recognised and by which operation it is answered.

Source: help page "Formats of event messages sent to EventBridge", and those of the three result operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """The OpenAPI operation that carries the verdict of an extension point."""

    IDE = "UpdateIDEEventResult"
    WORKBENCH = "UpdateWorkbenchEventResult"
    CALLBACK = "CallbackExtension"


@dataclass(frozen=True, slots=True)
class ExtensionPoint:
    """One operation of DataWorks that waits for extensions.

    Attributes:
        code: the event code, as in `data.eventCode` (`commit-file`).
        type: the CloudEvents type (`dataworks:FileChange:CommitFile`).
        answer: the operation that takes its verdict.
        snapshot: whether `GetIDEEventDetail` holds what the operation works on.
    """

    code: str
    type: str
    answer: Answer
    snapshot: bool = False


def _ide(code: str, action: str) -> ExtensionPoint:
    return ExtensionPoint(code, f"dataworks:{action}", Answer.IDE, snapshot=True)


def _workbench(code: str, action: str) -> ExtensionPoint:
    return ExtensionPoint(code, f"dataworks:{action}", Answer.WORKBENCH)


def _callback(code: str, action: str) -> ExtensionPoint:
    return ExtensionPoint(code, f"dataworks:{action}", Answer.CALLBACK)


POINTS: tuple[ExtensionPoint, ...] = (
    _ide("commit-file", "FileChange:CommitFile"),
    _ide("deploy-file", "FileChange:DeployFile"),
    _ide("delete-file", "FileChange:DeleteFile"),
    _ide("run-file", "FileChange:RunFile"),
    _ide("review-file", "FileChange:ReviewFile"),
    _ide("commit-table", "TableChange:CommitTable"),
    _ide("deploy-table", "TableChange:DeployTable"),
    _workbench("undeploy-node", "NodeChange:UndeployNode"),
    _workbench("freeze-node", "NodeChange:FreezeNode"),
    _workbench("unfreeze-node", "NodeChange:UnFreezeNode"),
    _workbench("backfill-data", "BackfillDataOperate:BackfillData"),
    _workbench("pre-freeze-instance", "InstanceChange:PreFreezeInstance"),
    _workbench("pre-unfreeze-instance", "InstanceChange:PreUnfreezeInstance"),
    _workbench("pre-rerun-instance", "InstanceChange:PreRerunInstance"),
    _workbench("pre-set-instance-success", "InstanceChange:PreSetInstanceSuccess"),
    _workbench("pre-kill-instance", "InstanceChange:PreKillInstance"),
    _callback("start-diJob", "NodeChange:StartDiJob"),
    _callback("batch-start-diJob", "NodeChange:BatchStartDiJob"),
    _callback("approval-change-before-create", "ApprovalChange:ApprovalChangeBeforeCreate"),
    _callback("batch-create-data-quality-rules", "DqcCheck:BatchCreateDataQualityRules"),
    _callback("batch-update-data-quality-rules", "DqcCheck:BatchUpdateDataQualityRules"),
    _callback("batch-delete-data-quality-rules", "DqcCheck:BatchDeleteDataQualityRules"),
    _callback("update-data-quality-rule", "DqcCheck:UpdateDataQualityRule"),
    _callback("create-data-quality-evaluation-task", "DqcCheck:CreateDataQualityEvaluationTask"),
    _callback("update-data-quality-evaluation-task", "DqcCheck:UpdateDataQualityEvaluationTask"),
    _callback("clone-data-quality-evaluation-task", "DqcCheck:CloneDataQualityEvaluationTask"),
    _callback(
        "batch-delete-data-quality-evaluation-tasks",
        "DqcCheck:BatchDeleteDataQualityEvaluationTasks",
    ),
    _callback(
        "create-data-quality-evaluation-task-notification",
        "DqcCheck:CreateDataQualityEvaluationTaskNotification",
    ),
    _callback(
        "update-data-quality-evaluation-task-notification",
        "DqcCheck:UpdateDataQualityEvaluationTaskNotification",
    ),
    _callback(
        "delete-data-quality-evaluation-task-notification",
        "DqcCheck:DeleteDataQualityEvaluationTaskNotification",
    ),
    _callback("delete-project", "ProjectChange:DeleteProject"),
    _callback("download-resources", "ResourcesDownload:DownloadResources"),
    _callback("download-resources-execute", "ResourcesDownload:DownloadResourcesExecute"),
    _callback("upload-data-to-table", "ResourcesUpload:UploadDataToTable"),
)

BY_CODE = {point.code: point for point in POINTS}
_BY_TYPE = {point.type.lower(): point for point in POINTS}


def find(type_: str) -> ExtensionPoint | None:
    """Return the extension point of a CloudEvents type, or None when nobody waits for such an event.

    The type decides, not `data.eventCode`: several published samples lack the code or carry another
    event's. Case is ignored, since DataWorks itself writes `UnFreezeNode`.
    """
    return _BY_TYPE.get(type_.lower())
