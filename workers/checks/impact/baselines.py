"""The baselines that nodes are on, and which of them are at risk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from common.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks.api import Context, Lookups
from workers.checks.finding_builders import build_finding
from workers.checks.impact.summary import baseline_name
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import not_checked
from workers.dataworks.errors import DataWorksError
from workers.dataworks.models import Baseline

MAX_BASELINES = 5


class HasBaseline(Protocol):
    """A node, or a dependent."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def baseline_id(self) -> int | None:
        """The baseline it is on; None when on none."""

    @property
    def priority(self) -> int | None:
        """That of its baseline."""


def baselines_of(lookups: Lookups, nodes: Iterable[HasBaseline]) -> dict[int, Baseline]:
    """Return the baselines of highest priority, by id, without those that cannot be asked about.

    It raises nothing: what the nodes themselves tell is enough to know what is at risk. It asks about `MOST`
    of them at the most. Priority 1 is that of everybody's baseline, and not asked about.
    """
    priorities = {
        item.baseline_id: item.priority or 0
        for item in nodes
        if item.baseline_id is not None and item.priority != 1
    }
    found: dict[int, Baseline] = {}
    for number in sorted(priorities, key=lambda number: (-priorities[number], number))[:MAX_BASELINES]:
        try:
            found[number] = lookups.baseline(number)
        except DataWorksError:
            continue
    return found


def baselines_at_risk(
    context: Context,
    rule: str,
    severity: Severity,
    nodes: Sequence[HasBaseline],
    baselines: Mapping[int, Baseline],
    min_priority: int,
    subjects: Sequence[Subject],
) -> Iterator[Finding]:
    """Yield a finding for the most urgent baseline of priority `min_priority` or higher, if there is one.

    A baseline that is known to be switched off is at no risk. One of which neither the nodes nor DataWorks
    tell how urgent it is, is reported as not checked.

    Args:
        context: of the check.
        rule: id of the finding.
        severity: what it asks for.
        nodes: the nodes that would be late.
        baselines: by id, as far as they are known.
        min_priority: the lowest priority that counts.
        subjects: the nodes of the operation that put the baselines at risk.
    """
    untold = [
        str(item.baseline_id)
        for item in nodes
        if item.baseline_id is not None and item.priority is None and item.baseline_id not in baselines
    ]
    if untold:
        unseen = summarize_names(list(dict.fromkeys(untold)))
        what = Text(f"how urgent baseline {unseen.en} is", f"基线 {unseen.zh} 的优先级")
        about = (*subjects, *_baseline_subjects(map(int, untold), baselines))
        yield not_checked(context, what, remedy=_remedy(None), subjects=about)
    names: dict[int, list[str]] = {}
    urgency: dict[int, int] = {}
    for item in nodes:
        if item.baseline_id is not None and _is_at_risk(item, baselines.get(item.baseline_id), min_priority):
            names.setdefault(item.baseline_id, []).append(item.name)
            urgency[item.baseline_id] = item.priority or 0
    if names:
        worst = min(names, key=lambda number: (-urgency[number], number))
        line, on_it = baseline_name(worst, baselines, urgency[worst]), summarize_names(names[worst])
        yield build_finding(
            context,
            rule,
            severity,
            _message(line, on_it, len(names) - 1),
            _remedy(baselines.get(worst)),
            subjects=(*subjects, *_baseline_subjects(names, baselines)),
            baselines=len(names),
        )


def _baseline_subjects(numbers: Iterable[int], baselines: Mapping[int, Baseline]) -> Iterator[Subject]:
    for number in numbers:
        known = baselines.get(number)
        yield Subject(SubjectKind.BASELINE, str(number), known.name or None if known else None)


def _is_at_risk(item: HasBaseline, baseline: Baseline | None, min_priority: int) -> bool:
    if baseline is None:
        return (item.priority or 0) >= min_priority
    return baseline.enabled and max(baseline.priority or 0, item.priority or 0) >= min_priority


def _message(line: Text, on_it: Text, others: int) -> Text:
    en, zh = f"Baseline {line.en}, is at risk by {on_it.en}", f"基线（{line.zh}）受影响：{on_it.zh}"
    if not others:
        return Text(f"{en}.", f"{zh}。")
    return Text(
        f"{en}; so {'is 1 other' if others == 1 else f'are {others} others'}.", f"{zh}；另有 {others} 条。"
    )


def _remedy(baseline: Baseline | None) -> Text:
    owner = baseline.owner if baseline else None
    return Text(
        f"Agree it with the baseline's owner{f' ({owner})' if owner else ''}, or take the nodes off it.",
        f"请先与基线负责人{f'（{owner}）' if owner else ''}确认，或将节点移出基线。",
    )
