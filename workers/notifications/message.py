"""The text of a notification in English and Chinese. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from common.text.i18n import Language, Text
from workers.notifications.model import NotificationKind
from workers.notifications.notification import Notification

MAX_TITLE = 120
MAX_BODY = 1500
"""Characters: every service that targets name accepts as many."""

_TITLES = {
    NotificationKind.DEAD_EVENT: Text(
        "An operation could not be answered and waits", "有操作未能得到答复，仍在等待"
    ),
    NotificationKind.BLOCKED_OPERATION: Text("An operation was blocked", "有操作被阻断"),
    NotificationKind.RERUN_DIFFERS: Text(
        "A rerun has another result than the accepted one", "重跑结果与已采用的结论不同"
    ),
    NotificationKind.POLICY_REJECTED: Text(
        "The changed policy is invalid; the previous one stays in force", "新的策略无效，仍使用之前的策略"
    ),
    NotificationKind.WAIVER_EXPIRING: Text("A waiver expires soon", "有豁免即将到期"),
    NotificationKind.WEEKLY_REPORT: Text("The last seven days", "最近七天"),
}

_LABELS = {
    "event_code": Text("extension point", "扩展点"),
    "object": Text("object", "对象"),
    "checks": Text("blocked by", "阻断的检查项"),
    "reason": Text("reason", "原因"),
    "accepted": Text("accepted", "已采用"),
    "result": Text("rerun", "重跑"),
    "waiver": Text("waiver", "豁免"),
    "rule": Text("rule", "规则"),
    "expires": Text("expires", "到期时间"),
    "events": Text("events", "事件"),
    "ok": Text("passed", "通过"),
    "warn": Text("warned", "警告"),
    "fail": Text("blocked", "阻断"),
    "dead": Text("dead", "未能答复"),
    "top": Text("most blocked by", "阻断最多的检查项"),
}
"""Names of fields, in the order in which they are shown."""

_WORKSPACE = Text("workspace", "工作空间")
_EVENT = Text("event", "事件")
_DETAILS = Text("details", "详情")
_LEFT_OUT = Text(
    "{count} further notifications to this target were left out, since there were too many",
    "由于数量过多，另有 {count} 条发往该目标的通知未发送",
)
TEST_TITLE = Text("Test", "测试")
TEST_BODY = Text(
    "A test of the target {target}: notifications of dwgate arrive here.",
    "目标 {target} 的测试：dwgate 的通知会发送到这里。",
)
_COLON = Text(": ", "：")


@dataclass(frozen=True, slots=True)
class Message:
    """The text of a notification, without markup.

    Attributes:
        title: one line.
        body: the other lines.
    """

    title: str
    body: str


def render_message(
    notification: Notification, language: Language, *, link: str | None = None, left_out: int = 0
) -> Message:
    """Return the text of a notification.

    Args:
        notification: what happened.
        language: of the text.
        link: address of the event's page; None without one.
        left_out: earlier notifications that were not sent, since there were too many.
    """
    title = f"[dwgate] {_TITLES[notification.kind].in_language(language)}"
    # The last lines are never cut off.
    foot = list(_foot(notification, language, link, left_out))
    room = MAX_BODY - sum(len(line) + 1 for line in foot)
    return Message(
        title[:MAX_TITLE],
        "\n".join([*_fit(_facts(notification, language), room), *foot]) or title[:MAX_TITLE],
    )


def test_message(target: str, language: Language) -> Message:
    """Return the text by which a target is tested."""
    title = f"[dwgate] {TEST_TITLE.in_language(language)}"
    return Message(title, TEST_BODY.in_language(language).format(target=target))


def _facts(notification: Notification, language: Language) -> Iterator[str]:
    if notification.workspaces:
        yield _line(_WORKSPACE, ", ".join(map(str, notification.workspaces)), language)
    for name, label in _LABELS.items():
        if value := notification.fields.get(name):
            yield _line(label, value, language)


def _foot(notification: Notification, language: Language, link: str | None, left_out: int) -> Iterator[str]:
    if notification.message_id is not None:
        yield _line(_EVENT, notification.message_id, language)
    if link is not None:
        yield _line(_DETAILS, link, language)
    if left_out:
        yield _LEFT_OUT.in_language(language).format(count=left_out)


def _line(label: Text, value: str, language: Language) -> str:
    return f"{label.in_language(language)}{_COLON.in_language(language)}{value}"


def _fit(lines: Iterator[str], room: int) -> Iterator[str]:
    for line in lines:
        if len(line) < room:
            yield line
            room -= len(line) + 1
