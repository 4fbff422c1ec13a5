"""Node code that is not SQL: the SQL within it, what rules need to know of it, what outside tools say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from review.dialects import Dialect
from review.facts import Comment, Statement
from review.facts.data_integration import Job
from review.facts.python import PythonFacts
from review.facts.shell import ShellFacts
from review.languages.data_integration import data_integration_job
from review.languages.embedded import Sql, sheet, shown
from review.languages.external import ruff, shellcheck, squawk
from review.languages.external.external_tool import OutsideHit
from review.languages.python import python_node
from review.languages.shell import shell_node

__all__ = ["Embedded", "Inside", "OutsideHit", "inside", "outside"]


@dataclass(frozen=True, slots=True)
class Embedded:
    """The SQL of one dialect within code of another language.

    Attributes:
        text: exactly as long as the code, newlines at the same offsets: each SQL literal stands at its own
            offsets, everything else is blank, and a `;` stands behind each literal. So reading it gives facts
            whose spans are right in the code. What is put in when it runs (`{x}` of an f-string, `%s`, `$1`)
            is written there as a nameless scheduling parameter (`$[ppp]`).
        dialect: the dialect of the SQL.
        shown: the code as messages may show it: where `text` has a hole, what is put in, in braces at least.
    """

    text: str
    dialect: Dialect
    shown: str


@dataclass(frozen=True, slots=True)
class Inside:
    """All that is known of code that is not SQL.

    Attributes:
        embedded: the SQL in it, one text for each dialect; read each, and put the statements in order.
        unread: statements that stand for what could not be read (a syntax error, Python 2); MC-C19 says them.
        comments: of the language itself.
    """

    embedded: tuple[Embedded, ...] = ()
    unread: tuple[Statement, ...] = ()
    comments: tuple[Comment, ...] = ()
    python: PythonFacts = field(default_factory=PythonFacts)
    shell: ShellFacts = field(default_factory=ShellFacts)
    job: Job = field(default_factory=Job)


def inside(code: str, dialect: Dialect, until: float) -> Inside:
    """Return what is known of `code`; an empty `Inside` for SQL. No code makes it raise.

    Args:
        code: the node's code as its author wrote it.
        dialect: the language of `code`.
        until: when to stop looking, by `time.monotonic()`; what is left is `unread`.
    """
    if dialect is Dialect.PYTHON:
        node = python_node.read(code, until)
        return Inside(_sheets(code, node.literals), node.unread, node.comments, python=node.facts)
    if dialect is Dialect.SHELL:
        script = shell_node.read(code, until)
        return Inside(_sheets(code, script.literals), script.unread, script.comments, shell=script.facts)
    if dialect is Dialect.DI:
        task = data_integration_job.read(code)
        return Inside(unread=task.unread, job=task.job)
    return Inside()


def outside(code: str, dialect: Dialect, seconds: float) -> Iterator[OutsideHit]:
    """Yield what the outside tool for `dialect` says of `code`; nothing where there is none for it.

    Python is for ruff, shell for shellcheck, Hologres for squawk. Each is one short process that reads
    standard input; it has `seconds` to answer. A tool that is missing, fails or is too slow gives one hit
    that says so.
    """
    match dialect:
        case Dialect.PYTHON:
            yield from ruff.hits(code, seconds) if python_node.is_python3(code) else ()
        case Dialect.SHELL:
            yield from shellcheck.hits(code, seconds)
        case Dialect.HOLOGRES:
            yield from squawk.hits(code, seconds)
        case _:
            pass


def _sheets(code: str, literals: tuple[Sql, ...]) -> tuple[Embedded, ...]:
    by_dialect = {
        dialect: [sql for sql in literals if sql.dialect is dialect]
        for dialect in sorted({sql.dialect for sql in literals})
    }
    return tuple(
        Embedded(sheet(code, some), dialect, shown(code, some)) for dialect, some in by_dialect.items()
    )
