"""Describes an impact in one sentence, most important part first, because the tip truncates long text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from common.text.i18n import Text
from workers.checks.impact.graph_walk import StopReason, Unexplored
from workers.checks.impact.model import Dependent, DependentKind, Impact
from workers.checks.name_lists import shorten, summarize_names
from workers.dataworks.models import Baseline

_MAX_NAMED = 10
"""Maximum dependents listed by name."""

_ROOM = 210
"""Characters for the list of dependents, so that a tip has room for the rest of the message."""

_MAX_NAME_LENGTH = 40
_MAX_NAMES = 3
"""Maximum baselines, or reasons for an incomplete search, in a sentence."""

_KINDS = {
    DependentKind.NODE: ("node", "个节点"),
    DependentKind.TABLE: ("table", "张表"),
    DependentKind.COLUMN: ("column", "个字段"),
    DependentKind.CONSUMER: ("consumer", "个下游应用"),
}
_REASONS = {
    StopReason.DEPTH: ("everything beyond {} (hop limit)", "{} 之后的部分（层数上限）"),
    StopReason.NODES: ("everything beyond {} (node limit)", "{} 之后的部分（数量上限）"),
    StopReason.CALLS: ("everything beyond {} (lookup limit)", "{} 之后的部分（查询次数上限）"),
    StopReason.TIME: ("everything beyond {} (time limit)", "{} 之后的部分（时间用完）"),
    StopReason.CUT: ("further results for {} (page limit)", "{} 的其余部分（单次结果上限）"),
    StopReason.MISSING: ("{}, unknown to DataWorks", "{}（DataWorks 中不存在）"),
    StopReason.FAILED: ("everything beyond {} ({detail})", "{} 之后的部分（{detail}）"),
    StopReason.OWNERS: ("the owner of {} ({detail})", "{} 的负责人（{detail}）"),
}


def summarize(impact: Impact, baselines: Mapping[int, Baseline], *, from_start: bool = False) -> Text:
    """Describe the dependents: number, baselines, owners, and the nearest ones with their paths.

    The text is part of a sentence, such as
    "4 nodes (2 owners): dws_a (12, 1923), ads_b (13, 1924; via dws_a)".

    Args:
        impact: the dependents.
        baselines: known baselines by id.
        from_start: whether the paths include the start, which matters if there are several.
    """
    count, traits = count_dependents(impact), _traits(impact, baselines)
    near, unseen = (
        nearest_dependents(impact.dependents, from_start=from_start),
        unexplored_text(impact.unexplored),
    )
    return Text(
        count.en
        + (f" ({traits.en})" if traits.en else "")
        + (f": {near.en}" if near.en else "")
        + (f"; not checked: {unseen.en}" if unseen.en else ""),
        count.zh
        + (f"（{traits.zh}）" if traits.zh else "")
        + (f"：{near.zh}" if near.zh else "")
        + (f"；未检查：{unseen.zh}" if unseen.zh else ""),
    )


def count_dependents(impact: Impact) -> Text:
    """Return the number of dependents of each kind: "at least 3 nodes and 1 consumer"."""
    counts = Counter(item.kind for item in impact.dependents)
    kinds = [(number, *_KINDS[kind]) for kind in DependentKind if (number := counts[kind])]
    kinds = kinds or [(0, *_KINDS[DependentKind.NODE])]
    en = " and ".join(f"{number} {one if number == 1 else f'{one}s'}" for number, one, _ in kinds)
    zh = "、".join(f"{number} {many}" for number, _, many in kinds)
    return Text(en, zh) if impact.is_complete else Text(f"at least {en}", f"至少 {zh}")


def unexplored_text(unexplored: Sequence[Unexplored]) -> Text:
    """Describe what was not explored; empty if nothing was omitted."""
    names: dict[tuple[StopReason, str], list[str]] = {}
    for item in unexplored:
        names.setdefault((item.reason, item.detail), []).extend(item.names)
    parts = [
        _reason_text(reason, about, detail) for (reason, detail), about in list(names.items())[:_MAX_NAMES]
    ]
    return Text(", ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def _reason_text(reason: StopReason, names: Sequence[str], detail: str) -> Text:
    if not names:
        return Text(detail, detail)
    about, (en, zh) = summarize_names(names), _REASONS[reason]
    return Text(en.format(about.en, detail=detail), zh.format(about.zh, detail=detail))


def nearest_dependents(dependents: Sequence[Dependent], *, from_start: bool = False) -> Text:
    """List the nearest dependents with their paths: at most `_MAX_NAMED`, in about `_ROOM` characters."""
    ranked = sorted(dependents, key=lambda item: (item.hops, -(item.priority or 0)))
    shown: list[Text] = []
    room = _ROOM
    for item in ranked[:_MAX_NAMED]:
        text = _dependent(item, from_start=from_start)
        if shown and len(text.en) > room:
            break
        shown.append(text)
        room -= len(text.en) + 2
    left = len(ranked) - len(shown)
    return Text(
        ", ".join(text.en for text in shown) + (f" and {left} more" if left else ""),
        "、".join(text.zh for text in shown) + (f"，另有 {left} 个" if left else ""),
    )


def baseline_name(baseline_id: int, baselines: Mapping[int, Baseline], priority: int | None) -> Text:
    """Return a baseline as `morning report, priority 8`, or by its id if its name is unknown."""
    known = baselines.get(baseline_id)
    name = shorten(known.name, _MAX_NAME_LENGTH) if known else str(baseline_id)
    shown = (known.priority if known else None) or priority
    return Text(f"{name}, priority {shown}", f"{name}，优先级 {shown}") if shown else Text(name, name)


def _traits(impact: Impact, baselines: Mapping[int, Baseline]) -> Text:
    lines = _baselines(impact.dependents, baselines)
    owners = {item.owner for item in impact.dependents if item.owner}
    workspaces = sorted({item.project_id for item in impact.dependents if item.project_id is not None})
    shown = summarize_names([str(number) for number in workspaces])
    en = [line.en for line in lines]
    zh = [line.zh for line in lines]
    if owners:
        en.append("1 owner" if len(owners) == 1 else f"{len(owners)} owners")
        zh.append(f"{len(owners)} 位负责人")
    if workspaces:
        en.append(f"workspace{'s' * (len(workspaces) > 1)} {shown.en}")
        zh.append(f"工作空间 {shown.zh}")
    return Text("; ".join(en), "；".join(zh))


def _baselines(dependents: Iterable[Dependent], baselines: Mapping[int, Baseline]) -> list[Text]:
    """List the baselines of highest priority, with their dependents counted; priority 1 is the default."""
    counts: Counter[int] = Counter()
    urgency: dict[int, int] = {}
    for item in dependents:
        if item.baseline_id is not None and (item.priority or 0) > 1:
            counts[item.baseline_id] += 1
            urgency[item.baseline_id] = item.priority or 0
    ranked = sorted(urgency, key=lambda number: (-urgency[number], number))[:_MAX_NAMES]
    named = [(counts[number], baseline_name(number, baselines, urgency[number])) for number in ranked]
    return [
        Text(f"{count} on baseline {name.en}", f"{count} 个在基线（{name.zh}）上") for count, name in named
    ]


def _dependent(item: Dependent, *, from_start: bool) -> Text:
    owner = (
        Text(item.owner or "no owner", item.owner or "无负责人") if item.kind is DependentKind.NODE else None
    )
    way = " > ".join(shorten(step, _MAX_NAME_LENGTH) for step in item.path[0 if from_start else 1 : -1])
    number = item.key if item.kind is DependentKind.NODE else ""
    en = ", ".join(filter(None, (number, owner.en if owner else item.owner)))
    zh = "，".join(filter(None, (number, owner.zh if owner else item.owner)))
    en, zh = (
        "; ".join(filter(None, (en, way and f"via {way}"))),
        "，".join(filter(None, (zh, way and f"经 {way}"))),
    )
    name = shorten(item.name, _MAX_NAME_LENGTH)
    return Text(f"{name} ({en})" if en else name, f"{name}（{zh}）" if zh else name)
