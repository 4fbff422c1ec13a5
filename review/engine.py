"""The entry point of the engine: takes code, returns findings."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from common.plugins.pool_exit import is_pool_exit
from common.processes.time_limits import REVIEW_SECONDS
from common.text.i18n import Language
from common.text.printable import printable
from common.verdicts import Finding, Severity
from review import languages
from review.analysis.secret_mask import SecretMask
from review.context import ReviewContext
from review.diagnostic import Diagnostic, Fix, from_hit, tables_by_span, to_finding
from review.dialects import Dialect
from review.errors import NOTES
from review.facts import Script, Span
from review.fingerprints import code_digests
from review.gc_pause import gc_paused
from review.options import ReviewOptions
from review.rules.api import Rule, RuleContext, Text
from review.rules.external_rules import SECRETS
from review.rules.registry import RULES
from review.script_reader import Tables, TableSupplier, read_script
from review.source.positions import LineIndex
from review.suppressions.decision import decide_suppressions
from review.tables.catalog import TableCatalog

SECONDS = REVIEW_SECONDS
"""Default time limit of a review; code and rules not reviewed by then are reported."""

_PARSE_SHARE, _CHECK_SHARE = 0.5, 0.9
"""Fractions of the time limit by which reading, and the last rule, must have finished."""

MAX_HITS = 1000
"""Maximum findings of one rule in one script; if there are more, one finding says so."""

NOT_REVIEWED = "MC-C19"
"""The rule that reports what could not be reviewed."""

_ABOUT_REVIEW = "DW-"
"""Prefix of rules about the review's own comments: they run last and cannot be suppressed."""


@dataclass(frozen=True, slots=True)
class Review:
    """The result of a review.

    Attributes:
        findings: of all rules, in text order.
        gaps: what was not reviewed, one sentence each, whatever the severity of MC-C19 is and whether its
            findings are suppressed; empty if everything was reviewed.
        fixes: edits that remove findings that are not suppressed, in text order.
    """

    findings: tuple[Finding, ...]
    gaps: tuple[Text, ...] = ()
    fixes: tuple[Fix, ...] = ()

    def describe_gaps(self, language: Language) -> str | None:
        """Return the first gap in a few words, and how many more there are; None without a gap."""
        if not self.gaps:
            return None
        first = self.gaps[0].in_language(language).rstrip(".。")
        if not (more := len(self.gaps) - 1):
            return first
        return first + Text(f", and {more} more", f"，另有 {more} 处").in_language(language)


