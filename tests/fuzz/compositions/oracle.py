"""What must hold of a review: every statement is read or reported, and no effect vanishes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from review.content.flow_spec import document_scripts
from review.content.node_script import NodeScript
from review.content.notebook import node_scripts
from review.context import ReviewContext
from review.dialects import Dialect, lexical_rules
from review.facts import Script, Span
from review.rules.api import Hit
from review.source.parameter_mask import mask_parameters
from tests.fuzz.compositions.composition import Composition, Effect
from tests.fuzz.review_oracle import read_and_check

_DELETIONS = frozenset({"MC-S02", "MC-C14", "PY-007"})
"""Rules that report that data is deleted."""
_UNREAD = frozenset({"SH-004", "PY-005"})
"""Rules that report SQL that was not read."""
_GROUPING = frozenset({"BEGIN", "END", "ELSE"})
"""Words that group statements of script mode and belong to none."""
_SEPARATORS = re.compile(
    r"^[ \t]*(?:(?:go|/)[ \t]*(?:\d+[ \t]*)?\r?|delimiter[ \t].*)$", re.IGNORECASE | re.MULTILINE
)
_PROGRAM = re.compile(r"#CODE\b.*?#END[ \t]+CODE\b", re.IGNORECASE | re.DOTALL)
"""A program that defines functions for a script: it changes no tables."""


def check_script(dialect: Dialect, composition: Composition) -> None:
    """Check a script of `dialect`.

    Raises:
        AssertionError: a statement is neither read nor reported, or an effect has no finding at its place.
    """
    script, hits = read_and_check(composition.code, dialect, ReviewContext())
    check_statements(script)
    reported = [hit for rule, hit in hits if rule == "MC-C19"]
    unread = [statement for statement in script.statements if statement.unread is not None]
    assert len(reported) == len(unread), "an unread statement has no finding"
    if dialect.sql:
        check_every_character(script)
    for effect in composition.effects:
        place = Span(effect.begin, effect.end)
        assert _is_reported(effect.table, place, script, hits), f"nothing is said of {effect.table}"


def check_content(composition: Composition) -> None:
    """Check the content of a file: each effect is in one of its scripts, and is reported there.

    Raises:
        AssertionError: an effect is not in the scripts, or has no finding.
    """
    scripts = document_scripts(composition.code) or node_scripts(composition.code, composition.file_type)
    found = [(script, *read_and_check(script.code, script.dialect, ReviewContext())) for script in scripts]
    for _, script, _ in found:
        check_statements(script)
    for effect in composition.effects:
        assert any(
            _is_reported(effect.table, at, script, hits)
            for node, script, hits in found
            for at in _places(effect, node)
        ), f"nothing is said of {effect.table}"


def check_statements(script: Script) -> None:
    """Check that each statement is either read or unread, and that no reader failed on it."""
    for statement in script.statements:
        assert "could not be analyzed" not in (statement.unread or ""), statement.unread
        assert (statement.unread is None) != (statement.read_as is None), statement.at


def check_every_character(script: Script) -> None:
    """Check that each character of SQL belongs to a statement, a comment or what separates statements."""
    rest = list(mask_parameters(script.code, lexical_rules(script.dialect)).text)
    for begin, end in [item.at for item in script.comments] + [item.at for item in script.statements]:
        rest[begin:end] = " " * (end - begin)
    left = _SEPARATORS.sub(" ", _PROGRAM.sub(" ", "".join(rest)))
    # A line DELIMITER may make anything the mark that ends statements.
    marks = re.findall(r"^[ \t]*delimiter[ \t]+(\S{1,15})", script.code, re.IGNORECASE | re.MULTILINE)
    for mark in (*sorted(marks, key=len, reverse=True), ";"):
        left = left.replace(mark, " ")
    assert set(left.upper().split()) <= _GROUPING, f"nothing is said of {left.split()[0]}"


def _places(effect: Effect, node: NodeScript) -> Iterator[Span]:
    """Yield where a script has the code with an effect, or the lines with its table if it was changed."""
    at = node.code.find(effect.carrier) if effect.carrier else -1
    if at >= 0:
        yield Span(at, at + len(effect.carrier))
        return
    for match in re.finditer(rf"\b{effect.table}\b", node.code):
        begin = node.code.rfind("\n", 0, match.start()) + 1
        end = node.code.find("\n", match.end())
        yield Span(begin, len(node.code) if end < 0 else end)


def _is_reported(table: str, place: Span, script: Script, hits: Iterable[tuple[str, Hit]]) -> bool:
    named = re.compile(rf"\b{table}\b")
    for rule, hit in hits:
        within = hit.at.begin < place.end and hit.at.end > place.begin
        about = rule in _DELETIONS and (named.search(hit.message.en) or not hit.key)
        if within and (about or rule in _UNREAD):
            return True
    return any(
        statement.unread is not None and statement.at.begin < place.end and statement.at.end > place.begin
        for statement in script.statements
    )
