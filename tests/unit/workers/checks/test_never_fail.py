"""For any input a check ends with findings of bounded length, and a failed lookup never passes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.events import Event
from common.extension_points import BY_CODE
from common.plan import Plan
from common.snapshot import Column, FileSnapshot, Snapshot, TableSnapshot
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, OutcomeKind
from tests.support import plain_yaml
from workers.checks import finding_builders, registry
from workers.dataworks.errors import AccessDenied, DataWorksError, RequestRejected, Throttled, Transient
from workers.dataworks.models import (
    Baseline,
    ColumnRef,
    Consumer,
    Node,
    NodeOutput,
    ProducingTask,
    TableInfo,
    TableRef,
)
from workers.pipeline import planner
from workers.pipeline.check_runner import CheckRunner, describe_fault
from workers.pipeline.decision import decide_verdict
from workers.pipeline.tip import MAX_LENGTH
from workers.policy import policy
from workers.policy_testing.fake_lookups import FakeLookups
from workers.policy_testing.world import CaseWorld

CHECKS = registry.load_checks()
POLICY = policy.load_policy(None, CHECKS)
SAMPLES = Path(__file__).parents[4] / "emulator/samples/bodies.yaml"
BODIES: dict[str, dict[str, Any]] = plain_yaml.load(SAMPLES.read_bytes())
NOW = 1795140000.0

HUGE = 10**40
PERIODS = '[{"bizBeginTime": "0001-01-01", "bizEndTime": "9999-12-31"}]'
ODD: tuple[Any, ...] = (
    *(None, "", [], {}, HUGE, -1, 1.5, True, math.nan, math.inf, "x", "9" * 5000, "表" * 3000),
    *([None], [[]], [{}], [HUGE], {"a": None}, "null", "[1]", PERIODS, "[" * 5000, "*" * 50, "\ud800"),
)
TEXTS = (
    *("", " ", ".", "..", "odps.", "odps..", "odps.shop.dws_trade_user_1d", "shop.dws_trade_user_1d", "表"),
    *("x", "A.B.C.D.E", "{0}", "%s", "²", "12", "9" * 5000, "a" * 3000, "\ud800", "\0"),
)
CODE = (
    *("", " ", "{}", "[]", "select from (((", "\0'", "insert into ${p}.${t} select * from ${q}.${r}"),
    "insert overwrite table shop.dws_trade_user_1d select a, null from shop.ods_x join shop.y",
    "drop table dws_trade_user_1d; alter table shop.t drop columns (a); create table shop.u (x int)",
    f"insert into {'表' * 900} values (1); drop table shop.{'z' * 3000}",  # noqa: S608 - no database near
    "insert into t (a) values (1); alter table shop.t change column a b bigint",
)
TYPES = ("", "string", "decimal(", "decimal(x,y)", f"varchar({'9' * 5000})", "array<", "struct<a:int,b:", "²")
CRONS = (None, "", "x", "00 30 00 * * ?", "0 0 * * * ?", "0 */5 */0 * * ?", "0 1/1 2-1 * * ?", "² ² ² * * ?")


def replaced(value: Any, odd: Any) -> Iterator[Any]:
    """Yield `value` with each of its parts, at any depth, replaced by `odd`."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, part in pairs:
        for other in (odd, *(replaced(part, odd) if isinstance(part, dict | list) else ())):
            if isinstance(value, dict):
                yield {**value, key: other}
            else:
                yield [*value[:key], other, *value[key + 1 :]]


