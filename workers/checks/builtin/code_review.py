"""The check `code-review`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic import Field

from common.processes.time_limits import REVIEW_SECONDS
from common.snapshot import FileSnapshot
from common.text.i18n import Text
from common.verdicts import Finding, Severity, table_subject
from review.content.node_script import NodeScript
from review.content.notebook import CELLS, node_scripts
from review.context import NodeContext, ReviewContext
from review.dialects import Dialect, has_script
from review.engine import Review
from review.fingerprints import only_new_findings
from review.languages import run_linter_ahead
from review.options import ReviewOptions
from review.report import SECRETS, secrets_beside
from workers.checks import review_runner
from workers.checks.api import Context, LookupContext, Options, Runs, SkipCheck, Unreviewable
from workers.checks.code_effects.node_file import committed_file, node_type, project_of, without_script
from workers.checks.finding_builders import build_finding
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import not_checked
from workers.checks.registry import check

MAX_LISTED = 100
"""Findings that are listed for one file; the rest are counted."""

_PARAMETER = re.compile(r"(?:^|\s)(\w+)\s*=")
"""One assignment of a node's scheduling parameters (`bizdate=$bizdate hour=$[hh24]`)."""

_RANKS = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 3}
_SUPPRESSED_RANKS = {Severity.BLOCK: 2, Severity.WARN: 4, Severity.INFO: 5}


class CodeReviewOptions(ReviewOptions, Options):
    """Options of `code-review`."""

    project: str | None = Field(
        default=None,
        description="MaxCompute project of tables named without one; default: that of the outputs",
    )
    max_lookups: int = Field(
        default=20, ge=0, le=200, strict=True, description="tables of a file that are looked up in DataWorks"
    )


@check(
    "code-review",
    points=("commit-file", "deploy-file", "run-file", "review-file"),
    runs=Runs.CPU,
    options=CodeReviewOptions,
    needs_snapshot=True,
    uses_lookups=True,
)
def code_review(context: LookupContext) -> Iterator[Finding]:
    """Check whether the code complies with the review rules.

    Why: a cartesian join, a DELETE without WHERE or a secret is cheapest to fix before the commit.

    Options:
        severity: block, warn, info or off by rule id, instead of the rule's own severity.
        rules: options of single rules by rule id.
        suppressions: what comments in the code may suppress; the policy's section suppressions if not set.
        only_new: count only findings that the change adds to the version in production; false if not set.
        project: MaxCompute project of tables named without one; default: that of the node's declared outputs.
        max_lookups: tables of a file that are looked up in DataWorks; 20 if not set.
    """
    file = committed_file(context)
    if not file.content.strip():
        raise SkipCheck("the file has no code")
    kind = node_type(file, context)
    scripts = node_scripts(file.content, kind)
    review = review_runner.ReviewRun(Dialect.UNKNOWN, _review_context(file, context), context)
    reviewed = _review_scripts(scripts, review)
    found = [finding for each in reviewed for finding in each.findings]
    if not has_script(kind) and not (found := [item for item in found if item.rule in SECRETS]):
        raise without_script(kind)
    if context.options.only_new and (before := _deployed_code(file, context)):
        old = _review_scripts(node_scripts(before, kind), review)
        found = list(only_new_findings([finding for each in old for finding in each.findings], found))
    if scripts[0].place and found:
        yield _place_finding([script.place for script in scripts if script.place], context)
    found.sort(key=_rank)
    yield from found[:MAX_LISTED]
    yield from _unavailable_finding(review, context)
    if len(found) > MAX_LISTED:
        left = len(found) - MAX_LISTED
        message = Text(f"{left} more findings are not listed.", f"另有 {left} 个问题未列出。")
        remedy = Text("Fix the listed findings first.", "请先处理以上问题。")
        yield build_finding(context, "findings-truncated", Severity.INFO, message, remedy, count=left)
    _require_reviewed(scripts, reviewed, context)


