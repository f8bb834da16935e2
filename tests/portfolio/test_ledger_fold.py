"""Positions in the account's picture: moved by executions only."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ibkr_trader.core import codec
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import (
    Bar,
    FillId,
    OrderId,
    Position,
    Quote,
)
from ibkr_trader.portfolio.growing import GrowingMap
from ibkr_trader.portfolio.ledger_fold import Close, stated_apart
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    fill,
    filled,
    later,
)

ID = OrderId("memo-1-single")
E1 = FillId("e1")
BREACH = ev.Breach(check="size", message="too large")


def cost(amount: str, key: str = "e1", realized: str | None = None) -> ev.CommissionEvent:
    return ev.CommissionEvent(
        at=AT,
        order_id=ID,
        fill_id=key,
        commission=Decimal(amount),
        realized_pnl=Decimal(realized) if realized else None,
    )


def report(quantity: int, at: float = 0) -> ev.PositionReportEvent:
    position = Position(
        account=ACCOUNT, contract=AAPL, quantity=Decimal(quantity), average_cost=Decimal(150)
    )
    return ev.PositionReportEvent(at=later(at), position=position)


def synced(*quantities: int) -> ev.SyncEvent:
    positions = tuple(report(quantity).position for quantity in quantities)
    return ev.SyncEvent(at=AT, epoch=1, positions=positions)


def test_a_report_never_adds_to_the_ledger() -> None:
    state = fold([report(10), synced(), report(10, at=1), report(10, at=2)])
    assert not state.positions
    (drift,) = state.drift.values()
    assert (drift.ours, drift.theirs, drift.at) == ("0", "10", later(1))
    assert drift.subject == "position AAPL"
    assert stated_apart(state, AAPL) == 10


def test_a_report_that_agrees_is_no_news() -> None:
    state = fold([synced(10), report(10)])
    assert not state.drift
    assert state.reported == {AAPL.con_id: Decimal(10)}
    assert stated_apart(state, AAPL) is None


def test_the_execution_explains_the_report_that_came_before_it() -> None:
    state = fold([synced(), report(10), filled(fill(10))])
    assert not state.drift
    state = fold([synced(), report(10), filled(fill(4))])
    assert state.drift
    assert not state.apply(report(4)).drift


def test_the_brokers_word_on_everything_replaces_ours() -> None:
    state = fold([synced(10), filled(fill(5, "160"))])
    assert state.positions[AAPL.con_id].quantity == 15
    state = state.apply(synced(12))
    assert state.positions[AAPL.con_id].quantity == 12
    assert state.books[AAPL.con_id].base.quantity == 7
    assert not state.apply(synced()).positions


def test_a_ledger_that_agrees_keeps_its_own_cost_and_profit() -> None:
    state = fold([synced(), filled(fill(10, "149.90"))])
    assert state.apply(synced(10)).positions == state.positions


def test_the_first_word_on_positions_counts_the_days_executions_in() -> None:
    state = fold([filled(fill(4, "140")), synced(10)])
    assert state.positions[AAPL.con_id].quantity == 10
    assert state.books[AAPL.con_id].base.quantity == 6
    flat = fold([filled(fill(4, "140")), synced()])
    assert flat.books[AAPL.con_id].base.quantity == -4
    assert not flat.positions


def test_a_checkpoint_continues_the_ledger() -> None:
    before = fold([synced(), filled(fill(10)), cost("1.05")])
    fills = tuple(before.fills.values())
    positions = tuple(before.positions.values())
    stated = fold([ev.CheckpointEvent(at=AT, fills=fills, positions=positions)])
    assert stated.positions == before.positions
    assert stated.fills == before.fills
    assert stated.has_synced
    unstated = fold([ev.CheckpointEvent(at=AT, fills=fills)])
    assert unstated.positions == before.positions
    assert not unstated.has_synced
    again = unstated.apply(ev.CheckpointEvent(at=AT, fills=fills))
    assert again.fills == before.fills


def test_a_checkpoint_states_what_that_had_cost_which_its_executions_have_ended() -> None:
    base = report(10).position
    sold = fill(10, "145", side=Side.SELL, key="e2")
    mark = ev.CheckpointEvent(at=AT, fills=(sold,), positions=(), bases=(base,))
    state = fold([mark])
    assert not state.positions
    assert state.books[AAPL.con_id].position.realized_pnl == -50
    # Who has lived through it knows better, and more: nothing is begun anew.
    living = fold([synced(), filled(fill(10, "149")), filled(sold)])
    assert living.apply(mark).books[AAPL.con_id] is living.books[AAPL.con_id]


def test_a_checkpoint_says_whose_that_was_which_is_held_from_before() -> None:
    held = report(10).position
    mark = ev.CheckpointEvent(
        at=AT, positions=(held,), opened={AAPL.con_id: Decimal(6), 7: Decimal(1)}
    )
    kept = codec.decode_event(codec.encode(mark))
    state = fold([kept, synced(10)])
    assert {con_id: book.opened for con_id, book in state.books.items()} == {AAPL.con_id: 6}
    # Who has lived through it knows better.
    living = fold([synced(), filled(fill(10))])
    assert living.apply(mark).books[AAPL.con_id] is living.books[AAPL.con_id]


def test_a_base_of_one_contract_leaves_the_others_alone() -> None:
    other = msgspec.structs.replace(AAPL, con_id=7, symbol="MSFT", local_symbol="MSFT")
    theirs = msgspec.structs.replace(fill(3, "400", key="e2"), contract=other)
    sold = fill(10, "145", side=Side.SELL)
    held = Position(account=ACCOUNT, contract=other, quantity=Decimal(3), average_cost=Decimal(400))
    mark = ev.CheckpointEvent(
        at=AT, fills=(sold, theirs), positions=(held,), bases=(report(10).position,)
    )
    state = fold([mark])
    assert list(state.positions) == [7]
    assert [list(book.fills) for book in state.books.values()] == [["e1"], ["e2"]]


def test_a_contract_known_by_its_executions_alone_can_be_flat() -> None:
    state = fold([ev.CheckpointEvent(at=AT, fills=(fill(10),), positions=())])
    assert not state.positions
    assert state.books[AAPL.con_id].base.quantity == -10


def quote(last: str | None, at: float = 0) -> ev.PriceEvent:
    price = Decimal(last) if last else None
    return ev.PriceEvent(
        at=later(at), contract=AAPL, quote=Quote(contract=AAPL, at=later(at), last=price)
    )


def test_prices_mark_what_is_held() -> None:
    state = fold([quote("152"), synced(), filled(fill(10))])
    assert state.positions[AAPL.con_id].market_price == 152
    assert state.positions[AAPL.con_id].unrealized_pnl == 20
    bar = Bar(
        contract=AAPL, at=AT, open=Decimal(152), high=Decimal(154), low=Decimal(151),
        close=Decimal(153),
    )  # fmt: skip
    state = state.apply(ev.BarEvent(at=AT, contract=AAPL, bar=bar))
    assert state.positions[AAPL.con_id].market_price == 153
    assert state.apply(quote("153")) is state
    assert state.apply(quote(None)) is state
    assert fold([quote("152")]).marks == {AAPL.con_id: Decimal(152)}


def test_a_close_is_kept_beside_the_price_and_a_cost_reaches_its_ledger() -> None:
    quote = Quote(contract=AAPL, at=AT, last=Decimal(151), close=Decimal(149))
    state = fold([filled(fill(10)), ev.PriceEvent(at=AT, contract=AAPL, quote=quote)])
    assert (state.marks, state.closes) == (
        {AAPL.con_id: Decimal(151)},
        {AAPL.con_id: Close(Decimal(149), AT)},
    )
    # The same close again is no news: who says of which session it is?
    again = ev.PriceEvent(at=later(9), contract=AAPL, quote=quote)
    assert state.apply(again).closes is state.closes
    other = msgspec.structs.replace(quote, close=Decimal(150))
    changed = state.apply(ev.PriceEvent(at=later(9), contract=AAPL, quote=other))
    assert changed.closes == {AAPL.con_id: Close(Decimal(150), later(9))}
    before = state.books[AAPL.con_id]
    after = state.apply(cost("1.25")).books[AAPL.con_id]
    assert after.fills[E1].commission == Decimal("1.25")
    assert (after.position, after.newest) == (before.position, before.newest)


def test_the_cost_of_what_has_no_ledger_is_no_trouble() -> None:
    bare = PortfolioState(fills=GrowingMap({E1: fill(10)}))
    after = bare.apply(cost("1.25"))
    assert after.fills[E1].commission == Decimal("1.25")
    assert after.books == {}
