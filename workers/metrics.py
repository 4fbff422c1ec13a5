"""What the workers count. Labels are names of ours, never anything from an event's data."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

TASKS = Counter("dwgate_tasks_total", "Tasks by name and how they ended.", ["task", "end"])
TASK_SECONDS = Histogram("dwgate_task_seconds", "How long a task ran.", ["task"], buckets=_SECONDS)
CHECKS = Counter("dwgate_checks_total", "Check outcomes.", ["check", "outcome"])
VERDICTS = Counter(
    "dwgate_verdicts_total", "Verdicts that DataWorks took.", ["event_code", "result", "reason"]
)
ANSWER_SECONDS = Histogram(
    "dwgate_answer_seconds", "From the arrival of an event to its answer.", ["event_code"], buckets=_SECONDS
)
LATE = Counter("dwgate_late_total", "Verdicts posted after their deadline.", ["event_code"])
DEAD = Counter("dwgate_dead_total", "Events that could not be answered: requeue them.", ["event_code"])
RECOVERED = Counter("dwgate_recovered_total", "Events found waiting that had never arrived.", ["event_code"])
DEAD_LETTERS = Counter("dwgate_dead_letters_total", "Messages that the broker gave up.", ["task"])