def _review_scripts(scripts: Sequence[NodeScript], review: review_runner.ReviewRun) -> list[Review]:
    """Return the reviews of the scripts; one process of the linter reads all cells in the shell."""
    shell = [script.code for script in scripts if script.dialect is Dialect.SHELL]
    run_linter_ahead(shell, Dialect.SHELL, REVIEW_SECONDS)
    return [_review_script(script, review) for script in scripts]


def _review_script(script: NodeScript, review: review_runner.ReviewRun) -> Review:
    """Return the review of a script, with the secrets in the content around it."""
    done = replace(review, dialect=script.dialect)(script.code)
    findings = [*done.findings, *_secrets_beside(script, review)]
    if script.place and script.place.startswith(CELLS):
        findings = [_in_cell(finding, script.place) for finding in findings]
    return Review(tuple(findings), done.gaps)


def _in_cell(finding: Finding, place: str) -> Finding:
    """Return a finding that says in which cell of a notebook its line is."""
    english = finding.english and f"{place}: {finding.english}"
    return replace(finding, message=f"{place}: {finding.message}", english=english)


def _require_reviewed(scripts: Sequence[NodeScript], reviewed: Sequence[Review], context: Context) -> None:
    """Raise `Unreviewable` if a script, or a part of one, was not reviewed."""
    for script in scripts:
        if script.place and script.dialect is Dialect.UNKNOWN:
            # Here the author chose it.
            language = Text("the language that the node names is not known", "节点所声明的语言未知")
            raise Unreviewable(f"{language.in_language(context.language)} ({script.place})")
    for each in reviewed:
        if gaps := each.describe_gaps(context.language):
            raise Unreviewable(gaps)


def _secrets_beside(script: NodeScript, review: review_runner.ReviewRun) -> Iterator[Finding]:
    """Yield the secrets in the content around a script."""
    if script.rest:
        yield from secrets_beside(replace(review, dialect=Dialect.UNKNOWN)(script.rest).findings)


def _place_finding(places: Sequence[str], context: Context) -> Finding:
    """Return the remark which text the lines of findings count."""
    place = places[0] if len(places) == 1 else CELLS
    message = Text(
        f"Lines are those of the script, which the content of this node has in {place}.",
        f"行号指脚本中的行；该节点的脚本位于其内容的 {place}。",
    )
    remedy = Text("Nothing needs to be done.", "无需处理。")
    return build_finding(context, "script-place", Severity.INFO, message, remedy)


def _rank(finding: Finding) -> int:
    """Return the order of a finding: a suppressed block comes before remarks, since the tip names each."""
    return (_RANKS if finding.suppressed is None else _SUPPRESSED_RANKS)[finding.severity]


def _unavailable_finding(review: review_runner.ReviewRun, context: Context) -> Iterator[Finding]:
    """Yield an info finding if tables could not be looked up: some rules then decide less."""
    if review.unavailable_tables:
        names = summarize_names(sorted(review.unavailable_tables))
        reasons = summarize_names(sorted(set(review.unavailable_tables.values())))
        what = Text(
            f"the metadata of {names.en} ({reasons.en}), which some rules need",
            f"{names.zh} 的元数据（{reasons.zh}），部分规则因此未能判断",
        )
        tables = [table_subject(name) for name in sorted(review.unavailable_tables)]
        yield not_checked(context, what, severity=Severity.INFO, subjects=tables)


def _review_context(file: FileSnapshot, context: Context) -> ReviewContext:
    scheduled = context.event.event_code != "run-file" and file.scheduler != "MANUAL"
    configured = file.rerun_mode is not None or file.parameters is not None
    node = NodeContext(
        name=file.name or None,
        scheduled=scheduled,
        production=context.event.event_code == "deploy-file",
        parameters=frozenset(_PARAMETER.findall(file.parameters or "")) if configured else None,
        inputs=file.inputs if configured else None,
        outputs=file.outputs if configured else None,
    )
    return ReviewContext(node=node, project=context.options.project or project_of(file))


def _deployed_code(file: FileSnapshot, context: LookupContext) -> str | None:
    """Return the code in production; None if there is none."""
    return None if file.file_id is None else context.lookups.deployed_code(file.file_id)
