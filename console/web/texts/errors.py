"""The words of pages that say why there is nothing to show."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.access_errors import ACCESS_ERRORS
from console.web.texts.catalogue import Catalogue
from console.web.texts.layout import LAYOUT

ERRORS = Catalogue(
    LAYOUT,
    ACCESS_ERRORS,
    {
        "not_found_word": Text("Not found", "未找到"),
        "not_found_title": Text("There is no page at this address.", "此地址没有页面。"),
        "not_found_why": Text("The address may be incomplete.", "地址可能不完整。"),
        "not_found_step": Text(
            "Open the link of the tip in DataWorks again.", "请重新打开 DataWorks 提示中的链接。"
        ),
        "event_unknown_word": Text("Not found", "未找到"),
        "event_unknown_title": Text("No event has this id.", "没有此 ID 的事件。"),
        "event_unknown_why": Text(
            "The address is incomplete, or the event is no longer kept: events are kept for {days}.",
            "地址不完整，或该事件已不再保留：事件保留 {days}。",
        ),
        "event_unknown_step": Text(
            "Check that the address is complete, or repeat the operation in DataWorks: it is checked again.",
            "请检查地址是否完整，或在 DataWorks 中重新执行操作以再次检查。",
        ),
        "event_gone_word": Text("No longer kept", "已不再保留"),
        "event_gone_title": Text("This event is no longer kept.", "该事件已不再保留。"),
        "event_gone_why": Text(
            "Events are kept for {days}. The tip in DataWorks still shows the verdict.",
            "事件保留 {days}。DataWorks 的提示中仍可查看结论。",
        ),
        "event_gone_step": Text(
            "Repeat the operation in DataWorks to have it checked again.",
            "请在 DataWorks 中重新执行操作以再次检查。",
        ),
        "link_missing_word": Text("No access", "无权访问"),
        "link_missing_title": Text(
            "This address needs the link of the tip.", "须通过提示中的链接打开此地址。"
        ),
        "link_missing_why": Text(
            "An event is shown to the person who has its link. The address contains the event's id, but not"
            " the signature of the link.",
            "只有持有链接的人可以查看事件。此地址含有事件 ID，但没有链接的签名。",
        ),
        "link_missing_step": Text(
            "Open the link of the tip in DataWorks.", "请打开 DataWorks 提示中的链接。"
        ),
        "link_expired_word": Text("Link expired", "链接已过期"),
        "link_expired_title": Text("This link has expired.", "此链接已过期。"),
        "link_expired_why": Text(
            "Links are valid for a limited time. The tip in DataWorks still shows the verdict.",
            "链接仅在限定时间内有效。DataWorks 的提示中仍可查看结论。",
        ),
        "link_expired_step": Text(
            "Repeat the operation in DataWorks: its tip has a new link.",
            "请在 DataWorks 中重新执行操作，新的提示中有新的链接。",
        ),
        "link_altered_word": Text("Link invalid", "链接无效"),
        "link_altered_title": Text("This link is not one that dwgate made.", "此链接不是由 dwgate 生成的。"),
        "link_altered_why": Text(
            "It was altered or is incomplete; mail and chat programs may cut long addresses.",
            "链接被改动或不完整；邮件和聊天软件可能截断较长的地址。",
        ),
        "link_altered_step": Text(
            "Open the link of the tip in DataWorks again, or copy it as a whole.",
            "请重新打开 DataWorks 提示中的链接，或完整复制。",
        ),
        "method_word": Text("Not possible", "不支持"),
        "method_title": Text("This address does not take such a request.", "此地址不支持该请求。"),
        "method_why": Text("The page may be older than dwgate.", "页面可能早于当前的 dwgate 版本。"),
        "method_step": Text("Reload the page that you came from.", "请刷新来源页面。"),
        "invalid_word": Text("Invalid request", "请求无效"),
        "invalid_title": Text("The address has an invalid value.", "地址中的值无效。"),
        "invalid_why": Text("{detail}", "{detail}"),
        "invalid_step": Text("Correct or remove the value.", "请更正或移除该值。"),
        "ledger_away_word": Text("Not available", "暂不可用"),
        "ledger_away_title": Text("The ledger cannot be reached.", "暂时无法读取台账。"),
        "ledger_away_why": Text(
            "Redis does not answer. Verdicts are delayed until it does; no event is lost. This page tries"
            " again every 10 seconds.",
            "Redis 未响应。结论会延后，事件不会丢失。本页每 10 秒重试。",
        ),
        "ledger_away_step": Text("Wait, or reload the page.", "请等待，或刷新页面。"),
        "failed_word": Text("Error", "错误"),
        "failed_title": Text("The page could not be made.", "页面生成失败。"),
        "failed_why": Text(
            "This is a fault of dwgate. Its log has the details under the number {detail}.",
            "这是 dwgate 的故障，详情见日志，编号 {detail}。",
        ),
        "failed_step": Text(
            "Send the number to the people who run dwgate.", "请将编号发给 dwgate 的运维人员。"
        ),
        "try_again": Text("Try again", "重试"),
    },
)
