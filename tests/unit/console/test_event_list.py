import io
from dataclasses import replace

from rich.console import Console, RenderableType

from common.ledger import EventRecord, State
from common.verdicts import Finding, Outcome, OutcomeKind, Severity
from console.output import event_list
from tests.support.records import EVENT, VERDICT, record

ID = "539fd8f4-4ea1-4625-aa8b-6c9066740001"
LONG = Finding("column-dropped", Severity.BLOCK, "Column channel is dropped; derived from it: " + "x" * 300)


def lines(what: RenderableType, width: int) -> list[str]:
    out = Console(file=io.StringIO(), width=width, color_system=None)
    with out.capture() as captured:
        out.print(what)
    return captured.get().splitlines()


def blocked(**data: object) -> EventRecord:
    stored = record(State.REPORTED, "table-change", accepted_verdict=VERDICT, verdict=VERDICT, accepted_run=1)
    return replace(
        stored,
        event=replace(EVENT, message_id=ID, data=data),
        outcomes={"table-change": Outcome(OutcomeKind.FINDINGS, (LONG,))},
    )


def test_a_block_fits_80_columns_with_the_whole_id_and_what_was_checked() -> None:
    shown = lines(event_list.blocks([blocked(fileId=7001, fileName="dwd_trade_order_di")]), 80)
    assert max(map(len, shown)) <= 80
    assert ID in shown[0]
    assert "FAIL" in shown[0]
    text = "\n".join(shown)
    assert "commit-file · file dwd_trade_order_di (7001)" in text
    assert "workspace 93124, operator 1923456789012735" in text
    assert "column-dropped: Column channel is dropped" in text
    assert len(shown) == 4


def test_events_are_separated_by_an_empty_line() -> None:
    shown = lines(event_list.blocks([blocked(), blocked()]), 80)
    assert shown.count("") == 1


def test_a_row_of_the_table_is_one_line() -> None:
    shown = lines(event_list.rows([blocked(tableGuid="odps.shop.dwd_order")]), 10_000)
    assert len(shown) == 3
    assert "table odps.shop.dwd_order" in shown[2]
    assert shown[2].rstrip().endswith("x" * 300)


def test_an_event_in_progress_shows_its_state() -> None:
    waiting = replace(record(State.CHECKING), event=replace(EVENT, message_id=ID))
    assert "checking" in lines(event_list.blocks([waiting]), 80)[0]


def test_many_objects_are_counted() -> None:
    assert event_list.checked_object(blocked(nodeIds=[1, 2, 3])) == "node 1 and 2 more"
    assert event_list.checked_object(record(State.RECEIVED)) is None


def test_the_owner_is_named() -> None:
    shown = lines(
        event_list.blocks([blocked(fileId=7001, fileName="dwd_order", fileOwner="1923456789012736")]), 80
    )
    assert max(map(len, shown)) <= 80
    assert any(line.strip().endswith("owner 1923456789012736") for line in shown)
