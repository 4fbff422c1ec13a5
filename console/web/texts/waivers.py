"""The words of the page of waivers."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.console import CONSOLE

WAIVERS = Catalogue(
    CONSOLE,
    {
        "title": Text("Waivers", "豁免"),
        "no_file": Text(
            "No waivers file is configured (DWGATE_WAIVERS_FILE).",
            "未配置豁免文件（DWGATE_WAIVERS_FILE）。",
        ),
        "refused": Text("The waivers file is invalid", "豁免文件无效"),
        "lead": Text(
            "{active} active, {expiring} of them expire soon, {unused} never matched in the last {days}"
            " days.",
            "{active} 项有效，其中 {expiring} 项即将到期，{unused} 项近 {days} 天未命中。",
        ),
        "expiring": Text("Expiring soon", "即将到期"),
        "active": Text("Active", "有效"),
        "expired": Text("Expired", "已过期"),
        "removed": Text("Used, but no longer in the file", "已使用但不在文件中"),
        "id": Text("Waiver", "豁免"),
        "waives": Text("Waives", "豁免内容"),
        "scope": Text("Scope", "范围"),
        "owner": Text("Owner", "负责人"),
        "ends": Text("Expires", "到期"),
        "days_left": Text("{n} days", "{n} 天"),
        "days_left_one": Text("1 day", "1 天"),
        "today": Text("within a day", "一天内"),
        "used": Text("Findings waived", "已豁免问题"),
        "never": Text("never matched", "从未命中"),
        "reason": Text("Reason", "原因"),
        "nothing": Text("There are none.", "无。"),
        "add": Text(
            "Waivers are added with dwgate waivers add, and reviewed as a change of the file.",
            "使用 dwgate waivers add 添加豁免，并作为文件变更进行评审。",
        ),
    },
)
