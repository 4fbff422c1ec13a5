"""Who depends on what an operation changes: the picture, the table, and whom to ask."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from common.impact_graph import ImpactGraph, ImpactNode
from common.ledger import EventRecord
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.views.event_state import planned_outcomes
from console.web.views.impact_layout import (
    BOX_WIDTH,
    Box,
    BoxKind,
    ImpactPicture,
    Line,
    lay_out,
    risk_order,
)

TABLE_SIZE = 50
"""Rows of one page of the table."""

MAX_OWNERS = 8
MAX_BOX_TEXT = 26
"""Maximum characters of a line in a box; the whole text is in its title and in the table."""

MAX_DETAIL = 34
"""Maximum characters of the second line, which is smaller."""

MAX_NAME = 200
MAX_BASELINE = 60
MAX_RISK_NAME = 12
"""Maximum characters of the name of a baseline in the table, and in a box."""

_CSV_COLUMNS = ("check", "name", "id", "kind", "owner", "workspace", "hops", "baseline", "priority", "due")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class BoxView:
    """A box of the picture: its lines of text, the whole text, and where it leads."""

    box: Box
    name: str
    detail: str
    risk: str
    title: str
    href: str | None


@dataclass(frozen=True, slots=True)
class ColumnView:
    """The words below a column."""

    x: int
    text: str


@dataclass(frozen=True, slots=True)
class PictureView:
    """The picture of a graph; `label` says in a sentence what it shows."""

    width: int
    height: int
    box_width: int
    label: str
    boxes: tuple[BoxView, ...]
    lines: tuple[Line, ...]
    columns: tuple[ColumnView, ...]
    has_piles: bool


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """One dependent."""

    name: str
    id: str
    owner: str
    workspace: str
    hops: int
    baseline: str


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """One owner, with the number of the dependents, and of those on baselines."""

    owner: str
    dependents: str
    on_baselines: str


@dataclass(frozen=True, slots=True)
class ImpactView:
    """The graph of one check.

    Attributes:
        heading: how many depend on it, in words.
        lead: which check found it, and what is missing.
        picture: None if nothing depends on it.
        caption: which rows of the table are shown.
        rows: the rows.
        previous: address of the rows before them; None if there are none.
        following: address of those after them, likewise.
        owners: whom to ask.
        csv: address of all rows as CSV.
    """

    heading: str
    lead: tuple[str, ...]
    picture: PictureView | None
    caption: str
    rows: tuple[ReaderRow, ...]
    previous: str | None
    following: str | None
    owners: tuple[OwnerRow, ...]
    csv: str


@dataclass(frozen=True, slots=True)
class ImpactQuery:
    """What the address asks for.

    Attributes:
        opened: key of the pile that is opened.
        page: the page of the table, from 1.
        kept: the parameters that every address keeps (the signed link).
    """

    opened: str = ""
    page: int = 1
    kept: tuple[tuple[str, str], ...] = ()

    def address(self, **changed: str | int) -> str:
        """Return the address of another view of the graph."""
        return f"?{urlencode([*self.kept, *changed.items()])}#impact"


def build_impact(record: EventRecord, words: Words, query: ImpactQuery) -> tuple[ImpactView, ...]:
    """Return the graphs that the checks of an event found, as the page shows them."""
    return tuple(_view(check, graph, words, query) for check, graph in _graphs(record))


def impact_csv(record: EventRecord) -> str:
    """Return all dependents of an event as CSV; a text that a spreadsheet would execute begins with '."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_CSV_COLUMNS)
    for check, graph in _graphs(record):
        for node in sorted(graph.dependents, key=risk_order):
            values = (
                *(check, node.name, node.id, node.kind, node.owner, node.workspace),
                *(node.hops, node.baseline, node.priority, node.due),
            )
            writer.writerow(["" if value is None else _harmless(value) for value in values])
    return out.getvalue()