def review(
    code: str,
    dialect: Dialect,
    context: ReviewContext = ReviewContext(),  # noqa: B008 - frozen
    policy: ReviewOptions = ReviewOptions.model_construct(),  # noqa: B008 - frozen
    *,
    tables: Tables | None = None,
    language: Language = Language.ENGLISH,
    seconds: float = SECONDS,
    fingerprint_key: bytes | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of `run_review`, which describes the arguments."""
    return run_review(
        code,
        dialect,
        context,
        policy,
        tables=tables,
        language=language,
        seconds=seconds,
        fingerprint_key=fingerprint_key,
    ).findings


def run_review(
    code: str,
    dialect: Dialect,
    context: ReviewContext = ReviewContext(),  # noqa: B008 - frozen
    policy: ReviewOptions = ReviewOptions.model_construct(),  # noqa: B008 - frozen
    *,
    tables: Tables | None = None,
    language: Language = Language.ENGLISH,
    seconds: float = SECONDS,
    fingerprint_key: bytes | None = None,
) -> Review:
    """Run all rules on a node's code. No code makes this raise: what breaks the review is a gap.

    Args:
        code: the text, with its scheduling parameters unreplaced.
        dialect: the language of `code`.
        context: known facts about the node and its tables.
        policy: severities and options of the rules.
        tables: supplies metadata of tables that are not in `context`; its exceptions are propagated.
        language: of messages and remedies.
        seconds: time limit, without the time that `tables` takes; what was not reviewed in time is a gap.
        fingerprint_key: key of the digests of secrets, see `code_digests`.
    """
    start = time.monotonic()
    code = code.removeprefix("\ufeff")  # a byte order mark, which editors do not show
    supplier = TableSupplier(tables)
    with gc_paused():
        try:
            script = read_script(code, dialect, context, supplier, start + seconds * _PARSE_SHARE)
            deadline = start + supplier.seconds + seconds * _CHECK_SHARE
            seen, gaps = _diagnose(script, policy, deadline)
            mask = SecretMask(code, dialect, (item.at for item in seen if item.secret))
            findings = _findings(script, seen, language, mask, fingerprint_key)
            return Review(findings, tuple(_masked(gap, mask) for gap in gaps), tuple(_fixes(seen)))
        except Exception as error:
            if error is supplier.fault:
                raise
            return _failed(code, dialect, error, policy, language)


def _findings(
    script: Script,
    seen: list[Diagnostic],
    language: Language,
    mask: SecretMask,
    fingerprint_key: bytes | None = None,
) -> tuple[Finding, ...]:
    code = script.code
    places, named = LineIndex(code), tables_by_span(script)
    digests = code_digests(seen, code, fingerprint_key)
    return tuple(
        to_finding(item, code, places, digest, language, named, mask)
        for item, digest in zip(seen, digests, strict=True)
    )


def _fixes(seen: Iterable[Diagnostic]) -> Iterator[Fix]:
    for item in seen:
        if item.edit is not None and item.suppressed is None:
            yield Fix(item.rule, item.edit)


def _masked(gap: Text, mask: SecretMask) -> Text:
    return Text(printable(mask.apply(gap.en)), printable(mask.apply(gap.zh)))


def _failed(
    code: str, dialect: Dialect, error: Exception, policy: ReviewOptions, language: Language
) -> Review:
    """Return the review of code that broke the engine itself."""
    if isinstance(error, MemoryError):
        message = Text(
            "The script was not reviewed: it needs too much memory.", "脚本未被评审：所需内存过多。"
        )
    else:
        why = type(error).__name__
        message = Text(
            f"The script was not reviewed: the review failed ({why}).", f"脚本未被评审：评审出错（{why}）。"
        )
    seen = list(_apply_severity([_not_checked(message)], policy))
    # The message contains no code, and searching it for secrets may be what broke.
    no_mask = SecretMask("", dialect)
    return Review(_findings(Script(code, dialect), seen, language, no_mask), (message,))


_FIRST = tuple(
    sorted(
        (rule for rule in RULES if not rule.id.startswith(_ABOUT_REVIEW)),
        key=lambda rule: rule.id != NOT_REVIEWED,
    )
)
"""The rule about unreadable code runs first, so that it reports even if there is no time for others."""

_LAST = tuple(rule for rule in RULES if rule.id.startswith(_ABOUT_REVIEW))

_HELP = Text("Simplify or split the script.", "请简化或拆分该脚本。")
_LATE = Text("Not all rules ran: the review timed out.", "复查超时，部分规则未执行。")


def _diagnose(
    script: Script, policy: ReviewOptions, deadline: float
) -> tuple[list[Diagnostic], tuple[Text, ...]]:
    """Return what all rules found, and the gaps among it before severities and suppressions apply."""
    subject = RuleContext(script, TableCatalog(script))
    first = [*_check_rules(_FIRST, subject, policy, deadline), *_run_external(script, deadline)]
    seen = list(_apply_severity(first, policy))
    decision = decide_suppressions(script, seen, policy.suppressions)
    about = RuleContext(
        script, subject.catalog, tuple((item.rule, item.at) for item in seen), decision.refusals
    )
    last = [*_check_rules(_LAST, about, policy, deadline)]
    gaps = dict.fromkeys(item.message for item in (*first, *last) if item.is_gap)
    # The same finding at the same position is reported once.
    unique = dict.fromkeys((*decision.diagnostics, *_apply_severity(last, policy)))
    return sorted(unique, key=lambda item: (item.at, item.rule)), tuple(gaps)


def _check_rules(
    rules: Iterable[Rule], subject: RuleContext, policy: ReviewOptions, deadline: float
) -> Iterator[Diagnostic]:
    for rule in rules:
        if time.monotonic() > deadline:
            yield _not_checked(_LATE)
            return
        # Gaps are found even if their findings are disabled.
        if rule.id == NOT_REVIEWED or not policy.is_disabled(rule.id):
            yield from _hits(rule, subject, policy)


def _hits(rule: Rule, subject: RuleContext, policy: ReviewOptions) -> list[Diagnostic]:
    try:
        hits = list(islice(rule.hits(subject, policy.options_of(rule)), MAX_HITS + 1))
        # Whether a suppression of a disabled rule is needed cannot be determined.
        about = rule.id.startswith(_ABOUT_REVIEW)
        seen = [from_hit(rule, hit) for hit in hits[:MAX_HITS] if not (about and policy.is_disabled(hit.key))]
        if rule.id == NOT_REVIEWED:
            seen = [replace(item, is_gap=item.key not in NOTES) for item in seen]
        return [*seen, *(_not_checked(_more_hits(rule)) for _ in hits[MAX_HITS:])]
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) and is_pool_exit(error):
            raise
        why = type(error).__name__
        said = Text(
            f"{rule.id} failed on this script ({why}).", f"规则 {rule.id} 检查该脚本时出错（{why}）。"
        )
        return [_not_checked(said)]


def _run_external(script: Script, deadline: float) -> Iterator[Diagnostic]:
    for hit in languages.run_external_linter(
        script.code, script.dialect, max(deadline - time.monotonic(), 0)
    ):
        yield Diagnostic(
            hit.rule,
            hit.severity,
            hit.at,
            hit.message,
            secret=hit.rule in SECRETS,
            is_gap=hit.is_unfinished,
        )


def _more_hits(rule: Rule) -> Text:
    return Text(
        f"{rule.id} has more than {MAX_HITS} findings here; the rest are not listed.",
        f"规则 {rule.id} 在此发现超过 {MAX_HITS} 个问题，其余未列出。",
    )


def _not_checked(message: Text) -> Diagnostic:
    return Diagnostic(NOT_REVIEWED, Severity.WARN, Span(0, 0), message, _HELP, is_gap=True)


def _apply_severity(seen: Iterable[Diagnostic], policy: ReviewOptions) -> Iterator[Diagnostic]:
    for item in seen:
        if not policy.is_disabled(item.rule):
            weight = policy.effective_severity(item.rule, item.severity)
            yield item if weight is item.severity else replace(item, severity=weight)
