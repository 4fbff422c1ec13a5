"""The words of the start page: what needs attention, and the state of the fleet."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.console import CONSOLE

STATUS = Catalogue(
    CONSOLE,
    {
        "title": Text("Now", "当前"),
        "needs": Text("Needs attention ({n})", "需要处理（{n}）"),
        "calm": Text("Nothing needs attention.", "没有需要处理的事项。"),
        "newest": Text("The newest event arrived at {at}.", "最新事件于 {at} 到达。"),
        "no_events": Text("No events yet.", "还没有事件。"),
        "last_day": Text("The last 24 hours", "最近 24 小时"),
        "chart_events": Text("Events", "事件"),
        "chart_blocked": Text("Blocked", "阻断"),
        "chart_would_block": Text("Would have been blocked", "本应阻断"),
        "chart_warned": Text("Warned", "警告"),
        "chart_dead": Text("Dead", "未能答复"),
        "chart_label": Text(
            "{name}: {hour} in the last hour, at most {most} in a quarter of an hour",
            "{name}：最近一小时 {hour}，每 15 分钟最多 {most}",
        ),
        "day_ago": Text("24 hours ago", "24 小时前"),
        "now": Text("now", "现在"),
        "no_such_events": Text("None in 24 hours.", "24 小时内没有。"),
        "charts_note": Text(
            "By time of arrival, a quarter of an hour each. Each chart starts at 0 and has its own scale; the"
            " number is that of the last hour.",
            "按到达时间，每 15 分钟一个点。各图从 0 开始，使用各自的刻度；数字为最近一小时的数量。",
        ),
        "dead": Text("{n} events are dead", "{n} 个事件未能答复"),
        "dead_one": Text("1 event is dead", "1 个事件未能答复"),
        "dead_why": Text(
            "DataWorks may still show Checking. The newest cause: {cause}",
            "DataWorks 可能仍显示“检查中”。最近的原因：{cause}",
        ),
        "see_dead": Text("Show dead events", "查看未能答复的事件"),
        "overdue": Text("{n} verdicts are overdue", "{n} 个结论已超时"),
        "overdue_one": Text("1 verdict is overdue", "1 个结论已超时"),
        "overdue_why": Text(
            "They are decided, and not posted before their deadline.", "结论已确定，但未在期限前回写。"
        ),
        "see_open": Text("Show open events", "查看未完成的事件"),
        "roles_missing": Text("No worker has the role {roles}", "缺少角色为 {roles} 的工作进程"),
        "roles_missing_why": Text(
            "Events wait until one is started: dwgate worker --role {role}.",
            "事件会等待，直到启动：dwgate worker --role {role}。",
        ),
        "memory_high": Text("Redis is {n} % full", "Redis 已用 {n} %"),
        "memory_high_why": Text(
            "Above {limit} % the oldest answered events are removed.",
            "超过 {limit} % 后会清除最早的已答复事件。",
        ),
        "policy_refused": Text("The policy file is invalid", "策略文件无效"),
        "waivers_refused": Text("The waivers file is invalid", "豁免文件无效"),
        "file_refused_why": Text(
            "{problem} The last valid version is in use.", "{problem} 仍使用上一个有效版本。"
        ),
        "see_policy": Text("Show the policy", "查看策略"),
        "see_waivers": Text("Show the waivers", "查看豁免"),
        "broker_down": Text("The broker cannot be reached", "无法连接消息队列"),
        "broker_down_why": Text(
            "Events wait at EventBridge and in Redis until it is back.",
            "恢复前事件在 EventBridge 和 Redis 中等待。",
        ),
        "waivers_expiring": Text("{n} waivers expire soon", "{n} 项豁免即将到期"),
        "waivers_expiring_one": Text("1 waiver expires soon", "1 项豁免即将到期"),
        "waivers_expiring_why": Text("Their findings block again then.", "到期后相应问题会再次阻断。"),
        "engines": Text("Engines and quota", "引擎与配额"),
        "engine": Text("Engine", "引擎"),
        "works": Text("works", "正常"),
        "down": Text("down", "不可用"),
        "broker": Text("Broker", "消息队列"),
        "redis": Text("Redis", "Redis"),
        "detail": Text("Details", "详情"),
        "memory": Text("{used} MiB of {maximum} MiB", "{used} MiB / {maximum} MiB"),
        "memory_unlimited": Text("{used} MiB, no limit", "{used} MiB，无上限"),
        "days_fit": Text("{n} days of events fit", "可容纳 {n} 天的事件"),
        "quota_reads": Text("OpenAPI reads in the last second", "最近一秒 OpenAPI 读取"),
        "quota_writes": Text("OpenAPI writes in the last second", "最近一秒 OpenAPI 写入"),
        "quota": Text("{used} of {limit}", "{used} / {limit}"),
        "workers": Text("Workers by role", "各角色的工作进程"),
        "role": Text("Role", "角色"),
        "alive": Text("Processes", "进程"),
        "queues": Text("Queues", "队列"),
        "queue": Text("Queue", "队列"),
        "waiting": Text("Waiting", "等待"),
        "pending_verdicts": Text("Verdicts to post", "待回写结论"),
        "events": Text("Events by state", "各状态事件数"),
        "how_many": Text("Events", "事件数"),
        "unknown": Text("unknown", "未知"),
        "state_received": Text("Received", "已接收"),
        "state_decided": Text("Decided", "已决定"),
        "state_reported": Text("Answered", "已答复"),
    },
)