def _graphs(record: EventRecord) -> Iterator[tuple[str, ImpactGraph]]:
    for check, outcome in planned_outcomes(record):
        if outcome and outcome.evidence and outcome.evidence.nodes:
            yield check.name, outcome.evidence


def _harmless(value: str | int) -> str:
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _view(check: str, graph: ImpactGraph, words: Words, query: ImpactQuery) -> ImpactView:
    dependents = sorted(graph.dependents, key=risk_order)
    number = len(dependents) + graph.omitted
    first = (query.page - 1) * TABLE_SIZE
    first = first if first < len(dependents) else 0
    last = min(first + TABLE_SIZE, len(dependents))
    page = first // TABLE_SIZE + 1
    picture = lay_out(graph, query.opened) if dependents or graph.unexplored else None
    return ImpactView(
        heading=_heading(graph, number, words),
        lead=tuple(_lead(check, graph, picture, words)),
        picture=_picture(graph, picture, number, words, query) if picture else None,
        caption=words.fill("readers_of", first=first + 1, last=last, n=words.number(len(dependents)))
        if dependents
        else "",
        rows=tuple(_row(node, words) for node in dependents[first:last]),
        previous=query.address(readers=page - 1) if page > 1 else None,
        following=query.address(readers=page + 1) if last < len(dependents) else None,
        owners=tuple(_owners(dependents, words)),
        csv=f"?{urlencode(query.kept)}" if query.kept else "",
    )


def _heading(graph: ImpactGraph, number: int, words: Words) -> str:
    if not number and graph.is_complete:
        return words["impact_none"]
    return words.count("impact" if graph.is_complete else "impact_least", number)


def _lead(check: str, graph: ImpactGraph, picture: ImpactPicture | None, words: Words) -> Iterator[str]:
    yield words.fill("impact_lead", check=check)
    if picture and picture.has_piles:
        yield words["impact_piles"]
    if reasons := dict.fromkeys(item.reason for item in graph.unexplored):
        joined = words["list_comma"].join(_reason(reason, words) for reason in reasons)
        yield words.fill("missing", reasons=joined)


def _reason(reason: str, words: Words) -> str:
    key = f"reason_{reason}"
    return words[key] if key in words.texts else words["reason_other"]


def _picture(
    graph: ImpactGraph, picture: ImpactPicture, number: int, words: Words, query: ImpactQuery
) -> PictureView:
    changed = ", ".join(shorten(node.name, MAX_BOX_TEXT) for node in graph.changed[:3])
    hops = max((node.hops for node in graph.nodes), default=0)
    return PictureView(
        width=picture.width,
        height=picture.height,
        box_width=BOX_WIDTH,
        label=words.fill("impact_label", name=changed, n=words.number(number), hops=hops),
        boxes=tuple(_box(box, words, query) for box in picture.boxes),
        lines=picture.lines,
        columns=tuple(
            ColumnView(column.x, _column_text(column.hops, column.count, words, is_last=column.is_last))
            for column in picture.columns
        ),
        has_piles=picture.has_piles,
    )


def _column_text(hops: int, count: int, words: Words, *, is_last: bool) -> str:
    if not hops:
        return words["changed"]
    key = "hop_column_rest" if is_last else "hop_column_one" if hops == 1 else "hop_column"
    return words.fill(key, hops=hops, n=words.number(count))


def _box(box: Box, words: Words, query: ImpactQuery) -> BoxView:
    if box.kind is BoxKind.BEYOND:
        reason = _reason(box.reason, words)
        return BoxView(box, words["beyond"], shorten(reason, MAX_DETAIL), "", reason, None)
    if box.kind is BoxKind.PILE:
        return _pile(box, words, query)
    node = box.nodes[0]
    owner = node.owner or words["owner_unknown"]
    risk = "" if node.is_changed else _baseline(node, words)
    title = " · ".join(part for part in (node.name, node.id, owner, _workspace(node, words), risk) if part)
    return BoxView(
        box,
        shorten(node.name, MAX_BOX_TEXT),
        shorten(owner if node.workspace is None else f"{owner} · {node.workspace}", MAX_DETAIL),
        _baseline(node, words, MAX_RISK_NAME) if risk else "",
        shorten(title, 2 * MAX_NAME),
        None if node.is_changed else f"#{row_anchor(node.id)}",
    )