@dataclass
class Odd:
    """Lookups that return random values of the right types, and sometimes fail."""

    dice: random.Random
    faults: bool = True

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answer = getattr(self, f"_{name}")

        def ask(*arguments: Any) -> Any:
            if self.faults and self.dice.random() < 0.1:
                raise self.dice.choice([RequestRejected, AccessDenied, Throttled])("Get", "c" * 900)
            return answer(*arguments)

        return ask

    def _node_children(self, *_: Any) -> tuple[Node, ...]:
        return self.some(lambda: self._node(self.number()))

    _node_parents = _node_children

    def _node(self, number: int, *_: Any) -> Node:
        text, pick = self.text, self.dice.choice
        state, times = pick([None, "NORMAL", "PAUSE", ""]), pick([None, 1, 8, -1])
        kind, again = pick([None, "ODPS_SQL"]), pick([None, True, False])
        on = pick([None, 1, HUGE])
        return Node(
            number,
            text(),
            text(),
            self.number(),
            kind,
            state,
            on,
            times,
            pick([True, False]),
            pick(CRONS),
            again,
        )

    def _node_code(self, *_: Any) -> str:
        return self.dice.choice(CODE)

    def _node_inputs(self, *_: Any) -> tuple[NodeOutput, ...]:
        return self.some(lambda: NodeOutput(self.text(), None, self.text()))

    _node_outputs = _node_inputs

    def _nodes_by_output(self, names: Any, *_: Any) -> dict[str, tuple[Node, ...]]:
        return {name: self._node_children() for name in names if self.dice.random() < 0.8}

    def _baseline(self, number: int) -> Baseline:
        return Baseline(number, self.text(), self.dice.choice([None, 8]), self.text())

    def _downstream_columns(self, *_: Any) -> tuple[ColumnRef, ...]:
        return self.some(lambda: ColumnRef(self.text(), self.text(), self.text(), self.text()))

    def _consumers(self, *_: Any) -> tuple[Consumer, ...]:
        return self.some(lambda: Consumer(self.text()))

    def _producing_tasks(self, *_: Any) -> tuple[ProducingTask, ...]:
        return self.some(lambda: ProducingTask(self.text(), self.text()))

    def _downstream_tables(self, *_: Any) -> tuple[TableRef, ...]:
        return self.some(lambda: TableRef(self.text(), self.text(), self.text()))

    def _table_info(self, guid: str) -> TableInfo:
        return TableInfo(guid, self.number(), self.columns(), lifecycle=self.dice.choice([None, 0, 9, HUGE]))

    def _deployed_code(self, *_: Any) -> str | None:
        return self.dice.choice([None, *CODE])

    def some(self, make: Callable[[], Any]) -> tuple[Any, ...]:
        return tuple(make() for _ in range(self.dice.choice([0, 1, 3])))

    def text(self) -> str:
        return self.dice.choice(TEXTS)

    def number(self) -> int:
        return self.dice.choice([0, -1, 1, 2, 93124, 700123401, HUGE])

    def columns(self) -> tuple[Column, ...]:
        pick = self.dice.choice
        return self.some(
            lambda: Column(self.text(), pick(TYPES), "", pick([True, False]), pick([True, False]))
        )

    def snapshot(self) -> Snapshot:
        pick, text = self.dice.choice, self.text
        file = FileSnapshot(
            pick([None, 5]),
            text(),
            pick([None, 0, 6, 10, 23, 99, 221, 1093, HUGE]),
            pick(CODE),
            node_id=self.number(),
            change_type=pick([None, "UPDATE", ""]),
            parameters=text(),
            rerun_mode=pick([None, "ALL_ALLOWED", ""]),
            scheduler=pick([None, "NORMAL", "PAUSE", "MANUAL", ""]),
            cron=pick(CRONS),
            inputs=self.some(text),
            outputs=self.some(text),
        )
        return Snapshot(
            file, TableSnapshot(text(), pick([None, "DEV"]), text(), pick([None, -1]), None, self.columns())
        )


def planned(event: Event) -> Plan:
    return planner.build_plan(event, POLICY, CHECKS, Snapshot())


def event_of(code: str, data: dict[str, Any]) -> Event:
    return Event("m-1", code, 93124, "1923", True, data, NOW)


def runner_for(event: Event, snapshot: Snapshot, lookups: Any) -> CheckRunner:
    return CheckRunner(event, snapshot, Language.ENGLISH, lookups=lookups, clock=lambda: NOW)


def held(event: Event, snapshot: Snapshot, lookups: Any) -> None:
    """Run all checks of the built-in policy, and assert that their findings and the tip are bounded."""
    plan, outcomes = planned(event), dict[str, Outcome]()
    runner = runner_for(event, snapshot, lookups)
    for item in plan.checks:
        try:
            outcome = runner.run(CHECKS[item.name], item)
        except Transient as error:
            outcome = Outcome(OutcomeKind.ERROR, detail=describe_fault(error))
        assert "failed with" not in (outcome.detail or ""), (item.name, outcome.detail)
        assert len(outcome.findings) <= 150, item.name
        assert all(map(_bounded, outcome.findings)), item.name
        outcomes[item.name] = outcome
    assert len(decide_verdict(plan, outcomes, message_id=event.message_id, now=NOW).tip) <= MAX_LENGTH


