"""A short run of every fuzz target: its corpus, and mutations of it. `make fuzz` runs for longer."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import FOLDER, files_of, save_failure, seeds_of
from tests.fuzz.mutations import PIECES, mutated_bytes
from tests.fuzz.targets import TARGETS, signed_request

EXAMPLES = 25


def run(target: str, data: bytes) -> None:
    """Run a target; save the input to the corpus if it fails."""
    try:
        TARGETS[target](data)
    except Exception as error:
        save_failure(target, data, error)
        raise


@pytest.mark.parametrize("target", TARGETS)
def test_target_holds_for_its_corpus(target: str) -> None:
    seeds = seeds_of(target)
    assert seeds
    for data in (b"", *seeds):
        run(target, data)


@pytest.mark.parametrize("target", TARGETS)
def test_target_holds_for_mutations_of_its_corpus(target: str) -> None:
    seeds = seeds_of(target)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.integers(0, 2**63))
    def holds(seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - no secret
        run(target, mutated_bytes(rng, seeds, PIECES))

    holds()


def test_every_folder_of_the_corpus_belongs_to_a_target() -> None:
    used = {path.parent for target in TARGETS for path in files_of(target)}
    assert used == {folder for folder in FOLDER.iterdir() if any(folder.iterdir())}


def test_the_signed_request_is_authentic_and_a_changed_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    request = signed_request()
    run("signature", request)
    monkeypatch.setattr("tests.fuzz.targets.SIGNED_BODY", b"another body")
    with pytest.raises(AssertionError):
        TARGETS["signature"](request)
