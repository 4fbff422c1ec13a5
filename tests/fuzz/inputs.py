"""The inputs of the fuzz targets: mutations of the corpus, and compositions."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from review.dialects import Dialect
from tests.fuzz.compositions.composition import Composition, Make
from tests.fuzz.compositions.content_carriers import compose_flow_spec, compose_node, compose_notebook
from tests.fuzz.compositions.python_carriers import compose_python
from tests.fuzz.compositions.shell_carriers import compose_shell
from tests.fuzz.compositions.sql_carriers import compose_sql
from tests.fuzz.mutations import PIECES, mutated_bytes

MAKERS: Mapping[str, Make] = {
    **{f"effects-{dialect}": partial(compose_sql, dialect=dialect) for dialect in Dialect if dialect.sql},
    "effects-shell": compose_shell,
    "effects-python": compose_python,
    "effects-notebook": compose_notebook,
    "effects-flow_spec": compose_flow_spec,
    "effects-node": compose_node,
}
"""What composes the inputs of a target."""

_MUTATED = 0.3
"""Share of the compositions that are mutated; what they delete is not known then."""


def new_input(rng: random.Random, target: str, seeds: Sequence[bytes]) -> bytes:
    """Return an input of `target`, of which `seeds` are examples."""
    make = MAKERS.get(target)
    if make is None:
        return mutated_bytes(rng, seeds, PIECES)
    made = make(rng)
    return (_mutated(rng, made) if rng.random() < _MUTATED else made).to_bytes()


def composed_seeds(target: str) -> list[bytes]:
    """Return a few compositions for a target; none for one that has a corpus."""
    make = MAKERS.get(target)
    rng = random.Random(1)  # noqa: S311 - no secret
    return [make(rng).to_bytes() for _ in range(3)] if make else []


def _mutated(rng: random.Random, made: Composition) -> Composition:
    code = mutated_bytes(rng, [made.code.encode()], PIECES).decode("utf-8", "replace")
    return replace(made, code=code, effects=())