def _bounded(finding: Finding) -> bool:
    text = finding.message + (finding.help or "")
    return (
        0 < len(finding.message) <= finding_builders.MAX_MESSAGE_LENGTH
        and len(finding.help or "") <= finding_builders.MAX_MESSAGE_LENGTH
        and text == text.encode("utf-8", "replace").decode()
    )


@pytest.mark.parametrize("code", sorted(BODIES))
def test_no_field_of_any_body_makes_a_check_fail(code: str) -> None:
    world = FakeLookups(CaseWorld(), 93124)
    held(event_of(code, {}), Snapshot(), world)
    for odd in ODD:
        for body in replaced(BODIES[code], odd):
            held(event_of(code, body), Snapshot(), world)


@settings(deadline=None, max_examples=120)
@given(st.sampled_from(sorted(BY_CODE)), st.integers(0, 10**6))
@example("commit-file", 340)
def test_no_result_of_dataworks_makes_a_check_fail(code: str, seed: int) -> None:
    odd = Odd(random.Random(seed))  # noqa: S311 - not a secret; reproducible by its seed
    body = dict(BODIES[code])
    if "nodeIds" in body:
        body["nodeIds"] = [odd.number(), odd.number()]
    held(event_of(code, body), odd.snapshot(), odd)


def ring() -> CaseWorld:
    """Return nodes and tables that form a cycle, all of them on a baseline."""
    numbers = [700123401, 700123503, 700123504, 700123505, 700123507]
    nodes = {
        number: {"parents": [numbers[place - 1]], "outputs": [f"shop.t{place}"], "baseline": 7}
        for place, number in enumerate(numbers)
    }
    tables = {
        f"odps.shop.t{place}": {
            "columns": {"a": "string"},
            "made_from": [f"odps.shop.t{(place or 5) - 1}"],
            "columns_made_from": {"a": [f"odps.shop.t{(place or 5) - 1}.a"]},
            "producers": [number],
        }
        for place, number in enumerate(numbers)
    }
    return CaseWorld.model_validate({"nodes": nodes, "tables": tables, "baselines": {7: {"priority": 8}}})


@dataclass
class Failing:
    """Lookups that are denied, starting with call number `first`."""

    lookups: FakeLookups
    first: int
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*arguments: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) >= self.first:
                raise AccessDenied(name, "Forbidden")
            return getattr(self.lookups, name)(*arguments)

        return ask


CHANGE = Snapshot(
    FileSnapshot(
        5,
        "t0",
        10,
        "alter table shop.t0 drop columns (a); insert overwrite table shop.t0 select b from shop.t3;",
        node_id=700123401,
        rerun_mode="ALL_ALLOWED",
        scheduler="NORMAL",
        cron="00 30 00 * * ?",
        inputs=("shop.t4",),
        outputs=("shop.t0",),
    ),
    TableSnapshot("t0", "PROD", "", None, None, (Column("b", "string", ""),)),
)


@pytest.mark.parametrize(
    "code",
    [
        *("commit-file", "deploy-file", "delete-file", "commit-table", "deploy-table", "freeze-node"),
        *("undeploy-node", "unfreeze-node", "backfill-data"),
    ],
)
def test_a_denied_call_never_passes(code: str) -> None:
    changes = {"nodeId": 700123401, "maxComputeProject": "shop", "tableName": "t0"}
    body = {key: changes.get(key, value) for key, value in BODIES[code].items()}
    event = event_of(code, body)
    for item in planned(event).checks:
        if not CHECKS[item.name].uses_lookups:
            continue
        whole = Failing(FakeLookups(ring(), 93124), 10**6)
        runner_for(event, CHANGE, whole).run(CHECKS[item.name], item)
        for first in range(1, len(whole.calls) + 1):
            runner = runner_for(event, CHANGE, Failing(whole.lookups, first))
            try:
                outcome = runner.run_or_raise(CHECKS[item.name], item)
            except DataWorksError:
                continue  # the policy's `on_error` decides
            assert outcome.findings, (item.name, whole.calls[first - 1])
