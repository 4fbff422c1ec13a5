"""Facts of a data integration node."""

from dataclasses import dataclass

from review.facts.base import Span


@dataclass(frozen=True, slots=True)
class JobProblem:
    """A structural fault of a data integration job; the path of the job itself is empty."""

    at: Span
    path: str
    problem: str
    problem_zh: str


@dataclass(frozen=True, slots=True)
class Step:
    """A reader, writer or other step of a job.

    Attributes:
        at: its step type.
        category: `reader`, `writer` or another, in lower case.
        kind: its step type (`odps`, `mysql`), in lower case.
        parameter: its parameters as plain JSON values.
        places: positions of the parameters by their path: ("column", 0).
    """

    at: Span
    category: str
    kind: str
    parameter: dict[str, object]
    places: dict[tuple[str | int, ...], Span]


@dataclass(frozen=True, slots=True)
class Job:
    """A data integration job in script mode.

    Attributes:
        steps: in order.
        problems: violations of its schema.
        error_limit: whether it limits the number of records that may fail.
        setting: position of its `setting`; None if it has none.
    """

    steps: tuple[Step, ...] = ()
    problems: tuple[JobProblem, ...] = ()
    error_limit: bool = True
    setting: Span | None = None
