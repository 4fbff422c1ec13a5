"""The words that the pages for operators and administrators share."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.layout import LAYOUT

NAVIGATION = {
    **LAYOUT,
    "page_now": Text("Now", "当前"),
    "page_events": Text("Events", "事件"),
    "page_report": Text("Report", "报告"),
    "page_policy": Text("Policy", "策略"),
    "page_waivers": Text("Waivers", "豁免"),
    "log_out": Text("Log out", "退出登录"),
    "logged_in_as": Text("{name}, {role}", "{name}，{role}"),
    "role_viewer": Text("viewer", "查看者"),
    "role_operator": Text("operator", "操作员"),
    "role_administrator": Text("administrator", "管理员"),
}
"""The head of a page for a user who is logged in."""

CONSOLE = {
    **NAVIGATION,
    "times": Text("Times are in Asia/Shanghai.", "时间均为 Asia/Shanghai 时区。"),
    "workspace": Text("Workspace", "工作空间"),
    "person": Text("Person", "人员"),
    "check": Text("Check", "检查"),
    "rule": Text("Rule", "规则"),
    "point": Text("Extension point", "扩展点"),
    "state": Text("State", "状态"),
    "any": Text("any", "不限"),
    "none": Text("none", "无"),
    "show": Text("Show", "显示"),
    "state_blocked": Text("Blocked", "阻断"),
    "state_warned": Text("Warned", "警告"),
    "state_passed": Text("Passed", "通过"),
    "state_would_block": Text("Would block", "本应阻断"),
    "state_checking": Text("Checking", "检查中"),
    "state_dead": Text("Dead", "未能答复"),
    "state_ignored": Text("Ignored", "已忽略"),
}
