"""The words of the event page."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.console import NAVIGATION

_VERDICTS = {
    "the_operation": Text("The {noun} of {name}", "{name} 的{noun}"),
    "this_operation": Text("The {noun}", "此次{noun}"),
    "blocked_word": Text("Blocked", "已阻断"),
    "blocked_title": Text(
        "{operation} was stopped: {n} problems must be fixed.", "{operation}被阻断：须处理 {n} 个问题。"
    ),
    "blocked_title_one": Text(
        "{operation} was stopped: 1 problem must be fixed.", "{operation}被阻断：须处理 1 个问题。"
    ),
    "stopped_title": Text("{operation} was stopped.", "{operation}被阻断。"),
    "worst": Text("The worst: {finding}", "最严重：{finding}"),
    "warned_word": Text("Passed, with warnings", "已通过，有警告"),
    "warned_title": Text(
        "{operation} passed, with {n} findings to look at.", "{operation}已通过，有 {n} 个问题需要留意。"
    ),
    "warned_title_one": Text(
        "{operation} passed, with 1 finding to look at.", "{operation}已通过，有 1 个问题需要留意。"
    ),
    "passed_word": Text("Passed", "已通过"),
    "passed_title": Text("{operation} passed; nothing was found.", "{operation}已通过，未发现问题。"),
    "passed_why": Text("{n} checks ran.", "共执行 {n} 项检查。"),
    "passed_why_one": Text("1 check ran.", "共执行 1 项检查。"),
    "noted_title": Text(
        "{operation} passed; {n} remarks were recorded.", "{operation}已通过，另记录 {n} 条备注。"
    ),
    "noted_title_one": Text(
        "{operation} passed; 1 remark was recorded.", "{operation}已通过，另记录 1 条备注。"
    ),
    "audit_word": Text("Passed, with notes", "已通过，有记录"),
    "audit_title": Text(
        "{operation} passed. In enforce mode it would have been blocked by {n} findings.",
        "{operation}已通过。若为强制模式，则会因 {n} 个问题被阻断。",
    ),
    "audit_title_one": Text(
        "{operation} passed. In enforce mode it would have been blocked by 1 finding.",
        "{operation}已通过。若为强制模式，则会因 1 个问题被阻断。",
    ),
    "audit_why": Text(
        "The policy only records findings of {checks}; they do not count.",
        "策略对 {checks} 的问题仅作记录，不计入结论。",
    ),
    "waived_title": Text(
        "{operation} passed; {n} findings are exempt.", "{operation}已通过，{n} 个问题已豁免。"
    ),
    "waived_title_one": Text(
        "{operation} passed; 1 finding is exempt.", "{operation}已通过，1 个问题已豁免。"
    ),
    "timed_out_word": Text("Passed, not fully checked", "已通过，未完整检查"),
    "timed_out_title": Text(
        "{operation} passed with a warning: {checks} gave no answer in time.",
        "{operation}通过但有警告：{checks} 未在期限内返回。",
    ),
    "timed_out_blocked_word": Text("Blocked, not fully checked", "已阻断，未完整检查"),
    "timed_out_blocked_title": Text(
        "{operation} was stopped: {checks} gave no answer in time.",
        "{operation}被阻断：{checks} 未在期限内返回。",
    ),
    "timed_out_why": Text(
        "Your change may be correct. The policy counts a check without an answer as {result} (on_timeout).",
        "您的修改未必有问题。策略将未返回的检查按 {result} 计（on_timeout）。",
    ),
    "unreachable_word": Text("Passed, not fully checked", "已通过，未完整检查"),
    "unreachable_title": Text(
        "{operation} passed with a warning: {checks} could not be run.",
        "{operation}通过但有警告：{checks} 未能执行。",
    ),
    "unreachable_blocked_word": Text("Blocked, not fully checked", "已阻断，未完整检查"),
    "unreachable_blocked_title": Text(
        "{operation} was stopped: {checks} could not be run.", "{operation}被阻断：{checks} 未能执行。"
    ),
    "unreachable_why": Text(
        "Your change may be correct. The policy counts a check that could not be run as {result} (on_error)."
        " Reason: {detail}.",
        "您的修改未必有问题。策略将未能执行的检查按 {result} 计（on_error）。原因：{detail}。",
    ),
    "unreviewable_word": Text("Passed, not fully reviewed", "已通过，未完整评审"),
    "unreviewable_title": Text(
        "{operation} passed with a warning: {checks} could not review everything.",
        "{operation}通过但有警告：{checks} 未能评审全部内容。",
    ),
    "unreviewable_blocked_word": Text("Blocked, not fully reviewed", "已阻断，未完整评审"),
    "unreviewable_blocked_title": Text(
        "{operation} was stopped: {checks} could not review everything.",
        "{operation}被阻断：{checks} 未能评审全部内容。",
    ),
    "unreviewable_why": Text(
        "Not reviewed: {detail}. The policy counts this as {result} (on_unreviewable).",
        "未能评审：{detail}。策略将此按 {result} 计（on_unreviewable）。",
    ),
    "no_detail": Text("unknown", "未知"),
    "checking_word": Text("Still checking", "正在检查"),
    "checking_title": Text("{done} of {all} checks are done.", "{all} 项检查已完成 {done} 项。"),
    "waiting_title": Text("{operation} has been received.", "已收到{operation}。"),
    "checking_why": Text(
        "The verdict is posted by {time} at the latest. This page updates itself.",
        "最迟于 {time} 给出结论，本页自动更新。",
    ),
    "checking_running": Text("Running: {checks}.", "正在执行：{checks}。"),
    "dead_word": Text("No answer", "未能答复"),
    "dead_title": Text(
        "dwgate could not answer; DataWorks still shows Checking.",
        "dwgate 未能答复，DataWorks 仍显示“检查中”。",
    ),
    "dead_why": Text("The verdict could not be posted: {detail}.", "结论未能回写：{detail}。"),
    "ignored_word": Text("Not checked", "未检查"),
    "ignored_title": Text("No operation waits for this event.", "没有操作在等待此事件的结论。"),
    "ignored_why": Text("Reason: {detail}.", "原因：{detail}。"),
    "switched_off_word": Text("Not checked", "未检查"),
    "switched_off_title": Text(
        "dwgate is switched off here; {operation} was not checked.",
        "dwgate 在此处已停用，未检查{operation}。",
    ),
    "switched_off_why": Text("Reason: {detail}.", "原因：{detail}。"),
    "nothing_applies_word": Text("Not checked", "未检查"),
    "nothing_applies_title": Text("No check applies to this operation.", "此操作没有适用的检查。"),
    "nothing_applies_why": Text("The policy counts it as {result}.", "策略将其按 {result} 计。"),
    "external_word": Text("Result of DataWorks", "DataWorks 的结果"),
    "external_title": Text(
        "{operation} has the result {result} in DataWorks.", "{operation}在 DataWorks 中的结果为 {result}。"
    ),
    "external_why": Text(
        "A person marked it as passed, or dwgate's own record of the verdict was lost.",
        "可能由人工标记为通过，或 dwgate 对结论的记录已丢失。",
    ),
    "rerun_note": Text(
        "The details below are those of run {run}, which was not posted: the earlier verdict stands.",
        "以下为第 {run} 轮的详情，该轮未回写，以先前一轮的结论为准。",
    ),
}

_STEPS = {
    "step_fix": Text(
        "Fix the {n} blocking problems below in DataStudio, save, and repeat the operation. It is checked"
        " again within seconds.",
        "在 DataStudio 中处理下列 {n} 个阻断问题，保存后重新执行操作。数秒内会重新检查。",
    ),
    "step_fix_one": Text(
        "Fix the blocking problem below in DataStudio, save, and repeat the operation. It is checked again"
        " within seconds.",
        "在 DataStudio 中处理下列阻断问题，保存后重新执行操作。数秒内会重新检查。",
    ),
    "step_correct": Text(
        "Remove the {n} blocking problems below and repeat the operation. It is checked again at once.",
        "处理下列 {n} 个阻断问题后重新执行操作。数秒内会重新检查。",
    ),
    "step_correct_one": Text(
        "Remove the blocking problem below and repeat the operation. It is checked again at once.",
        "处理下列阻断问题后重新执行操作。数秒内会重新检查。",
    ),
    "step_secret": Text(
        "Replace the secret: it was saved with the file, and others can read it.",
        "更换该密钥：它已随文件保存，其他人可以读取。",
    ),
    "step_exception": Text("Must it stay as it is?", "确需保留？"),
    "step_exception_link": Text("Request an exception", "申请豁免"),
    "step_look": Text("Look at the findings below; nothing was stopped.", "请查看下列问题；操作未被阻断。"),
    "step_nothing": Text("Nothing to do.", "无需处理。"),
    "step_audit": Text(
        "Nothing now. Fix the findings below with your next change.",
        "目前无需处理。请在下次修改时处理下列问题。",
    ),
    "step_retry": Text("Repeat the operation in a few minutes.", "请在几分钟后重新执行操作。"),
    "step_report": Text(
        "If that does not help, send the event's id to the people who run dwgate.",
        "若仍未解决，请将事件 ID 发给 dwgate 的运维人员。",
    ),
    "step_simplify": Text(
        "Correct, simplify or split what could not be reviewed, and repeat the operation.",
        "请修正、简化或拆分未能评审的内容，然后重新执行操作。",
    ),
    "step_review": Text("Review by hand what was not reviewed.", "请人工评审未能评审的内容。"),
    "step_wait": Text(
        "Wait; DataWorks shows Checking meanwhile. You can close this page.",
        "请等待，期间 DataWorks 显示“检查中”。可以关闭本页。",
    ),
    "step_dead": Text(
        "Your change is not the cause. The event can be checked again when the fault is removed; this link"
        " stays the same.",
        "原因不在您的修改。故障排除后可重新检查此事件，链接不变。",
    ),
    "step_mark": Text(
        "Urgent? An administrator of the workspace can mark the operation as passed in DataWorks.",
        "紧急情况下，工作空间管理员可在 DataWorks 中将操作标记为通过。",
    ),
}

_HELP = {
    "help": Text("Is this wrong, or urgent?", "判断有误或情况紧急？"),
    "ask_contact": Text("Ask, and name the event's id:", "请联系以下人员，并附上事件 ID："),
    "ask_operators": Text(
        "Send the event's id to the people who run dwgate.", "请将事件 ID 发给 dwgate 的运维人员。"
    ),
    "event_id": Text("Event id", "事件 ID"),
    "copy": Text("Copy the event's id", "复制事件 ID"),
    "copy_command": Text("Copy the command", "复制命令"),
    "copied": Text("Copied", "已复制"),
    "refresh": Text("Refresh", "刷新"),
}

_FINDINGS = {
    "findings": Text("{n} findings: {parts}", "共 {n} 项：{parts}"),
    "findings_one": Text("1 finding: {parts}", "共 1 项：{parts}"),
    "no_findings": Text("No findings", "没有问题"),
    "part_blocks": Text("{n} blocking", "阻断 {n}"),
    "part_warns": Text("{n} warnings", "警告 {n}"),
    "part_warns_one": Text("1 warning", "警告 1"),
    "part_would_block": Text("{n} would block", "本应阻断 {n}"),
    "part_noted": Text("{n} noted", "仅记录 {n}"),
    "part_suppressed": Text("{n} suppressed", "已屏蔽 {n}"),
    "part_waived": Text("{n} waived", "已豁免 {n}"),
    "list_comma": Text(", ", "，"),
    "tag_blocks": Text("Blocks", "阻断"),
    "tag_warns": Text("Warns", "警告"),
    "tag_would_block": Text("Would block", "本应阻断"),
    "tag_noted": Text("Noted", "仅记录"),
    "tag_suppressed": Text("Suppressed", "已屏蔽"),
    "tag_waived": Text("Waived", "已豁免"),
    "heading_blocks": Text("Blocking ({n})", "阻断（{n}）"),
    "heading_warns": Text("Warnings ({n})", "警告（{n}）"),
    "heading_would_block": Text("Would block in enforce mode ({n})", "强制模式下会阻断（{n}）"),
    "heading_noted": Text("Noted ({n})", "仅记录（{n}）"),
    "heading_suppressed": Text("Suppressed in the code ({n})", "代码中屏蔽（{n}）"),
    "heading_waived": Text("Waived ({n})", "已豁免（{n}）"),
    "line": Text("line {line}", "第 {line} 行"),
    "lines": Text("lines {line}–{end}", "第 {line}–{end} 行"),
    "columns": Text("columns {column}–{end}", "第 {column}–{end} 列"),
    "column": Text("column {column}", "第 {column} 列"),
    "no_place": Text("operation", "操作"),
    "why": Text("Why", "原因"),
    "fix": Text("Fix", "建议"),
    "also": Text("Also", "另有"),
    "rule_page": Text("Rule {rule} in full", "查看规则 {rule}"),
    "code_gone": Text(
        "The code is no longer kept (it is kept for {kept}); the finding stays.",
        "代码已不再保留（保留 {kept}），问题记录仍在。",
    ),
    "code_moved": Text("The position is not in the code that is kept.", "保留的代码中没有该位置。"),
    "masked": Text("Secrets are masked.", "密钥已遮盖。"),
    "code": Text("Code", "代码"),
    "waived_by": Text("Waiver {id}: {reason}", "豁免 {id}：{reason}"),
    "waived_until": Text("Waiver {id}, until {at}: {reason}", "豁免 {id}，至 {at}：{reason}"),
    "suppressed_by": Text("Suppressed by the author: {reason}", "作者屏蔽：{reason}"),
    "exception": Text("Request an exception…", "申请豁免…"),
    "exception_how": Text(
        "Send this command to the people who approve exceptions. Fill in the words in capital letters; it"
        " takes effect when the waivers file is in use and the operation is repeated.",
        "请将此命令发给审批豁免的人员，并补全大写部分；豁免文件生效并重新执行操作后才起作用。",
    ),
    "exception_tracker": Text("Open a request in the tracker", "在工单系统中提交申请"),
    "by_rule": Text("From {n} findings on, they are grouped by rule.", "超过 {n} 项时按规则归组。"),
    "rule": Text("Rule", "规则"),
    "count_heading": Text("Findings", "数量"),
    "severity": Text("Severity", "级别"),
    "where": Text("Where", "位置"),
    "all_rules": Text("All rules", "全部规则"),
    "only_rule": Text("Only {rule}", "仅 {rule}"),
    "page_of": Text("Findings {first}–{last} of {n}", "第 {first}–{last} 项，共 {n} 项"),
    "previous": Text("Previous", "上一页"),
    "next": Text("Next", "下一页"),
    "pages_of_findings": Text("Pages of findings", "问题分页"),
}

_ASIDE = {
    "about_event": Text("About the event", "事件信息"),
    "operation": Text("Operation", "操作"),
    "file": Text("File", "文件"),
    "node": Text("Node", "节点"),
    "table": Text("Table", "表"),
    "node_type": Text("Node type", "节点类型"),
    "owner": Text("Owner", "负责人"),
    "operator": Text("Operator", "操作人"),
    "workspace": Text("Workspace", "工作空间"),
    "workspace_id": Text("workspace {id}", "工作空间 {id}"),
    "version": Text("version {version}", "版本 {version}"),
    "policy": Text("Policy", "策略"),
    "received": Text("Received", "接收时间"),
    "answered_after": Text("answered after {seconds} s", "{seconds} 秒后答复"),
    "waivers_applied": Text("Waivers applied ({n})", "生效的豁免（{n}）"),
    "accepted": Text("What DataWorks accepted", "DataWorks 采用的结论"),
    "run": Text("Run", "轮次"),
    "verdict": Text("Verdict", "结论"),
    "posted": Text("Posted", "回写"),
    "was_accepted": Text("accepted {time}", "{time} 已采用"),
    "not_posted": Text("not posted", "未回写"),
    "not_accepted_yet": Text("not accepted yet", "尚未采用"),
    "none_yet": Text("None yet.", "暂无。"),
    "rerun_why": Text(
        "A rerun posts nothing. To get its verdict, repeat the operation.",
        "重跑不会回写。要得到新结论，请重新执行操作。",
    ),
    "tip_as_posted": Text("The tip as posted", "回写的提示原文"),
}

_DECISION = {
    "decision": Text("How the verdict came about", "结论的由来"),
    "decision_lead": Text(
        "The verdict is the worst of what the checks count as. Marked rows decided.",
        "结论取各项检查中最严重的结果，带标记的行为决定项。",
    ),
    "check": Text("Check", "检查项"),
    "found": Text("Found", "发现"),
    "mode": Text("Mode", "模式"),
    "counts_as": Text("Counts as", "计为"),
    "policy_line": Text("Policy line", "策略行"),
    "decides": Text("decides", "决定项"),
    "would_decide": Text("would have blocked", "本应阻断"),
    "found_passed": Text("Passed", "通过"),
    "found_skipped": Text("Does not apply", "不适用"),
    "found_pending": Text("Not finished", "未完成"),
    "found_error": Text("Could not be run", "未能执行"),
    "found_timed_out": Text("No answer in time", "超时"),
    "found_unreviewable": Text("Not fully reviewed", "未完整评审"),
    "found_findings": Text("{n} findings", "{n} 项问题"),
    "found_findings_one": Text("1 finding", "1 项问题"),
    "share": Text("for {percent} of events", "覆盖 {percent} 的事件"),
    "no_checks": Text("No check ran.", "未执行检查。"),
    "ignored_options": Text("Settings of the console that were ignored", "被忽略的控制台设置"),
}

_TIMELINE = {
    "timeline": Text("Timeline: {ms} of {limit}", "时间线：{ms}，期限 {limit}"),
    "timeline_open": Text("Timeline", "时间线"),
    "timeline_list": Text("As a list, with times", "以列表显示时间"),
    "timeline_lead": Text(
        "A bar ends when the step ended. Checks run at the same time; theirs begin with the plan.",
        "条形的右端为步骤结束时间；各检查并行执行，均自制定计划起算。",
    ),
    "step_queued": Text("received, queued", "接收、排队"),
    "step_planned": Text("planned", "制定计划"),
    "step_decided": Text("decided", "作出结论"),
    "step_reported": Text("posted, accepted by DataWorks", "回写，DataWorks 采用"),
    "step_other": Text("{kind}", "{kind}"),
    "time": Text("Time", "时间"),
    "after": Text("After", "经过"),
    "step": Text("Step", "步骤"),
    "detail": Text("Detail", "详情"),
    "ms": Text("{n} ms", "{n} 毫秒"),
}

_IMPACT = {
    "impact": Text("Impact: {n} depend on it", "影响：{n} 个下游"),
    "impact_one": Text("Impact: 1 depends on it", "影响：1 个下游"),
    "impact_least": Text("Impact: at least {n} depend on it", "影响：至少 {n} 个下游"),
    "impact_none": Text("Impact: nothing depends on it", "影响：没有下游"),
    "impact_lead": Text(
        "Found by {check}. ◆ is on a baseline that is at risk.", "由 {check} 查得。◆ 表示位于有风险的基线上。"
    ),
    "impact_piles": Text(
        "The others are grouped by workspace and owner; a group opens in place.",
        "其余按工作空间和负责人归组，可就地展开。",
    ),
    "impact_label": Text(
        "Graph of what depends on {name}: {n} in {hops} hops. The table has the same.",
        "依赖 {name} 的对象图：{n} 个，{hops} 跳。表格内容相同。",
    ),
    "reader": Text("Name", "名称"),
    "hops": Text("Hops", "跳数"),
    "baseline": Text("Baseline", "基线"),
    "baseline_risk": Text("◆ {name}", "◆ {name}"),
    "priority": Text("P{priority}", "P{priority}"),
    "due": Text("due {due}", "{due} 到期"),
    "hop_column": Text("{hops} hops · {n}", "{hops} 跳 · {n}"),
    "hop_column_one": Text("{hops} hop · {n}", "{hops} 跳 · {n}"),
    "hop_column_rest": Text("{hops} hops and more · {n}", "{hops} 跳及以上 · {n}"),
    "changed": Text("changed", "变更对象"),
    "pile": Text("{n} objects", "{n} 个对象"),
    "pile_more": Text("{n} more", "另有 {n} 个"),
    "pile_of": Text("{owner} · {workspace}", "{owner} · {workspace}"),
    "owner_unknown": Text("owner unknown", "负责人未知"),
    "workspace_unknown": Text("workspace unknown", "工作空间未知"),
    "beyond": Text("not explored", "未继续查询"),
    "whom_to_ask": Text("Whom to ask", "联系谁"),
    "dependents": Text("Dependents", "下游数"),
    "on_baselines": Text("On baselines", "在基线上"),
    "readers_of": Text(
        "{first}–{last} of {n}; baselines first, then the nearest.",
        "第 {first}–{last} 个，共 {n} 个；基线优先，其次按距离。",
    ),
    "as_csv": Text("All as CSV", "全部导出为 CSV"),
    "missing": Text("What is missing: {reasons}.", "未包含：{reasons}。"),
    "reason_depth": Text("the limit of hops was reached", "达到跳数上限"),
    "reason_nodes": Text("the limit of objects was reached", "达到对象数上限"),
    "reason_calls": Text("the limit of lookups was reached", "达到查询次数上限"),
    "reason_time": Text("the time was up", "时间已用完"),
    "reason_cut": Text("a list of DataWorks may be incomplete", "DataWorks 返回的列表可能不完整"),
    "reason_missing": Text("DataWorks does not know an object", "DataWorks 中没有该对象"),
    "reason_failed": Text("a lookup failed", "查询失败"),
    "reason_owners": Text("an owner could not be looked up", "负责人未能查得"),
    "reason_check_ended": Text("the check ended early", "检查提前结束"),
    "reason_not_stored": Text("more objects than are kept", "对象数超过保留上限"),
    "reason_other": Text("other reasons", "其他原因"),
}

EVENT = Catalogue(NAVIGATION, _VERDICTS, _STEPS, _HELP, _FINDINGS, _ASIDE, _DECISION, _TIMELINE, _IMPACT)