def _pile(box: Box, words: Words, query: ImpactQuery) -> BoxView:
    prefix = _common_prefix([node.name for node in box.nodes])
    number = words.fill("pile", n=words.number(len(box.nodes)))
    if box.key.endswith("-more"):
        number = words.fill("pile_more", n=words.number(len(box.nodes)))
    owners = dict.fromkeys(node.owner for node in box.nodes)
    workspaces = dict.fromkeys(node.workspace for node in box.nodes)
    owner = (box.nodes[0].owner or words["owner_unknown"]) if len(owners) == 1 else ""
    workspace = _workspace(box.nodes[0], words) if len(workspaces) == 1 else ""
    place = " · ".join(part for part in (owner, workspace) if part)
    name, detail = (f"{prefix}*", f"{number} · {place}") if prefix else (number, place)
    names = ", ".join(shorten(node.name, 60) for node in box.nodes[:20])
    return BoxView(
        box,
        shorten(name, MAX_BOX_TEXT),
        shorten(detail, MAX_DETAIL),
        "",
        f"{number} · {place}: {names}",
        query.address(open=box.key),
    )


def _common_prefix(names: Sequence[str]) -> str:
    """Return the beginning that all names share, up to its last separator; empty if it says nothing."""
    shortest, longest = min(names), max(names)
    at = next((index for index, letter in enumerate(shortest) if letter != longest[index]), len(shortest))
    end = max(shortest.rfind("_", 0, at), shortest.rfind(".", 0, at)) + 1
    return shortest[:end] if "_" in shortest[:end] else ""


def row_anchor(node_id: str) -> str:
    """Return the anchor of a dependent's row."""
    return f"d-{node_id}"


def _row(node: ImpactNode, words: Words) -> ReaderRow:
    return ReaderRow(
        name=shorten(node.name, MAX_NAME),
        id=shorten(node.id, MAX_NAME),
        owner=shorten(node.owner, MAX_NAME) if node.owner else "–",
        workspace=str(node.workspace) if node.workspace is not None else "–",
        hops=node.hops,
        baseline=_baseline(node, words) or "–",
    )


def _baseline(node: ImpactNode, words: Words, limit: int = MAX_BASELINE) -> str:
    if node.baseline is None:
        return ""
    parts = [words.fill("baseline_risk", name=shorten(node.baseline, limit))]
    if node.priority is not None:
        parts.append(words.fill("priority", priority=node.priority))
    if node.due is not None:
        parts.append(words.fill("due", due=node.due))
    return words["list_comma"].join(parts)


def _workspace(node: ImpactNode, words: Words) -> str:
    if node.workspace is None:
        return words["workspace_unknown"]
    return words.fill("workspace_id", id=node.workspace)


def _owners(nodes: Iterable[ImpactNode], words: Words) -> Iterator[OwnerRow]:
    found = tuple(nodes)
    owners = Counter(node.owner for node in found)
    risks = Counter(node.owner for node in found if node.baseline is not None)
    ordered = sorted(owners.items(), key=lambda item: (-risks[item[0]], -item[1], item[0] or ""))
    for owner, count in ordered[:MAX_OWNERS]:
        name = shorten(owner, MAX_NAME) if owner else words["owner_unknown"]
        yield OwnerRow(name, words.number(count), words.number(risks[owner]) if risks[owner] else "–")
    if left := ordered[MAX_OWNERS:]:
        at_risk = sum(risks[owner] for owner, _ in left)
        yield OwnerRow(
            words.fill("pile_more", n=words.number(len(left))),
            words.number(sum(count for _, count in left)),
            words.number(at_risk) if at_risk else "–",
        )
