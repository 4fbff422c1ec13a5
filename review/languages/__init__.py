"""Node code that is not SQL: the SQL embedded in it, facts for rules, and findings of external linters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from review.dialects import Dialect
from review.errors import LANGUAGE_UNKNOWN
from review.facts import Comment, Span, Statement
from review.facts.data_integration import Job
from review.facts.python import PythonFacts
from review.facts.shell import ShellFacts
from review.languages.embedded import Sql, blank_layout, insertions_of, run_offsets
from review.languages.external.external_diagnostic import ExternalDiagnostic
from review.source.insertions import Insertion

__all__ = [
    "EmbeddedCode",
    "EmbeddedScript",
    "ExternalDiagnostic",
    "parse_embedded",
    "run_external_linter",
    "run_linter_ahead",
]


@dataclass(frozen=True, slots=True)
class EmbeddedScript:
    """The SQL of one dialect within code of another language.

    Attributes:
        text: as long as the code, with newlines at the same offsets: each SQL literal is at its own offsets
            and followed by a `;`, everything else is blank. The spans of the facts read from it are therefore
            valid in the code. A value inserted at run time (`{x}` of an f-string, `%s`, `$1`) is written as a
            nameless scheduling parameter (`$[ppp]`).
        dialect: the dialect of the SQL.
        insertions: what the placeholders of `text` stand for, in order.
        run_at: for the span of each SQL literal the offset of the first command or call that runs it.
    """

    text: str
    dialect: Dialect
    insertions: tuple[Insertion, ...] = ()
    run_at: Mapping[Span, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EmbeddedCode:
    """All facts of code that is not SQL.

    Attributes:
        embedded: its SQL, at least one text per dialect; read each, and sort the statements by what runs
            them first.
        unread: statements for code that could not be parsed (a syntax error, Python 2); MC-C19 reports them.
        comments: those of the language itself.
    """

    embedded: tuple[EmbeddedScript, ...] = ()
    unread: tuple[Statement, ...] = ()
    comments: tuple[Comment, ...] = ()
    python: PythonFacts = field(default_factory=PythonFacts)
    shell: ShellFacts = field(default_factory=ShellFacts)
    job: Job = field(default_factory=Job)


def parse_embedded(code: str, dialect: Dialect, deadline: float) -> EmbeddedCode:
    """Return the facts of `code`; an empty `EmbeddedCode` for SQL. No code makes this raise.

    Args:
        code: the node's code as its author wrote it.
        dialect: the language of `code`.
        deadline: when to stop, by `time.monotonic()`; the rest is `unread`.
    """
    # Each language is imported when there is code in it: most nodes are SQL.
    if dialect is Dialect.PYTHON:
        from review.languages.python import python_node  # noqa: PLC0415

        node = python_node.read_python(code, deadline)
        return EmbeddedCode(
            _embedded_scripts(code, node.literals), node.unread, node.comments, python=node.facts
        )
    if dialect is Dialect.SHELL:
        from review.languages.shell import shell_node  # noqa: PLC0415

        script = shell_node.read_shell(code, deadline)
        return EmbeddedCode(
            _embedded_scripts(code, script.literals), script.unread, script.comments, shell=script.facts
        )
    if dialect is Dialect.DI:
        from review.languages.data_integration import data_integration_job  # noqa: PLC0415

        task = data_integration_job.read_job(code)
        return EmbeddedCode(unread=task.unread, job=task.job)
    if dialect is Dialect.UNKNOWN:
        return EmbeddedCode(unread=(Statement(Span(0, len(code)), unread=LANGUAGE_UNKNOWN),))
    return EmbeddedCode()


def run_external_linter(code: str, dialect: Dialect, seconds: float) -> Iterator[ExternalDiagnostic]:
    """Yield the findings of the external linter for `dialect`; nothing if there is none.

    Python is checked by ruff, shell by shellcheck, Hologres by squawk. Each is a short-lived process that
    reads standard input and has `seconds` to finish. A linter that is missing, fails or times out yields one
    finding that reports it.
    """
    match dialect:
        case Dialect.PYTHON:
            from review.languages.external import ruff  # noqa: PLC0415
            from review.languages.python import python_node  # noqa: PLC0415

            yield from ruff.run_ruff(code, seconds) if python_node.is_python3(code) else ()
        case Dialect.SHELL:
            from review.languages.external import shellcheck  # noqa: PLC0415

            yield from shellcheck.run_shellcheck(code, seconds)
        case Dialect.HOLOGRES:
            from review.languages.external import squawk  # noqa: PLC0415

            yield from squawk.run_squawk(code, seconds)
        case _:
            pass


def run_linter_ahead(codes: Iterable[str], dialect: Dialect, seconds: float) -> None:
    """Run the external linter for `dialect` once on several scripts.

    `run_external_linter` then has its findings without another process. It does nothing for a language whose
    linter reads one script at a time.
    """
    match dialect:
        case Dialect.PYTHON:
            from review.languages.external import ruff  # noqa: PLC0415
            from review.languages.python import python_node  # noqa: PLC0415

            ruff.run_ruff_ahead(filter(python_node.is_python3, codes), seconds)
        case Dialect.SHELL:
            from review.languages.external import shellcheck  # noqa: PLC0415

            shellcheck.run_shellcheck_ahead(codes, seconds)
        case _:
            pass


def _embedded_scripts(code: str, literals: tuple[Sql, ...]) -> tuple[EmbeddedScript, ...]:
    """Return a script for each dialect; further ones if a literal is run with several inserted values."""
    variants: Counter[tuple[Dialect, int]] = Counter()
    scripts: dict[tuple[Dialect, int], list[Sql]] = {}
    for sql in literals:
        place = sql.dialect, sql.at.begin
        scripts.setdefault((sql.dialect, variants[place]), []).append(sql)
        variants[place] += 1
    return tuple(
        EmbeddedScript(blank_layout(code, some), dialect, insertions_of(some), run_offsets(some))
        for (dialect, _), some in sorted(scripts.items(), key=lambda item: item[0])
    )
