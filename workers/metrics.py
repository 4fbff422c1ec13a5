"""Metrics of the workers. Label values are dwgate's own names, never data of an event."""

from __future__ import annotations

from typing import Literal

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_CHECK_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_CALL_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8)
_LIVE: Literal["livemostrecent"] = "livemostrecent"
"""Mode of a gauge that the supervisor removes with its process, so that none is out of date."""

_WAIT_SECONDS = (0.01, 0.05, 0.25, 1, 2.5, 5, 10, 20)

BUILD = Gauge(
    "dwgate_build_info", "Always 1; the label is the version that runs.", ["version"], multiprocess_mode="max"
)
TASKS = Counter("dwgate_tasks_total", "Tasks by name and end.", ["task", "end"])
TASK_SECONDS = Histogram(
    "dwgate_task_seconds",
    "Duration of a task, by the queue that its message came from.",
    ["task", "queue"],
    buckets=_SECONDS,
)
CHECKS = Counter("dwgate_checks_total", "Check outcomes.", ["check", "outcome"])
CHECK_SECONDS = Histogram(
    "dwgate_check_seconds",
    "Duration of a check, lookups included; one that ended its process is not measured.",
    ["check"],
    buckets=_CHECK_SECONDS,
)
FINDINGS = Counter(
    "dwgate_findings_total",
    "Findings that count, by severity and by the mode of their check; not those waived or suppressed.",
    ["rule", "severity", "mode"],
)
EVENTS = Gauge("dwgate_events", "Stored events of the fleet by state.", ["state"], multiprocess_mode=_LIVE)
WORKERS = Gauge(
    "dwgate_workers",
    "Workers of the fleet that run all processes of a role.",
    ["role"],
    multiprocess_mode=_LIVE,
)
OPENAPI_CALLS = Counter(
    "dwgate_openapi_calls_total",
    "Attempts to call the OpenAPI of DataWorks, by result; busy: not sent, since calls of it hang.",
    ["operation", "result"],
)
OPENAPI_SECONDS = Histogram(
    "dwgate_openapi_call_seconds",
    "Duration of a call of the OpenAPI, without the wait for the quota.",
    ["operation"],
    buckets=_CALL_SECONDS,
)
QUOTA_WAIT_SECONDS = Histogram(
    "dwgate_quota_wait_seconds",
    "Wait for the quota of the OpenAPI before a call.",
    ["kind"],
    buckets=_WAIT_SECONDS,
)
QUOTA_TIMEOUTS = Counter(
    "dwgate_quota_timeouts_total",
    "Calls of the OpenAPI that were not made, since the quota was not free in time.",
    ["kind"],
)
LAST_SWEEP = Gauge(
    "dwgate_sweep_timestamp_seconds",
    "When DataWorks last listed the operations that wait at an extension point, in seconds since the epoch.",
    multiprocess_mode=_LIVE,
)
REDIS_FAULTS = Counter(
    "dwgate_redis_faults_total", "Operations that failed because Redis did not serve, by reason.", ["fault"]
)
REDIS_MEMORY = Gauge(
    "dwgate_redis_memory_bytes",
    "Memory that Redis uses, and its maxmemory (0: no limit).",
    ["kind"],
    multiprocess_mode=_LIVE,
)
REDIS_DAYS = Gauge(
    "dwgate_redis_days_of_events",
    "Days of events that fit in Redis at the rate of the last day; +Inf without a limit.",
    multiprocess_mode=_LIVE,
)
SHED = Counter("dwgate_shed_total", "Codes and events removed because Redis was nearly full.", ["what"])
CLOCK_SKEW = Gauge(
    "dwgate_clock_skew_seconds",
    "Seconds by which this machine's clock is ahead of that of Redis.",
    multiprocess_mode=_LIVE,
)
CHECKS_HUNG = Counter(
    "dwgate_checks_hung_total", "Runs of checks that were abandoned at their time limit.", ["check"]
)
SLOW_CHECKS = Counter("dwgate_slow_checks_total", "Checks moved to the slow queue.", ["reason"])
SLOW_CHECKS_WAITING = Gauge(
    "dwgate_slow_checks_waiting",
    "Messages of the fleet that wait for the slow queue or are in it.",
    multiprocess_mode=_LIVE,
)
TASKS_SPOOLED = Counter(
    "dwgate_tasks_spooled_total",
    "Tasks that the broker did not take, kept in Redis for the workers.",
    ["task"],
)
STALLED = Counter(
    "dwgate_processes_stalled_total", "Processes replaced because they made no progress.", ["group"]
)
WAIVED = Counter("dwgate_waived_total", "Findings that a waiver exempted.", ["check"])
SUPPRESSED = Counter("dwgate_suppressed_total", "Findings that a comment in the code suppressed.", ["rule"])
SUPPRESSIONS_REFUSED = Counter(
    "dwgate_suppressions_refused_total", "Suppressions that the policy did not allow.", ["rule"]
)
VERDICTS = Counter(
    "dwgate_verdicts_total", "Verdicts that DataWorks accepted.", ["event_code", "result", "reason"]
)
PLANS_WAITING = Gauge(
    "dwgate_plans_waiting",
    "Admitted events of the fleet that wait to be planned.",
    multiprocess_mode=_LIVE,
)
VERDICTS_WAITING = Gauge(
    "dwgate_verdicts_waiting",
    "Pending reports of the fleet that no reporter has leased.",
    multiprocess_mode=_LIVE,
)
MESSAGES_WAITING = Gauge(
    "dwgate_messages_waiting",
    "Messages of the fleet that wait in a queue of the broker.",
    ["queue"],
    multiprocess_mode=_LIVE,
)
RERUNS = Counter(
    "dwgate_reruns_total",
    "Reruns of answered events, by the accepted result and the one of the rerun, which is not posted.",
    ["event_code", "accepted", "result"],
)
REPORT_SECONDS = Histogram(
    "dwgate_answer_seconds",
    "From the arrival of an event to its verdict, requeues excluded.",
    ["event_code"],
    buckets=_SECONDS,
)
LATE = Counter(
    "dwgate_late_total", "Verdicts posted after their deadline, requeues excluded.", ["event_code"]
)
DEAD = Counter("dwgate_dead_total", "Events that could not be answered: requeue them.", ["event_code"])
RECOVERED = Counter(
    "dwgate_recovered_total",
    "Events that DataWorks was waiting for and that had never arrived, or were ignored.",
    ["event_code"],
)
MESSAGES_REFUSED = Counter(
    "dwgate_messages_refused_total", "Messages that could not be read, by the queue that had them.", ["queue"]
)
SWEEPS_FAILED = Counter(
    "dwgate_sweeps_failed_total",
    "Queries for waiting operations that failed, by extension point: their lost events are not found.",
    ["event_code"],
)
IGNORED = Counter("dwgate_ignored_total", "Events for which no operation waits for dwgate.", ["reason"])
TAKEN_OVER = Counter(
    "dwgate_taken_over_total",
    "Events that the watchdog planned, since no intake worker had in time.",
    ["event_code"],
)
UNPLANNED_SECONDS = Gauge(
    "dwgate_unplanned_seconds",
    "Age of the oldest event of the fleet that no worker has planned.",
    multiprocess_mode=_LIVE,
)
NOTIFICATIONS = Counter(
    "dwgate_notifications_total",
    "Notifications by kind and end: sent to a target, failed for good, or dropped.",
    ["kind", "end"],
)
DEAD_LETTERS = Counter("dwgate_dead_letters_total", "Messages that the broker dead-lettered.", ["task"])
# mostrecent: of a worker's processes, the last one that checked the file is right.
CONFIG_FILE_INVALID = Gauge(
    "dwgate_config_file_invalid",
    "1 while the policy file or the waivers file is invalid, 0 while it is in force.",
    ["file"],
    multiprocess_mode="mostrecent",
)
CONFIG_FILE_LOADED = Gauge(
    "dwgate_policy_loaded_timestamp_seconds",
    "When the policy or the waivers in force were loaded, in seconds since the epoch.",
    ["file"],
    multiprocess_mode="mostrecent",
)
OPTIONS_IGNORED = Counter(
    "dwgate_console_options_ignored_total",
    "Options set in the DataWorks console that were ignored: invalid, or not allowed by the policy.",
)


def rule_label(rule: str) -> str:
    """Return the label of a rule: its id, `PY-*` and the like for other rules of a linter, else `other`.

    A comment may name any number of rules, and each label value costs memory.
    """
    # Imported here since the watchdog, which is to start fast, counts no rules.
    from review.rules.external_rules import is_external, title_of  # noqa: PLC0415
    from review.rules.registry import BY_ID  # noqa: PLC0415

    if rule in BY_ID or title_of(rule) is not None:
        return rule
    return f"{rule[:2]}-*" if is_external(rule) else "other"


def finding_label(check: str, rule: str, *, is_built_in: bool) -> str:
    """Return the label of the rule of a finding.

    The ids of built-in checks are constants of their code. A check of a plug-in may use any: its name is the
    label instead.
    """
    label = rule_label(rule)
    if label != "other":
        return label
    return rule if is_built_in else check


def report_config_file(name: str, valid: bool) -> None:
    """Set the metrics of a configuration file that was loaded or rejected."""
    CONFIG_FILE_INVALID.labels(name).set(not valid)
    if valid:
        CONFIG_FILE_LOADED.labels(name).set_to_current_time()
