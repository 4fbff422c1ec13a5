"""Attack strings for a pattern: texts that it can read in many ways, found in its automaton.

A pattern takes exponential time if one text leads from a position back to itself on two ways, and polynomial
time if one text leads from a position to itself, from there to another, and from that one to itself.
Source: Weideman et al., "Analyzing Matching Time Behavior of Backtracking Regular Expression Matchers by
Using Ambiguity of NFA", CIAA 2016.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tests.redos.automaton import START, Automaton

_MAX_VISITED = 20_000
"""Maximum states of one search."""
_PER_CYCLE = 12
"""Positions of each cycle that are tried."""

Word = str
_State = tuple[int, ...]
_Next = Callable[[_State], Iterable[tuple[_State, int]]]


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that is ambiguous the more often `pump` is repeated after `prefix`."""

    prefix: str
    pump: str


def find_attacks(made: Automaton) -> tuple[Attack, ...]:
    """Return the attacks on a pattern, without duplicates."""
    return tuple(dict.fromkeys(_Search(made).attacks()))


class _Search:
    def __init__(self, made: Automaton) -> None:
        self._made = made
        self._reached = [self._reach(at) for at in range(len(made.steps))]
        cycles: dict[frozenset[int], list[int]] = {}
        for at, reached in enumerate(self._reached):
            if at in reached:
                same = frozenset(other for other in reached if at in self._reached[other])
                cycles.setdefault(same, []).append(at)
        self._cycles = cycles

    def attacks(self) -> Iterator[Attack]:
        for cycle, members in self._cycles.items():
            for one in members[:_PER_CYCLE]:
                if pump := self._doubled(one, cycle):
                    yield Attack(self._prefix(one), pump)
                for other_cycle, others in self._cycles.items():
                    for other in others[:_PER_CYCLE]:
                        if other == one or other not in self._reached[one]:
                            continue
                        if pump := self._passed(one, cycle, other, other_cycle):
                            yield Attack(self._prefix(one), pump)

    def _reach(self, begin: int) -> frozenset[int]:
        found: set[int] = set()
        waiting = [begin]
        while waiting:
            for other in self._made.steps[waiting.pop()]:
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return frozenset(found)

    def _prefix(self, at: int) -> Word:
        if at == START:
            return ""
        return self._word((START,), lambda state: state == (at,), self._steps_one, empty=False) or ""

    def _steps_one(self, state: _State) -> Iterator[tuple[_State, int]]:
        for other, edge in self._made.steps[state[0]].items():
            if other != START:
                yield (other,), edge.letters

    def _doubled(self, at: int, cycle: frozenset[int]) -> Word | None:
        """Return a word with two ways from `at` back to itself."""
        # The third number of a state tells whether the two ways have separated.

        def steps(state: _State) -> Iterator[tuple[_State, int]]:
            one, other, apart = state
            for first, edge in self._made.steps[one].items():
                for second, edge2 in self._made.steps[other].items():
                    letters = edge.letters & edge2.letters
                    if letters and first in cycle and second in cycle:
                        twice = one == other and first == second and edge.ways > 1
                        yield (first, second, int(apart or twice or first != second)), letters

        return self._word((at, at, 0), lambda state: state == (at, at, 1), steps)

    def _passed(self, one: int, cycle: frozenset[int], other: int, end: frozenset[int]) -> Word | None:
        """Return a word that leads from `one` to itself, from `one` to `other`, and from there to itself."""

        def steps(state: _State) -> Iterator[tuple[_State, int]]:
            left, middle, right = state
            for first, edge in self._made.steps[left].items():
                if first not in cycle:
                    continue
                for third, edge3 in self._made.steps[right].items():
                    both = edge.letters & edge3.letters
                    if third not in end or not both:
                        continue
                    for second, edge2 in self._made.steps[middle].items():
                        letters = both & edge2.letters
                        if letters and (second == other or other in self._reached[second]):
                            yield (first, second, third), letters

        return self._word((one, one, other), lambda state: state == (one, other, other), steps)

    def _word(
        self, begin: _State, is_end: Callable[[_State], bool], steps: _Next, *, empty: bool = False
    ) -> Word | None:
        """Return the shortest word from `begin` to an end; None if there is none."""
        if empty and is_end(begin):
            return ""
        before: dict[_State, tuple[_State, int]] = {}
        waiting = deque([begin])
        while waiting and len(before) < _MAX_VISITED:
            state = waiting.popleft()
            for other, letters in steps(state):
                if other in before:
                    continue
                before[other] = state, letters
                if is_end(other):
                    return self._spelled(begin, other, before)
                waiting.append(other)
        return None

    def _spelled(self, begin: _State, end: _State, before: dict[_State, tuple[_State, int]]) -> Word:
        word = []
        state = end
        while True:
            state, letters = before[state]
            word.append(self._made.letter(letters))
            if state == begin:
                return "".join(reversed(word))
