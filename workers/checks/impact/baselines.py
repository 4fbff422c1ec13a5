"""The baselines of nodes, and which of them are at risk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from common.text.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks.api import Context, Lookups
from workers.checks.finding_builders import build_finding
from workers.checks.impact.summary import baseline_name
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import not_checked
from workers.dataworks.errors import DataWorksError
from workers.dataworks.models import Baseline

MAX_BASELINES = 5
"""Maximum lookups of baselines per call."""


class HasBaseline(Protocol):
    """A node, or a dependent."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def baseline_id(self) -> int | None:
        """Its baseline; None if it has none."""

    @property
    def priority(self) -> int | None:
        """The priority of its baseline."""


def baselines_of(lookups: Lookups, nodes: Iterable[HasBaseline]) -> dict[int, Baseline]:
    """Return the baselines of highest priority, by id, without those whose lookup fails.

    Errors are not raised: the priorities of the nodes are enough to know what is at risk. At most
    `MAX_BASELINES` are looked up. Priority 1 is that of the default baseline, which is not looked up.
    """
    priorities = {
        item.baseline_id: item.priority or 0
        for item in nodes
        if item.baseline_id is not None and item.priority != 1
    }
    found: dict[int, Baseline] = {}
    numbers = sorted(priorities, key=lambda number: (-priorities[number], number))[:MAX_BASELINES]
    lookups.begin(lambda ask, number: ask.baseline(number), numbers)
    for number in numbers:
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
    """Yield a finding for the baseline of highest priority, if it is `min_priority` or higher.

    A baseline that is known to be disabled is not at risk. If neither the nodes nor DataWorks provide the
    priority of a baseline, it is reported as not checked.

    Args:
        context: context of the check.
        rule: id of the finding.
        severity: severity of the finding.
        nodes: the nodes that would be late.
        baselines: known baselines by id.
        min_priority: the lowest priority that counts.
        subjects: the nodes of the operation that put the baselines at risk.
    """
    unknown = [
        str(item.baseline_id)
        for item in nodes
        if item.baseline_id is not None and item.priority is None and item.baseline_id not in baselines
    ]
    if unknown:
        shown = summarize_names(list(dict.fromkeys(unknown)))
        what = Text(f"the priority of baseline {shown.en}", f"基线 {shown.zh} 的优先级")
        about = (*subjects, *_baseline_subjects(map(int, unknown), baselines))
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
    en, zh = f"Baseline {line.en}, is at risk through {on_it.en}", f"基线（{line.zh}）受影响：{on_it.zh}"
    if not others:
        return Text(f"{en}.", f"{zh}。")
    return Text(
        f"{en}, and {'1 more baseline is' if others == 1 else f'{others} more baselines are'} at risk.",
        f"{zh}；另有 {others} 条基线受影响。",
    )


def _remedy(baseline: Baseline | None) -> Text:
    owner = baseline.owner if baseline else None
    return Text(
        f"Agree this with the baseline owner{f' ({owner})' if owner else ''}, or remove the nodes from it.",
        f"请先与基线负责人{f'（{owner}）' if owner else ''}确认，或将节点移出基线。",
    )
