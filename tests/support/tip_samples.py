"""The samples of the pages tips.md: run `python -m tests.support.tip_samples` to update them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from common.events import Event
from common.plan import Mode, Plan, PlannedCheck
from common.signed_links import details_link
from common.snapshot import Snapshot
from common.subjects.event_subject import subject_of
from common.text.i18n import Language, Text
from common.verdicts import Finding, Outcome, OutcomeKind, Result, Severity
from review.dialects import Dialect
from review.engine import review, run_review
from review.options import ReviewOptions
from workers.checks import registry
from workers.checks.api import Context
from workers.extension_options import parameters
from workers.pipeline.decision import decide_verdict
from workers.waivers.matching import Waivers, apply_waivers
from workers.waivers.model import Waiver

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (DOCS / "tips.md", DOCS / "zh" / "tips.md")
NOW = datetime.fromisoformat("2026-11-27T21:30:00+08:00").timestamp()
EVENT = Event("539fd8f4-4ea1-4625-aa8b-6c9066740001", "deploy-file", 93124, "1923", True, {}, NOW)
DETAILS = "https://gate.example.com/events/{message_id}"
TOKEN = "1780604800.Zm9yLWV4YW1wbGUtb25seQ"

BAD = """\
insert overwrite table shop.dwd_order partition (ds='${bizdate}')
select * from shop.ods_order where ds = '${bizdate}';

delete from shop.dwd_order_audit;

insert overwrite table shop.dim_buyer select * from shop.ods_buyer where ds = '${bizdate}';
insert overwrite table shop.dim_shop select * from shop.ods_shop where ds = '${bizdate}';
"""
MILD = "\n".join(BAD.splitlines()[:2])

_SAMPLE = re.compile(r"(<!-- tip: ([\w-]+) (en|zh) -->\n```text\n).*?(```\n)", re.DOTALL)


def read_samples(page: str) -> str:
    """Return the page with every sample updated."""
    return _SAMPLE.sub(lambda at: f"{at[1]}{sample(at[2], Language(at[3]))}\n{at[4]}", page)


def sample(name: str, language: Language) -> str:
    """Return the tip of one kind."""
    checks, outcomes = SAMPLES[name](language)
    disabled = parameters.parse_parameters("extension.project.disabled=93124").disabled_reason(
        "deploy-file", 93124, None
    )
    reason = disabled.in_language(language) if disabled and name == "disabled" else None
    plan = Plan(checks, Result.OK, language, "v", disabled_reason=reason)
    waivers = Waivers((_WAIVER,))
    verdict = decide_verdict(
        plan,
        outcomes,
        message_id=EVENT.message_id,
        now=NOW,
        waivers=waivers,
        details_link=details_link(DETAILS, EVENT.message_id, TOKEN),
    )
    return verdict.tip


Sample = tuple[tuple[PlannedCheck, ...], Mapping[str, Outcome]]

_WAIVER = Waiver.model_validate(
    {
        "id": "W-12",
        "rule": "MC-P*",
        "reason": "the old loader goes in December",
        "owner": "1923",
        "approver": "1988",
        "expires_at": "2026-12-03T18:00:00+08:00",
    }
)


def _check(name: str, *, on_error: Result = Result.WARN, mode: Mode = Mode.ENFORCE) -> PlannedCheck:
    return PlannedCheck(name, mode, Result.WARN, on_error)


def _reviewed(code: str, language: Language) -> Outcome:
    found = review(code, Dialect.MAXCOMPUTE, language=language)
    order = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}
    return Outcome.of(sorted(found, key=lambda item: order[item.severity]))


def _blocked_by_review(language: Language) -> Sample:
    return (_check("code-review"), _check("release-window")), {
        "code-review": _reviewed(BAD, language),
        "release-window": Outcome.of([]),
    }


def _blocked_by_impact(language: Language) -> Sample:
    message = Text(
        "4 live nodes depend on node dwd_order_di (700123003): ads_sales (19, morning report), dws_order"
        " (19), ads_buyer (27), dws_refund (27).",
        "4 个运行中的节点依赖节点 dwd_order_di（700123003）：ads_sales（19，基线 morning report）、"
        "dws_order（19）、ads_buyer（27）、dws_refund（27）。",
    )
    help_ = Text(
        "Remove the dependency, or change these nodes first or in the same operation.",
        "请先移除依赖，或先修改（或在同一操作中修改）这些节点。",
    )
    found = Finding(
        "downstream-nodes", Severity.BLOCK, message.in_language(language), help=help_.in_language(language)
    )
    return (_check("downstream-impact"),), {"downstream-impact": Outcome.of([found])}


def _blocked_by_window(language: Language) -> Sample:
    check = registry.load_checks()["release-window"]
    options = check.options.model_validate({"closed": [{"days": ["fri"], "from": "18:00", "to": "08:00"}]})
    context = Context(EVENT, Snapshot(), options, None, NOW, language)
    return (_check("release-window"),), {"release-window": Outcome.of(list(check.run(context)))}


def _warning(language: Language) -> Sample:
    return (_check("code-review"),), {"code-review": _reviewed(MILD, language)}


def _waived(language: Language) -> Sample:
    what = subject_of("code-review", EVENT, None)
    outcome = apply_waivers(_reviewed(MILD, language), what, Waivers((_WAIVER,)), NOW)
    return (_check("code-review"),), {"code-review": outcome}


def _suppressed(language: Language) -> Sample:
    code = "delete from shop.dwd_order_audit; -- dwgate:ignore MC-C14 emptied before each load\n"
    rules = {"allow": ["info", "warn", "block"], "never": []}
    options = ReviewOptions.model_validate({"suppressions": rules})
    found = review(code, Dialect.MAXCOMPUTE, policy=options, language=language)
    return (_check("code-review"),), {"code-review": Outcome.of(found)}


def _failed(_: Language) -> Sample:
    detail = "DataWorks call rejected: GetNodeChildren Forbidden.Access"
    return (_check("code-review"), _check("downstream-impact", on_error=Result.FAIL)), {
        "code-review": Outcome.of([]),
        "downstream-impact": Outcome(OutcomeKind.ERROR, detail=detail),
    }


def _unreviewable(language: Language) -> Sample:
    reviewed = run_review("SELEC id FROM shop.ods_order;", Dialect.MAXCOMPUTE, language=language)
    outcome = Outcome(OutcomeKind.UNREVIEWABLE, reviewed.findings, reviewed.describe_gaps(language))
    return (_check("code-review"),), {"code-review": outcome}


def _timed_out(_: Language) -> Sample:
    return (_check("code-review"), _check("downstream-impact")), {"code-review": Outcome.of([])}


def _audit(language: Language) -> Sample:
    return (_check("code-review", mode=Mode.AUDIT),), {"code-review": _reviewed(BAD, language)}


def _passed(_: Language) -> Sample:
    return (_check("code-review"),), {"code-review": Outcome.of([])}


def _none(_: Language) -> Sample:
    return (), {}


SAMPLES = {
    "blocked-by-review": _blocked_by_review,
    "blocked-by-impact": _blocked_by_impact,
    "blocked-by-window": _blocked_by_window,
    "warning": _warning,
    "waived": _waived,
    "suppressed": _suppressed,
    "audit": _audit,
    "unreviewable": _unreviewable,
    "failed": _failed,
    "timed-out": _timed_out,
    "disabled": _none,
    "nothing-applies": _none,
    "passed": _passed,
}


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(read_samples(page.read_text()))
