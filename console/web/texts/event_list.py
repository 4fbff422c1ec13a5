"""The words of the list of events."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.console import CONSOLE

EVENT_LIST = Catalogue(
    CONSOLE,
    {
        "title": Text("Events", "事件"),
        "verdict": Text("Verdict", "结论"),
        "name": Text("File, table, node or id", "文件、表、节点或 ID"),
        "since": Text("From", "起始"),
        "until": Text("Before", "截止"),
        "filter": Text("Filter", "筛选"),
        "reset": Text("Remove all filters", "清除全部筛选"),
        "caption": Text("Newest first", "最新在前"),
        "received": Text("Received", "到达"),
        "what": Text("What", "对象"),
        "finding": Text("First finding, or cause", "首个问题或原因"),
        "answer": Text("Answer", "答复用时"),
        "seconds": Text("{n} s", "{n} 秒"),
        "select": Text("Select {name}", "选择 {name}"),
        "selection": Text("Selected", "选择"),
        "requeue": Text("Requeue the selected events…", "重跑所选事件…"),
        "requeue_dead": Text("Requeue all dead events that are shown…", "重跑列出的全部未能答复事件…"),
        "older": Text("Older", "更早"),
        "newest": Text("Newest", "最新"),
        "search_further": Text("Search further", "继续检索"),
        "reached": Text(
            "All events back to {at} have been searched; older ones have not.",
            "已检索 {at} 以来的事件，更早的尚未检索。",
        ),
        "nothing_so_far": Text("No event has been found yet.", "尚未找到事件。"),
        "nothing": Text("No event fits.", "没有符合条件的事件。"),
        "drop": Text("Remove a filter:", "可去掉筛选："),
        "nothing_yet": Text(
            "No events yet. They appear here when DataWorks sends the first one.",
            "还没有事件。DataWorks 发来首个事件后会显示在此。",
        ),
        "checks_done": Text("{done} of {all} checks done", "{all} 项检查已完成 {done} 项"),
        "dead_lead": Text(
            "dwgate could not answer these events, and DataWorks may still show Checking. Fix the cause, then"
            " requeue them.",
            "dwgate 未能答复以下事件，DataWorks 可能仍显示“检查中”。请先排除原因，再重跑。",
        ),
        "causes": Text("Causes on this page", "本页事件的原因"),
        "how_many": Text("Events", "事件数"),
        "cause": Text("Cause", "原因"),
    },
)
