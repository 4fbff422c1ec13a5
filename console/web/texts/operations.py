"""What a person did in DataWorks, by extension point: a noun phrase."""

from __future__ import annotations

from common.text.i18n import Text

OPERATIONS = {
    "commit-file": Text("commit", "提交"),
    "deploy-file": Text("deployment", "发布"),
    "delete-file": Text("deletion", "删除"),
    "run-file": Text("run", "运行"),
    "review-file": Text("code review", "代码评审"),
    "commit-table": Text("commit", "提交"),
    "deploy-table": Text("deployment", "发布"),
    "undeploy-node": Text("undeployment", "下线"),
    "freeze-node": Text("freezing", "冻结"),
    "unfreeze-node": Text("unfreezing", "解冻"),
    "backfill-data": Text("data backfill", "补数据"),
    "pre-freeze-instance": Text("freezing of instances", "实例冻结"),
    "pre-unfreeze-instance": Text("unfreezing of instances", "实例解冻"),
    "pre-rerun-instance": Text("rerun of instances", "实例重跑"),
    "pre-set-instance-success": Text("setting of instances to success", "实例置成功"),
    "pre-kill-instance": Text("termination of instances", "实例终止"),
    "start-diJob": Text("start of the synchronization", "同步任务启动"),
    "batch-start-diJob": Text("start of synchronizations", "同步任务批量启动"),
    "approval-change-before-create": Text("permission request", "权限申请"),
    "batch-create-data-quality-rules": Text("creation of quality rules", "质量规则新增"),
    "batch-update-data-quality-rules": Text("change of quality rules", "质量规则修改"),
    "batch-delete-data-quality-rules": Text("deletion of quality rules", "质量规则删除"),
    "update-data-quality-rule": Text("change of a quality rule", "质量规则修改"),
    "create-data-quality-evaluation-task": Text("creation of a quality monitor", "质量监控新增"),
    "update-data-quality-evaluation-task": Text("change of a quality monitor", "质量监控修改"),
    "clone-data-quality-evaluation-task": Text("cloning of a quality monitor", "质量监控克隆"),
    "batch-delete-data-quality-evaluation-tasks": Text("deletion of quality monitors", "质量监控删除"),
    "create-data-quality-evaluation-task-notification": Text(
        "creation of a quality notification", "质量通知新增"
    ),
    "update-data-quality-evaluation-task-notification": Text(
        "change of a quality notification", "质量通知修改"
    ),
    "delete-data-quality-evaluation-task-notification": Text(
        "deletion of a quality notification", "质量通知删除"
    ),
    "delete-project": Text("deletion of the workspace", "工作空间删除"),
    "download-resources": Text("download request", "下载申请"),
    "download-resources-execute": Text("download", "下载"),
    "upload-data-to-table": Text("upload", "上传"),
}
"""By event code; every extension point has one."""
