"""The findings of an event: an index, and a card for each."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from urllib.parse import quote, urlencode

from common.ledger import EventRecord
from common.text.i18n import Language
from common.verdicts import AppliedWaiver, Finding, SubjectKind
from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.views.code_frame import CodeFrame, KeptCode
from console.web.views.event_state import EFFECTS, CountedFinding, Effect
from console.web.views.times import format_moment
from review.report import SECRETS
from review.rules import external_rules
from review.rules.registry import BUILT_IN, BY_ID
from review.rules.rule_page import load_page

MAX_INDEX = 25
"""Findings up to which the index lists each of them; more are grouped by rule."""

PAGE_SIZE = 25
"""Cards of one page."""

MAX_MESSAGE = 1000
MAX_NAME = 120
"""Maximum characters shown of a message, and of a name."""

MAX_LINES = 4
"""Lines that the index names of one rule."""

_LOOKS = {
    Effect.BLOCKS: ("block", "block"),
    Effect.WARNS: ("warn", "warn"),
    Effect.WOULD_BLOCK: ("warn", "note"),
    Effect.NOTED: ("note", "note"),
    Effect.SUPPRESSED: ("note", "note"),
    Effect.WAIVED: ("note", "note"),
}
"""Colour and icon of each effect."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What something counts as: colour, icon, and always the word."""

    tone: str
    icon: str
    text: str


@dataclass(frozen=True, slots=True)
class FindingCard:
    """One finding, or several of one rule with the same place and remedy.

    Attributes:
        anchor: id of the card in the page.
        tag: what it counts as.
        is_blocking: whether it blocks; otherwise a hit in the code is coloured as a warning.
        rule: id of its rule.
        rule_url: address of the rule's page; None if there is none.
        rule_name: name of the rule; None if it has none.
        check: its check.
        place: the line, in words.
        columns: the columns, in words; empty without any.
        message: what is wrong.
        language: language of message and remedy.
        others: further messages that the card stands for.
        frame: the code around it.
        frame_gap: why there is no code although the finding has a line; None if there is, or it has none.
        why: why it matters, in the language of the page; None if unknown.
        remedy: how to fix it; None if unknown.
        exemption: the waiver or suppression, in words; None without one.
        exception_command: the command that would add a waiver; None if nothing has to be waived.
        tracker: address at which an exception is requested; None if the policy names none.
    """

    anchor: str
    tag: Tag
    is_blocking: bool
    rule: str
    rule_url: str | None
    rule_name: str | None
    check: str
    place: str
    columns: str
    message: str
    language: str
    others: tuple[str, ...]
    frame: CodeFrame | None
    frame_gap: str | None
    why: str | None
    remedy: str | None
    exemption: str | None
    exception_command: str | None
    tracker: str | None


