"""Creates the series of the counters and histograms whose labels are known, before anything is counted.

Without them a series begins with the value 1, and `increase()` of Prometheus does not see the first event. A
gauge has a series only once it is set: most are set by one role, and 0 from the others would be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import product

from prometheus_client import Counter, Histogram

from common import topology
from common.extension_points import BY_CODE
from common.ledger.redis_faults import RedisFault
from common.plan import Mode
from common.processes.version import running_version
from common.topology import TASK_QUEUES, QueueName
from common.verdicts import OutcomeKind, Reason, Result, Severity
from review.rules.registry import BY_ID
from workers import metrics
from workers.checks import registry
from workers.checks.api import Runs
from workers.dataworks import operations
from workers.dataworks.invoker import CallResult
from workers.dataworks.operations import QuotaKind
from workers.intake import IgnoreReason
from workers.notifications.model import NotificationEnd, NotificationKind
from workers.process.roles import GROUPS
from workers.scheduling.budgets import SlowReason
from workers.task_base import TaskEnd

_QUEUES = {
    topology.TASK_INTAKE: (QueueName.INTAKE,),
    topology.TASK_CHECK: (QueueName.CHECKS_CPU, QueueName.CHECKS_SLOW, QueueName.CHECKS_IO),
    topology.TASK_REPORT: (QueueName.REPORTS,),
    topology.TASK_PLAN: (QueueName.INTAKE,),
}
"""The tasks, and the queues that they come from."""

_TASKS = tuple(_QUEUES)


@cache
def create_series() -> None:
    """Create every series with known labels, with the value 0, and that of the version; once in a process."""
    metrics.BUILD.labels(running_version()).set(1)
    for metric, labels in _known_labels().items():
        for values in product(*labels):
            metric.labels(*values)
    for task, queues in _QUEUES.items():
        for queue in queues:
            metrics.TASK_SECONDS.labels(task, queue)


def _known_labels() -> dict[Counter | Histogram, tuple[Iterable[str], ...]]:
    """Return the values of each label, by metric, where all values of one occur with all of another.

    Findings have more: rules of external linters, findings of checks.
    """
    checks = registry.load_checks()
    points, actions = (tuple(BY_CODE),), tuple(item.action for item in operations.ALL)
    results = tuple(Result)
    return {
        metrics.TASKS: (_TASKS, TaskEnd),
        metrics.TASKS_SPOOLED: (_TASKS,),
        metrics.DEAD_LETTERS: (_TASKS,),
        metrics.CHECKS: (checks, OutcomeKind),
        metrics.CHECK_SECONDS: (checks,),
        metrics.CHECKS_HUNG: ([name for name, check in checks.items() if check.runs is not Runs.CPU],),
        metrics.WAIVED: (checks,),
        metrics.FINDINGS: (BY_ID, Severity, Mode),
        metrics.SUPPRESSED: (BY_ID,),
        metrics.SUPPRESSIONS_REFUSED: (BY_ID,),
        metrics.OPENAPI_CALLS: (actions, CallResult),
        metrics.OPENAPI_SECONDS: (actions,),
        metrics.QUOTA_WAIT_SECONDS: (QuotaKind,),
        metrics.QUOTA_TIMEOUTS: (QuotaKind,),
        metrics.REDIS_FAULTS: ([fault.label for fault in RedisFault],),
        metrics.SHED: (("code", "event"),),
        metrics.SLOW_CHECKS: (SlowReason,),
        metrics.STALLED: ([group.name for group in GROUPS],),
        metrics.VERDICTS: (BY_CODE, results, Reason),
        metrics.RERUNS: (BY_CODE, results, results),
        metrics.REPORT_SECONDS: points,
        metrics.LATE: points,
        metrics.DEAD: points,
        metrics.RECOVERED: points,
        metrics.SWEEPS_FAILED: points,
        metrics.TAKEN_OVER: points,
        metrics.MESSAGES_REFUSED: ((*TASK_QUEUES, QueueName.DUE, QueueName.DEAD, "other"),),
        metrics.IGNORED: (IgnoreReason,),
        metrics.NOTIFICATIONS: (NotificationKind, NotificationEnd),
    }
