"""The words of the page of the policy, and of its replay."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.console import CONSOLE

POLICY = Catalogue(
    CONSOLE,
    {
        "title": Text("Policy of workspace {project}", "工作空间 {project} 的策略"),
        "title_any": Text("Policy of a workspace without settings of its own", "未单独设置的工作空间的策略"),
        "version": Text("Version {version}, from {file}", "版本 {version}，来自 {file}"),
        "built_in": Text("the built-in policy", "内置策略"),
        "refused": Text("The policy file is invalid", "策略文件无效"),
        "refused_lead": Text("The workers keep the last valid version.", "工作进程继续使用上一个有效版本。"),
        "effective": Text("Effective values", "实际生效"),
        "file_type": Text("Node type", "节点类型"),
        "file_name": Text("File or table", "文件或表"),
        "key": Text("Key", "键"),
        "value": Text("Value", "值"),
        "source": Text("Source", "来源"),
        "source_built_in": Text("built in", "内置"),
        "no_checks": Text("No check applies at this extension point.", "此扩展点没有适用的检查。"),
        "replay_title": Text("Try another policy", "试用另一个策略"),
        "replay_lead": Text(
            "Past events are evaluated under the pasted policy. Nothing is posted or changed, and DataWorks"
            " is not queried.",
            "按粘贴的策略重新评估过去的事件。不回写、不改动，也不查询 DataWorks。",
        ),
        "candidate": Text("Policy (YAML, at most 64 KB)", "策略（YAML，最多 64 KB）"),
        "days": Text("Days", "天数"),
        "replay": Text("Replay", "回放"),
        "result_title": Text(
            "{blocked} newly blocked, {passed} newly passed", "新增阻断 {blocked}，不再阻断 {passed}"
        ),
        "result_lead": Text(
            "{n} events of {days} days; {unknown} cannot be determined.",
            "{days} 天内 {n} 个事件，{unknown} 个无法判断。",
        ),
        "matrix": Text(
            "Events by result: rows now, columns under the pasted policy", "行为现结果，列为新结果"
        ),
        "now": Text("Now", "现行"),
        "changed": Text("Events that change, newly blocked first", "有变化的事件，新增阻断在前"),
        "event": Text("Event", "事件"),
        "change": Text("Change", "变化"),
        "because": Text("Because of", "原因"),
        "how": Text("Evaluated", "方式"),
        "how_run": Text("run again", "重跑"),
        "how_reweighed": Text("from recorded findings", "换算"),
        "how_unknown": Text("partly", "部分"),
        "more": Text("and {n} more", "其余 {n} 个"),
        "no_change": Text("No event would have another verdict.", "没有事件的结论会改变。"),
        "running": Text(
            "The replay is running. This page shows its result when it has ended.",
            "回放正在进行，结束后本页显示结果。",
        ),
        "too_large": Text("The policy is larger than 64 KB.", "策略超过 64 KB。"),
        "too_slow": Text(
            "The replay was stopped after {n} s. Try fewer days or one workspace.",
            "回放超过 {n} 秒，已停止。请减少天数或选择一个工作空间。",
        ),
        "busy": Text(
            "Another replay is running. Try again when it has ended.", "另一个回放正在进行，请稍后重试。"
        ),
        "failed": Text("The replay failed: {reason}", "回放失败：{reason}"),
    },
)