@dataclass(frozen=True, slots=True)
class CardGroup:
    """The cards of one effect, with a heading."""

    heading: str
    cards: tuple[FindingCard, ...]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule in the index of many findings."""

    tag: Tag
    is_blocking: bool
    rule: str
    message: str
    language: str
    count: str
    places: str
    url: str


@dataclass(frozen=True, slots=True)
class Pager:
    """Which part of the findings is shown, and the addresses of the parts beside it."""

    text: str
    previous: str | None
    following: str | None


@dataclass(frozen=True, slots=True)
class FindingsView:
    """The findings of an event.

    Attributes:
        heading: how many there are, in words.
        index: the cards that the index lists; empty if it lists rules.
        rules: the rules that it lists instead.
        groups: the cards that are shown.
        only_rule: the rule to which they are limited; None for all.
        pager: None if all are shown.
    """

    heading: str
    index: tuple[FindingCard, ...]
    rules: tuple[RuleRow, ...]
    groups: tuple[CardGroup, ...]
    only_rule: str | None
    pager: Pager | None


@dataclass(frozen=True, slots=True)
class FindingsQuery:
    """What the address asks for.

    Attributes:
        rule: only this rule; None for all.
        page: the page of cards, from 1.
        kept: the parameters that every address keeps (the signed link).
    """

    rule: str | None = None
    page: int = 1
    kept: tuple[tuple[str, str], ...] = ()

    def address(self, anchor: str, **changed: str | int) -> str:
        """Return the address of another part of the findings."""
        return f"?{urlencode([*self.kept, *changed.items()])}#{anchor}"


def build_findings(
    record: EventRecord,
    counted: Sequence[CountedFinding],
    code: KeptCode | None,
    words: Words,
    query: FindingsQuery,
    *,
    name: str,
    kept: str,
) -> FindingsView:
    """Return the findings of an event.

    Args:
        record: the event.
        counted: its findings, in order.
        code: its code; None if it is no longer kept, or it has none.
        words: the texts of the page.
        query: which of them to show.
        name: of what the operation works on; empty if unknown.
        kept: for how long code is kept, in words.
    """
    cards = _Cards(record, code, words, name, kept)
    many = len(counted) > MAX_INDEX
    wanted = [item for item in counted if query.rule in (None, item.finding.rule)]
    merged = [list(items) for _, items in groupby(wanted, key=_merge_key)]
    first = (
        (query.page - 1) * PAGE_SIZE if query.page > 1 and (query.page - 1) * PAGE_SIZE < len(merged) else 0
    )
    shown = [(items[0].effect, cards.build(items)) for items in merged[first : first + PAGE_SIZE]]
    totals = _totals(counted)
    return FindingsView(
        heading=_heading(counted, totals, words),
        index=() if many else tuple(card for _, card in shown),
        rules=tuple(_rule_rows(counted, words, query)) if many else (),
        groups=tuple(
            CardGroup(words.count(f"heading_{effect}", totals[effect]), tuple(card for _, card in items))
            for effect, group in groupby(shown, key=lambda item: item[0])
            if (items := list(group))
        ),
        only_rule=query.rule if query.rule and len(wanted) < len(counted) else None,
        pager=_pager(first, len(merged), words, query),
    )


def _totals(counted: Iterable[CountedFinding]) -> dict[Effect, int]:
    totals = dict.fromkeys(EFFECTS, 0)
    for item in counted:
        totals[item.effect] += 1
    return totals


def _heading(counted: Sequence[CountedFinding], totals: dict[Effect, int], words: Words) -> str:
    if not counted:
        return words["no_findings"]
    parts = [words.count(f"part_{effect}", count) for effect, count in totals.items() if count]
    return words.count("findings", len(counted), parts=words["list_comma"].join(parts))


def _merge_key(item: CountedFinding) -> tuple[object, ...]:
    finding = item.finding
    if finding.line is None:
        return (id(item),)  # without a place they are different findings
    exemption = str(finding.waived or "") or finding.suppressed
    return item.effect, item.check.name, finding.rule, finding.line, finding.end_line, finding.help, exemption


def _rule_rows(counted: Sequence[CountedFinding], words: Words, query: FindingsQuery) -> Iterable[RuleRow]:
    by_rule: dict[tuple[Effect, str], list[CountedFinding]] = {}
    for item in counted:
        by_rule.setdefault((item.effect, item.finding.rule), []).append(item)
    for (effect, rule), items in by_rule.items():
        message, language = _text_of(items[0], words.language)
        lines = dict.fromkeys(item.finding.line for item in items if item.finding.line)
        shown = [str(line) for line in list(lines)[:MAX_LINES]]
        listed = ", ".join(shown) + (" …" if len(lines) > MAX_LINES else "")
        yield RuleRow(
            tag=tag_of(effect, words),
            is_blocking=effect is Effect.BLOCKS,
            rule=rule,
            message=message,
            language=language,
            count=words.number(len(items)),
            places=words.fill("line", line=listed) if lines else words["no_place"],
            url=query.address("findings", rule=rule),
        )


def _pager(first: int, total: int, words: Words, query: FindingsQuery) -> Pager | None:
    if total <= PAGE_SIZE:
        return None
    rule = {"rule": query.rule} if query.rule else {}
    page = first // PAGE_SIZE + 1
    last = min(first + PAGE_SIZE, total)
    return Pager(
        words.fill("page_of", first=first + 1, last=last, n=words.number(total)),
        query.address("findings", **rule, page=page - 1) if page > 1 else None,
        query.address("findings", **rule, page=page + 1) if last < total else None,
    )


def tag_of(effect: Effect, words: Words) -> Tag:
    """Return the tag of an effect."""
    tone, icon = _LOOKS[effect]
    return Tag(tone, icon, words[f"tag_{effect}"])


def _text_of(item: CountedFinding, language: Language) -> tuple[str, str]:
    """Return the message of a finding and its language: English if the page is and the finding has it."""
    finding = item.finding
    if finding.english is None:
        return shorten(finding.message, MAX_MESSAGE), "" if finding.message.isascii() else "zh"
    if language is Language.ENGLISH:
        return shorten(finding.english, MAX_MESSAGE), "en"
    return shorten(finding.message, MAX_MESSAGE), "zh"


class _Cards:
    """Builds the cards of one event."""

    def __init__(
        self, record: EventRecord, code: KeptCode | None, words: Words, name: str, kept: str
    ) -> None:
        self._record = record
        self._code = code
        self._words = words
        self._name = name
        self._kept = kept

    def build(self, items: Sequence[CountedFinding]) -> FindingCard:
        """Return the card of findings that are shown as one."""
        words, item, finding = self._words, items[0], items[0].finding
        message, language = _text_of(item, words.language)
        others = dict.fromkeys(_text_of(other, words.language)[0] for other in items[1:])
        frame = self._code.frame(finding) if self._code else None
        return FindingCard(
            anchor=f"f-{_identity(item)}",
            tag=tag_of(item.effect, words),
            is_blocking=item.effect is Effect.BLOCKS,
            rule=shorten(finding.rule, MAX_NAME),
            rule_url=rule_address(finding.rule, item.check.name),
            rule_name=BY_ID[finding.rule].name if finding.rule in BY_ID else None,
            check=item.check.name,
            place=_place(finding, words),
            columns=_columns(finding, words),
            message=message,
            language=language,
            others=tuple(other for other in others if other != message),
            frame=frame,
            frame_gap=self._gap(finding) if frame is None else None,
            why=_why(finding.rule, words.language),
            remedy=shorten(finding.help, MAX_MESSAGE) if finding.help else None,
            exemption=self._exemption(finding),
            exception_command=self._command(item),
            tracker=self._tracker(finding),
        )

    def _gap(self, finding: Finding) -> str | None:
        if finding.line is None:
            return None
        if self._code is None:
            return self._words.fill("code_gone", kept=self._kept)
        return self._words["code_moved"]

    def _exemption(self, finding: Finding) -> str | None:
        if finding.waived is not None:
            return describe_waiver(finding.waived, self._words)
        if finding.suppressed is not None:
            return self._words.fill("suppressed_by", reason=finding.suppressed)
        return None

    def _tracker(self, finding: Finding) -> str | None:
        contact = self._record.plan.contact if self._record.plan else None
        if contact is None:
            return None
        message_id = self._record.event.message_id
        return contact.request_url(message_id=message_id, rule=finding.rule, file=self._name)

    def _command(self, item: CountedFinding) -> str | None:
        if item.effect in (Effect.WAIVED, Effect.SUPPRESSED, Effect.NOTED):
            return None
        finding, event = item.finding, self._record.event
        options = [("--rule", finding.rule)]
        if event.project_id is not None:
            options.append(("--project", str(event.project_id)))
        options.append(("--point", event.event_code))
        for kind, name in ((SubjectKind.FILE, "--file-id"), (SubjectKind.NODE, "--node-id")):
            ids = [each.id for each in finding.subjects if each.kind is kind and each.id]
            options += [(name, id_) for id_ in ids[:1] if len(ids) == 1]
        if finding.fingerprint:
            options.append(("--fingerprint", finding.fingerprint))
        given = " ".join(f"{name} {shlex.quote(shorten(value, MAX_NAME))}" for name, value in options)
        return (
            f"dwgate waivers add W-{_identity(item)[:6]} {given} --reason 'REASON' --owner 'OWNER'"
            " --approver 'APPROVER' --expires-at TIME"
        )


def _identity(item: CountedFinding) -> str:
    """Return what identifies a finding in the page: its fingerprint, or a digest of the same kind."""
    if item.finding.fingerprint:
        return quote(item.finding.fingerprint, safe="")[:64]
    text = f"{item.check.name} {item.finding.rule} {item.finding.line} {item.finding.message}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _place(finding: Finding, words: Words) -> str:
    if finding.line is None:
        return words["no_place"]
    if finding.end_line and finding.end_line > finding.line:
        return words.fill("lines", line=finding.line, end=finding.end_line)
    return words.fill("line", line=finding.line)


def _columns(finding: Finding, words: Words) -> str:
    if finding.column is None:
        return ""
    end = (finding.end_column or 0) - 1
    if finding.end_line in (None, finding.line) and end > finding.column:
        return words.fill("columns", column=finding.column, end=end)
    return words.fill("column", column=finding.column)


def rule_address(rule: str, check: str) -> str | None:
    """Return the address of the page about a rule; that of its check if the rule has none."""
    if rule in BY_ID:
        return f"/rules/{quote(rule, safe='')}"
    if external_rules.is_external(rule):
        return external_rules.docs_url(rule)
    return f"/checks/{quote(check, safe='')}"


def has_secret(counted: Iterable[CountedFinding]) -> bool:
    """Whether one of the findings that block is about a secret."""
    return any(item.finding.rule in SECRETS and item.effect is Effect.BLOCKS for item in counted)


@lru_cache(maxsize=1024)
def _why(rule: str, language: Language) -> str | None:
    """Return the first paragraph of a rule's reason, as plain text."""
    known = BY_ID.get(rule)
    if known is None or known not in BUILT_IN:
        return None
    text = load_page(known).why.in_language(language)
    return " ".join(text.split("\n\n")[0].replace("`", "").split())


def describe_waiver(waiver: AppliedWaiver, words: Words) -> str:
    """Return a waiver with its reason, and when it ends if that is known."""
    reason = shorten(waiver.reason, MAX_MESSAGE)
    if waiver.expires_at is None:
        return words.fill("waived_by", id=waiver.id, reason=reason)
    return words.fill("waived_until", id=waiver.id, reason=reason, at=format_moment(waiver.expires_at))
