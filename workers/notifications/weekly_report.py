"""The numbers of a weekly report. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from common.ledger import EventRecord, State
from common.plan import PlannedCheck
from common.verdicts import Result
from workers.notifications.model import NotificationKind
from workers.notifications.notification import Notification, bound

MONDAY_HOUR = 1
"""Hour of Monday, in UTC, from which the report of the week before is sent: nine o'clock in China."""

REPORT_SECONDS = 7 * 86400.0

_MAX_CHECKS = 5


def week_of(now: float) -> str:
    """Return the name of the week whose report is due at `now`, in seconds since the epoch."""
    year, week, _ = (datetime.fromtimestamp(now, UTC) - timedelta(hours=MONDAY_HOUR)).isocalendar()
    return f"{year}-W{week:02}"


def weekly_report(
    records: Iterable[EventRecord],
    workspaces: Collection[int],
    key: str,
    targets: dict[str, str],
    *,
    is_complete: bool,
) -> Notification:
    """Return the report of a week.

    Args:
        records: the events of the week.
        workspaces: the workspaces that it is about; empty for all.
        key: identifies the report.
        targets: the targets that get it, each with its language or an empty text.
        is_complete: whether `records` are all of them.
    """
    counts: Counter[str] = Counter()
    blocking: Counter[str] = Counter()
    for record in records:
        counts["events"] += 1
        counts["dead"] += record.state is State.DEAD
        if record.accepted_verdict:
            counts[record.accepted_verdict.result.value.lower()] += 1
            if record.accepted_verdict.result is Result.FAIL and record.plan:
                blocking.update(check.name for check in record.plan.checks if _is_blocking(check, record))
    fields = {name: str(counts[name]) for name in ("events", "ok", "warn", "fail", "dead")}
    if not is_complete:
        fields["events"] = f"≥ {fields['events']}"
    fields["top"] = ", ".join(f"{name} {count}" for name, count in blocking.most_common(_MAX_CHECKS))
    return Notification(
        NotificationKind.WEEKLY_REPORT, key, tuple(sorted(workspaces)), fields=bound(fields), targets=targets
    )


def _is_blocking(check: PlannedCheck, record: EventRecord) -> bool:
    return check.effective_result(record.outcomes.get(check.name)) is Result.FAIL
