"""A short run of every fuzz target: its corpus, and new inputs. `make fuzz` runs for longer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.__main__ import fuzz
from tests.fuzz.corpus import FOLDER, files_of, save_failure, seeds_of
from tests.fuzz.inputs import MAKERS, new_input
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
    for data in (*(() if target in MAKERS else (b"",)), *seeds):
        run(target, data)


@pytest.mark.parametrize("target", TARGETS)
def test_target_holds_for_new_inputs(target: str) -> None:
    seeds = seeds_of(target)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.integers(0, 2**63))
    def holds(seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - no secret
        run(target, new_input(rng, target, seeds))

    holds()


def test_every_folder_of_the_corpus_belongs_to_a_target() -> None:
    used = {path.parent for target in TARGETS for path in files_of(target)}
    assert used == {folder for folder in FOLDER.iterdir() if any(folder.iterdir())}


def test_the_first_input_that_fails_at_a_place_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = iter((b"first", b"second"))

    def fail(_data: bytes) -> None:
        raise ValueError

    monkeypatch.setitem(TARGETS, "source", fail)
    monkeypatch.setattr("tests.fuzz.corpus.FOLDER", tmp_path)
    monkeypatch.setattr("tests.fuzz.__main__.new_input", lambda *_: next(inputs))
    with pytest.raises(StopIteration):
        fuzz(["source"], seconds=60, seed=1, current=tmp_path / "current")
    (file,) = (tmp_path / "source").iterdir()
    assert file.read_bytes() == b"first"


def test_the_signed_request_is_authentic_and_a_changed_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    request = signed_request()
    run("signature", request)
    monkeypatch.setattr("tests.fuzz.targets.SIGNED_BODY", b"another body")
    with pytest.raises(AssertionError):
        TARGETS["signature"](request)
