"""MC-S02: take nothing away that the script does not bring back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Gone, Removal, Script
from workers.review.places import Place
from workers.review.rules.rule import Rule

_TEMPORARY = re.compile(r"(?:^|_)(?:tmp|temp)(?:_|$)", re.IGNORECASE)
_REBUILDABLE = frozenset({Gone.TABLE, Gone.ROWS, Gone.PARTITION})


def _judge(script: Script) -> Iterator[tuple[Place, Severity, str]]:
    for index, statement in enumerate(script.statements):
        for removal in statement.removals:
            if not _brought_back(script, index, removal) and not removal.parameterised:
                yield removal.at, _severity(removal), _message(removal)


def _brought_back(script: Script, index: int, removal: Removal) -> bool:
    if removal.what not in _REBUILDABLE or not removal.name:
        return False
    return script.filled_after(index, removal.name) or script.made_before(index, removal.name)


def _severity(removal: Removal) -> Severity:
    of_table = removal.what in (Gone.TABLE, Gone.ROWS, Gone.COLUMN)
    temporary = of_table and _TEMPORARY.search(removal.name.rpartition(".")[2])
    return Severity.WARN if temporary or removal.what is Gone.PARTITION else Severity.BLOCK


def _message(removal: Removal) -> str:
    name = removal.name or "a name that could not be read"
    match removal.what:
        case Gone.ROWS:
            return f"TRUNCATE removes every row of {name}."
        case Gone.PARTITION:
            return f"A partition of {name} is removed that no scheduling parameter names."
        case Gone.COLUMN:
            return f"A column of {name} is dropped with its data."
        case _:
            return f"DROP {removal.what.upper()} removes {name} and its data."


RULE = Rule(
    id="MC-S02",
    title="Do not drop or truncate data that the script does not rebuild.",
    why="A scheduled node runs again and again; what it removes may be the only copy.",
    help="Rebuild it in the same script, name a partition by a parameter, or do it by hand once.",
    judge=_judge,
)
