"""The words of the report."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.console import CONSOLE

REPORT = Catalogue(
    CONSOLE,
    {
        "title": Text("Report, {first} to {last}", "报告：{first} 至 {last}"),
        "days": Text("Days", "天数"),
        "csv": Text("CSV", "CSV"),
        "events": Text("events answered", "已答复事件"),
        "blocked": Text("blocked", "阻断"),
        "would_block": Text("would have been blocked", "本应阻断"),
        "warned": Text("warned", "警告"),
        "waived": Text("rules waived", "已豁免规则"),
        "unfinished": Text("checks not finished", "未完成检查"),
        "share": Text("{n} %", "{n} %"),
        "nothing": Text("No event was answered in this period.", "此期间没有已答复的事件。"),
        "since": Text(
            "Counted since {first}; earlier days are not known.", "自 {first} 起统计，更早的数据未知。"
        ),
        "too_many": Text(
            "{n} counts are not shown by name, since a day had too many different ones.",
            "某天的计数项过多，有 {n} 个计数未按名称列出。",
        ),
        "by_day": Text("By day", "按天"),
        "by_workspace": Text("By workspace", "按工作空间"),
        "by_point": Text("By extension point", "按扩展点"),
        "by_check": Text("By check", "按检查"),
        "by_rule": Text("By rule", "按规则"),
        "by_person": Text("By person", "按人员"),
        "people_lead": Text(
            "In order of names: to see who could use help. For administrators only.",
            "按名称排序，用于了解谁可能需要帮助。仅管理员可见。",
        ),
        "audit_title": Text("What would have been blocked", "本应阻断的内容"),
        "audit_lead": Text(
            "Checks in mode warn or audit let {n} events pass that mode enforce would have blocked.",
            "处于 warn 或 audit 模式的检查放行了 {n} 个事件，enforce 模式会阻断它们。",
        ),
        "day": Text("Day", "日期"),
        "col_events": Text("Events", "事件"),
        "col_blocked": Text("Blocked", "阻断"),
        "col_would": Text("Would block", "本应阻断"),
        "col_warned": Text("Warned", "警告"),
        "col_waived": Text("Waived", "豁免"),
        "col_unfinished": Text("Not finished", "未完成"),
        "col_together": Text("Together", "合计"),
        "col_mode": Text("Mode", "模式"),
        "bar_label": Text(
            "{name}: {blocked} blocked, {would} would have been blocked, {warned} warned",
            "{name}：阻断 {blocked}，本应阻断 {would}，警告 {warned}",
        ),
        "chart_label": Text(
            "Events by day: at most {most} on one day. The table below has the numbers.",
            "按天统计的事件：单日最多 {most} 个，数据见下表。",
        ),
        "tenant": Text("tenant", "租户"),
        "unknown_person": Text("unknown", "未知"),
        "numbers_lead": Text(
            "A number leads to its events, which are kept for {n} days. That of a check or rule leads to the"
            " events with this verdict in which it has a finding.",
            "点击数字可查看相应事件，事件保留 {n} 天。检查或规则的数字对应具有该结论且其报告了问题的事件。",
        ),
        "more": Text("and {n} more in the CSV", "其余 {n} 项见 CSV"),
    },
)
