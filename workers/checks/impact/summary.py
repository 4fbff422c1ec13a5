"""What an impact is in one sentence, worst first: the tip cuts what is long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from common.i18n import Text
from workers.checks.impact.graph_walk import StopReason, Unexplored
from workers.checks.impact.model import Dependent, DependentKind, Impact
from workers.checks.name_lists import shorten, summarize_names
from workers.dataworks.models import Baseline

_MAX_NAMED = 10
_ROOM = 210
_MAX_NAME_LENGTH = 40
_MAX_NAMES = 3

_KINDS = {
    DependentKind.NODE: ("node", "个节点"),
    DependentKind.TABLE: ("table", "张表"),
    DependentKind.COLUMN: ("column", "个字段"),
    DependentKind.CONSUMER: ("consumer", "个下游应用"),
}
_BEHIND = {
    StopReason.DEPTH: ("what lies behind {} (hops)", "{} 之后（层数上限）"),
    StopReason.NODES: ("what lies behind {} (number found)", "{} 之后（数量上限）"),
    StopReason.CALLS: ("what lies behind {} (number of lookups)", "{} 之后（查询次数上限）"),
    StopReason.TIME: ("what lies behind {} (time)", "{} 之后（时间用完）"),
    StopReason.CUT: ("more than the first answer about {}", "{} 的其余部分"),
    StopReason.MISSING: ("{}, not known to DataWorks", "{}（DataWorks 中不存在）"),
    StopReason.FAILED: ("what lies behind {} ({detail})", "{} 之后（{detail}）"),
    StopReason.OWNERS: ("the owner of {} ({detail})", "{} 的负责人（{detail}）"),
}


def summarize(impact: Impact, baselines: Mapping[int, Baseline], *, from_start: bool = False) -> Text:
    """Return what depends: how many, on which baselines, whose, and the nearest with the way to each.

    It is part of a sentence, such as "4 nodes (2 owners): dws_a (12, 1923), ads_b (13, 1924; via dws_a)".

    Args:
        impact: who depends.
        baselines: names of baselines, by id, as far as they are known.
        from_start: whether the way begins with the start, which wants to be told when there are several.
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
    """Return how many there are of each kind: "at least 3 nodes and 1 consumer"."""
    counts = Counter(item.kind for item in impact.dependents)
    kinds = [(number, *_KINDS[kind]) for kind in DependentKind if (number := counts[kind])]
    kinds = kinds or [(0, *_KINDS[DependentKind.NODE])]
    en = " and ".join(f"{number} {one if number == 1 else f'{one}s'}" for number, one, _ in kinds)
    zh = "、".join(f"{number} {many}" for number, _, many in kinds)
    return Text(en, zh) if impact.is_complete else Text(f"at least {en}", f"至少 {zh}")


def unexplored_text(unexplored: Sequence[Unexplored]) -> Text:
    """Return what was not looked at; empty when nothing was left out."""
    names: dict[tuple[StopReason, str], list[str]] = {}
    for item in unexplored:
        names.setdefault((item.reason, item.detail), []).extend(item.names)
    parts = [_reason_text(why, about, detail) for (why, detail), about in list(names.items())[:_MAX_NAMES]]
    return Text(", ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def _reason_text(why: StopReason, names: Sequence[str], detail: str) -> Text:
    if not names:
        return Text(detail, detail)
    about, (en, zh) = summarize_names(names), _BEHIND[why]
    return Text(en.format(about.en, detail=detail), zh.format(about.zh, detail=detail))


def nearest_dependents(dependents: Sequence[Dependent], *, from_start: bool = False) -> Text:
    """Return the nearest by name, at most ten and as many as there is room for, with the way to each."""
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
    """Return a baseline as `morning report, priority 8`, or by its id when its name is not known."""
    known = baselines.get(baseline_id)
    name = shorten(known.name, _MAX_NAME_LENGTH) if known else str(baseline_id)
    told = (known.priority if known else None) or priority
    return Text(f"{name}, priority {told}", f"{name}，优先级 {told}") if told else Text(name, name)


def _traits(impact: Impact, baselines: Mapping[int, Baseline]) -> Text:
    lines = _baselines(impact.dependents, baselines)
    owners = {item.owner for item in impact.dependents if item.owner}
    workspaces = sorted({item.project_id for item in impact.dependents if item.project_id is not None})
    places = summarize_names([str(number) for number in workspaces])
    en = [line.en for line in lines]
    zh = [line.zh for line in lines]
    if owners:
        en.append("1 owner" if len(owners) == 1 else f"{len(owners)} owners")
        zh.append(f"{len(owners)} 位负责人")
    if workspaces:
        en.append(f"workspace{'s' * (len(workspaces) > 1)} {places.en}")
        zh.append(f"工作空间 {places.zh}")
    return Text("; ".join(en), "；".join(zh))


def _baselines(dependents: Iterable[Dependent], baselines: Mapping[int, Baseline]) -> list[Text]:
    """Return the most urgent baselines and how many are on each; priority 1 is that of everybody's."""
    counts: Counter[int] = Counter()
    urgency: dict[int, int] = {}
    for item in dependents:
        if item.baseline_id is not None and (item.priority or 0) > 1:
            counts[item.baseline_id] += 1
            urgency[item.baseline_id] = item.priority or 0
    ranked = sorted(urgency, key=lambda number: (-urgency[number], number))[:_MAX_NAMES]
    told = [(counts[number], baseline_name(number, baselines, urgency[number])) for number in ranked]
    return [
        Text(f"{count} on baseline {name.en}", f"{count} 个在基线（{name.zh}）上") for count, name in told
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
