"""The words of the page that asks before events are requeued."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.console import CONSOLE

REQUEUE = Catalogue(
    CONSOLE,
    {
        "title": Text("Requeue {n} events?", "重跑 {n} 个事件？"),
        "title_one": Text("Requeue 1 event?", "重跑 1 个事件？"),
        "title_none": Text("None of these events can be requeued.", "这些事件都不能重跑。"),
        "lead": Text(
            "Each is checked again under the current policy. DataWorks never gets a second, different"
            " verdict.",
            "每个事件都按当前策略重新检查。DataWorks 不会收到第二个不同的结论。",
        ),
        "caption": Text("What happens to each event", "每个事件的处理方式"),
        "event": Text("Event", "事件"),
        "action": Text("Action", "处理"),
        "step_run": Text("Checked again; its verdict is posted.", "重新检查并回写结论。"),
        "step_record": Text(
            "Checked again; DataWorks accepted {result} at {at}, so the new result is recorded, not posted.",
            "重新检查；DataWorks 已于 {at} 采用 {result}，新结果只记录、不回写。",
        ),
        "step_post": Text(
            "Its decided verdict, {result}, is posted again.", "再次回写已确定的结论 {result}。"
        ),
        "step_leave": Text("Left unchanged: {reason}", "保持不变：{reason}"),
        "step_unknown": Text("Unknown, or no longer kept.", "未知，或已不再保留。"),
        "in_progress": Text("it is still in progress.", "仍在处理中。"),
        "ignored": Text("nobody waits for it.", "无人等待结论。"),
        "unclear": Text(
            "it was ignored, and DataWorks cannot be asked whether it waits.",
            "已忽略，且无法向 DataWorks 查询是否仍在等待。",
        ),
        "reason": Text("Why? It is recorded in the audit trail.", "原因（写入审计记录）"),
        "reason_missing": Text("Enter a reason.", "请填写原因。"),
        "submit": Text("Requeue {n}", "重跑 {n} 个"),
        "cancel": Text("Cancel", "取消"),
        "done": Text("{n} events were requeued.", "已重跑 {n} 个事件。"),
        "done_one": Text("1 event was requeued.", "已重跑 1 个事件。"),
        "done_not_all": Text(
            "{done} of {n} events were requeued; the others had changed meanwhile.",
            "{n} 个事件中已重跑 {done} 个，其余在此期间已变化。",
        ),
        "broker_away": Text(
            "The broker cannot be reached, so nothing was requeued. Try again when it is back.",
            "无法连接消息队列，未重跑任何事件。请恢复后重试。",
        ),
        "results": Text("Their results appear in the list of events.", "结果会显示在事件列表中。"),
        "to_events": Text("Show the events", "查看事件"),
    },
)
