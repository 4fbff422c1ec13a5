"""What the workers count. Labels are names of ours, never anything from an event's data."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

TASKS = Counter("dwgate_tasks_total", "Tasks by name and how they ended.", ["task", "end"])
TASK_SECONDS = Histogram("dwgate_task_seconds", "How long a task ran.", ["task"], buckets=_SECONDS)
CHECKS = Counter("dwgate_checks_total", "Check outcomes.", ["check", "outcome"])
WAIVED = Counter("dwgate_waived_total", "Findings that a waiver let pass.", ["check"])
VERDICTS = Counter(
    "dwgate_verdicts_total", "Verdicts that DataWorks took.", ["event_code", "result", "reason"]
)
VERDICTS_WAITING = Gauge(
    "dwgate_verdicts_waiting",
    "Verdicts of the fleet that no reporter has taken.",
    multiprocess_mode="mostrecent",
)
REPORT_SECONDS = Histogram(
    "dwgate_answer_seconds", "From the arrival of an event to its answer.", ["event_code"], buckets=_SECONDS
)
LATE = Counter("dwgate_late_total", "Verdicts posted after their deadline.", ["event_code"])
DEAD = Counter("dwgate_dead_total", "Events that could not be answered: requeue them.", ["event_code"])
RECOVERED = Counter("dwgate_recovered_total", "Events found waiting that had never arrived.", ["event_code"])
DEAD_LETTERS = Counter("dwgate_dead_letters_total", "Messages that the broker gave up.", ["task"])
# Of the processes of a worker, the one that looked last knows best.
CONFIG_FILE_INVALID = Gauge(
    "dwgate_config_file_invalid",
    "1 while a policy's or waivers' file is refused, 0 while it is in force.",
    ["file"],
    multiprocess_mode="mostrecent",
)
CONFIG_FILE_LOADED = Gauge(
    "dwgate_policy_loaded_timestamp_seconds",
    "When the policy or the waivers in force were read, in seconds since the epoch.",
    ["file"],
    multiprocess_mode="mostrecent",
)
OPTIONS_IGNORED = Counter(
    "dwgate_console_options_ignored_total",
    "Options set in the DataWorks console that an event did not get: not understood, or not allowed.",
)


def report_config_file(name: str, valid: bool) -> None:
    """Set the metrics of a configuration file that was loaded or found invalid."""
    CONFIG_FILE_INVALID.labels(name).set(not valid)
    if valid:
        CONFIG_FILE_LOADED.labels(name).set_to_current_time()
