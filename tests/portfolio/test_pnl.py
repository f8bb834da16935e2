"""The day's profit and loss."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import SecType, Side
from ibkr_trader.core.models import ZERO, Contract, Position, Quote
from ibkr_trader.portfolio.pnl import BY_COST, UNBEGUN, UNPRICED, DayPnl
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AAPL, AT, MSFT, fill, filled, later, values

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Fill

DAY = AT - timedelta(hours=1)  # the day began an hour before everything
LATE = DAY - timedelta(hours=12)  # the day before
D = Decimal


def price(
    last: str | None, *, close: str | None = None, contract: Contract = AAPL, at: datetime = AT
) -> ev.PriceEvent:
    quote = Quote(
        contract=contract,
        at=at,
        last=D(last) if last is not None else None,
        close=D(close) if close is not None else None,
    )
    return ev.PriceEvent(at=at, contract=contract, quote=quote)


def synced(*held: tuple[Contract, int, str]) -> ev.SyncEvent:
    """What the broker says is held: contract, quantity, average cost."""
    positions = tuple(
        Position(account="SIM0000001", contract=c, quantity=D(q), average_cost=D(cost))
        for c, q, cost in held
    )
    return ev.SyncEvent(at=AT, epoch=1, positions=positions)


def day(*events: ev.BaseEvent, since: datetime = DAY) -> DayPnl:
    return DayPnl().follow(fold(events), since)


def buy(quantity: int, price: str, key: str = "a", **more: Any) -> ev.FillEvent:
    return filled(fill(quantity, price, key=key, **more))


def sell(quantity: int, price: str, key: str = "b", **more: Any) -> ev.FillEvent:
    return filled(fill(quantity, price, key=key, side=Side.SELL, **({"at": later(1)} | more)))


FREE: dict[str, Any] = {"commission": ZERO}
BUY = buy(10, "150", commission=D("1.00"))
SELL = sell(4, "155")


def test_realized_unrealized_and_costs() -> None:
    found = day(BUY, SELL, price("152"))
    one = found.contracts[AAPL.con_id]
    assert values(one.realized, one.unrealized, one.traded) == (20, 12, 14)
    # The broker has yet to state the second commission: as dear per share as the first.
    assert values(one.commission, one.estimated) == (D("1.40"), D("0.40"))
    assert one.net == D("30.60")
    assert values(found.realized, found.unrealized, found.commission) == (20, 12, D("1.40"))
    assert values(found.net, found.estimated) == (D("30.60"), D("0.40"))
    assert values(found.unpriced, found.notes) == ((), ())


def test_before_any_commission_is_known_it_is_estimated_at_a_usual_rate() -> None:
    found = day(buy(10, "150"), buy(1000, "150", "big"), price("150"))
    one = found.contracts[AAPL.con_id]
    # One dollar at least, or half a cent a share.
    assert values(one.commission, one.estimated) == (D("6.000"), D("6.000"))
    late = ev.CommissionEvent(
        at=AT, order_id=BUY.order_id, fill_id=BUY.fill.fill_id, commission=D("0.35")
    )
    one = day(buy(10, "150"), late, price("150")).contracts[AAPL.con_id]
    assert values(one.commission, one.estimated) == (D("0.35"), 0)


def test_what_has_no_price_is_unknown_and_never_zero() -> None:
    other = filled(fill(2, "400", key="m", contract=MSFT, **FREE))
    found = day(BUY, price("151"), other)
    assert found.unpriced == (MSFT.con_id,)
    one = found.contracts[MSFT.con_id]
    assert values(one.net, one.unrealized, one.note) == (None, None, UNPRICED)
    assert found.net is None
    assert found.unrealized == 10  # of what is known
    assert found.symbols() == {"AAPL": D("9.00"), "MSFT": None}
    assert values(found.of_symbol("AAPL"), found.of_symbol("MSFT"), found.of_symbol("X")) == (
        9,
        None,
        0,
    )
    assert found.notes == (f"MSFT: {UNPRICED}",)


def test_what_is_flat_has_its_realized_gain_alone() -> None:
    found = day(BUY, sell(10, "149", "c"))
    assert found.contracts[AAPL.con_id].net == D("-12.00")
    assert found.net == D("-12.00")


def test_a_day_without_trading_is_empty() -> None:
    assert DayPnl().follow(PortfolioState(), DAY).net == 0
    yesterday = fold([BUY, sell(10, "151", "c")]).begin_day(later(60))
    assert DayPnl().follow(yesterday, later(60)).contracts == {}


# -- what was held when the day began ------------------------------------------------------


def test_what_was_held_counts_from_the_close_however_old_it_is() -> None:
    found = day(synced((AAPL, 10, "20")), price("152", close="150"))
    assert found.net == 20  # and not the 1,320 that it has gained in all
    assert found.notes == ()


def test_the_day_of_a_short_position() -> None:
    found = day(synced((AAPL, -10, "20")), price("152", close="150"))
    assert found.net == -20


def test_without_a_close_the_average_cost_is_taken_and_said() -> None:
    found = day(synced((AAPL, 10, "149")), price("152"))
    assert found.net == 30
    assert found.notes == (f"AAPL: {BY_COST}",)


def test_a_close_that_comes_later_is_news() -> None:
    before = fold([synced((AAPL, 10, "149")), price("152")])
    found = DayPnl().follow(before, DAY)
    after = found.follow(before.apply(price("152", close="151")), DAY)
    assert values(found.net, after.net, after.notes) == (30, 10, ())
    assert before.apply(price("152", close="0")).closes == {}  # no close at all


def test_what_was_traded_before_the_day_is_of_its_beginning() -> None:
    bought = buy(10, "100", at=LATE, commission=D(5))
    found = day(synced(), bought, sell(4, "155", **FREE), price("152", close="150"))
    one = found.contracts[AAPL.con_id]
    assert values(one.realized, one.unrealized, one.commission) == (20, 12, 0)


def test_a_position_turned_round() -> None:
    events = (synced((AAPL, 10, "20")), sell(15, "155", **FREE), price("152", close="150"))
    one = day(*events).contracts[AAPL.con_id]
    assert values(one.realized, one.unrealized, one.quantity) == (50, 15, -5)


def test_what_was_sold_today_and_found_flat_by_the_broker() -> None:
    """After a restart the broker says flat, and nobody says what it had cost."""
    sold = fill(10, "155", key="s", side=Side.SELL, at=later(1), **FREE)
    checkpoint = ev.CheckpointEvent(at=AT, fills=(sold,), positions=())
    found = day(checkpoint)
    assert values(found.net, found.unpriced) == (
        None,
        (AAPL.con_id,),
    )  # never the 1,550 of its sale
    assert found.notes == (f"AAPL: {UNBEGUN}",)
    assert found.contracts[AAPL.con_id].at(D(150)).net is None
    assert day(checkpoint, price("155", close="156")).net == -10


def test_a_restart_changes_nothing() -> None:
    events = (synced((AAPL, 10, "20")), buy(5, "151", **FREE), sell(3, "149", **FREE))
    prices = price("148", close="150")
    before = fold(events)
    checkpoint = ev.CheckpointEvent(
        at=AT,
        fills=tuple(before.fills.values()),
        positions=tuple(before.positions.values()),
    )
    once, again = day(*events, prices).net, day(checkpoint, prices).net
    assert values(round(once or 0, 6), round(again or 0, 6)) == (-32, -32)


def test_a_split_of_what_was_bought_today_is_no_loss() -> None:
    found = day(synced(), buy(10, "150", **FREE), synced((AAPL, 30, "50")), price("50", close="50"))
    assert found.net == 0


def test_a_split_over_night_is_no_gain() -> None:
    bought = buy(10, "150", at=LATE)
    found = day(synced(), bought, synced((AAPL, 30, "50")), price("51", close="50"))
    assert found.net == 30


def test_what_was_over_before_the_day_began_is_no_part_of_it() -> None:
    found = day(synced(), buy(4, "150", at=LATE), sell(4, "100", at=LATE))
    assert found.contracts == {}


# -- corrections ---------------------------------------------------------------------------


def test_a_correction_and_a_bust_of_an_execution() -> None:
    bought = buy(10, "150", **FREE)
    events, first = (synced(), bought, price("152")), bought.fill
    right = msgspec.structs.replace(first, revision=2, price=D(151))
    bust = msgspec.structs.replace(first, revision=3, quantity=ZERO)
    assert day(*events).net == 20
    assert day(*events, filled(right)).net == 10
    gone = day(*events, filled(right), filled(bust))
    assert gone.net == 0
    uncharged = msgspec.structs.replace(bust, commission=None)
    assert day(*events, filled(uncharged)).estimated == 0


def test_a_multiplier_and_several_contracts_of_one_symbol() -> None:
    option = Contract(symbol="AAPL", con_id=77, sec_type=SecType.OPTION, multiplier=D(100))
    found = day(
        buy(10, "150", **FREE),
        price("151"),
        buy(2, "3", "o", contract=option, **FREE),
        price("2.50", contract=option),
    )
    assert found.contracts[77].net == -100
    assert found.symbols() == {"AAPL": -90}
    assert found.of_symbol("AAPL") == found.net == -90


# -- kept from one portfolio to the next ---------------------------------------------------


def test_only_what_has_news_is_counted_again() -> None:
    state = fold([buy(10, "150", **FREE), price("151"), buy(1, "400", "m", contract=MSFT, **FREE)])
    first = DayPnl().follow(state, DAY)
    assert first.follow(state, DAY) is first
    moved = state.apply(price("390", contract=MSFT))
    second = first.follow(moved, DAY)
    assert second.contracts[AAPL.con_id] is first.contracts[AAPL.con_id]
    assert values(first.net, second.net) == (None, ZERO)
    other = Contract(symbol="X", con_id=9)
    third = second.follow(moved.apply(price("1", close="2", contract=other)), DAY)
    assert third.contracts is second.contracts  # news of what nobody holds


def test_a_day_before_is_counted_from_nothing() -> None:
    """The simulator's clock was set back."""
    state = fold([synced(), buy(10, "150", **FREE), price("151", close="149")])
    today = DayPnl().follow(state, DAY)
    tomorrow = today.follow(state, later(60))
    back = tomorrow.follow(state, DAY)
    assert values(today.net, back.net) == (10, 10)
    assert values(len(tomorrow.begun), len(back.begun)) == (1, 0)


def test_what_is_gone_from_the_ledgers_is_gone_from_the_day() -> None:
    state = fold([BUY, sell(10, "151", "c")])
    found = DayPnl().follow(state, DAY)
    later_on = state.begin_day(later(60))
    assert later_on.books == {}
    assert found.follow(later_on, DAY).contracts == {}


class RandomDay:
    """A day of prices and executions, and what it has brought by plain arithmetic."""

    def __init__(self, pick: random.Random) -> None:
        self.pick = pick
        self.held = {one: pick.randint(-20, 20) for one in (AAPL, MSFT)}
        self.close = {one: D(pick.randint(90, 110)) for one in (AAPL, MSFT)}
        self.mark = dict(self.close)
        self.fills: list[Fill] = []

    @property
    def morning(self) -> ev.SyncEvent:
        return synced(*((one, held, "77") for one, held in self.held.items() if held))

    def priced(self, contract: Contract) -> ev.PriceEvent:
        close = str(self.close[contract])
        return price(str(self.mark[contract]), close=close, contract=contract)

    def step(self, number: int) -> ev.BaseEvent:
        contract, pick = self.pick.choice((AAPL, MSFT)), self.pick
        if pick.random() < 0.4:
            self.mark[contract] = D(pick.randint(80, 120))
            return self.priced(contract)
        side, at = pick.choice((Side.BUY, Side.SELL)), str(pick.randint(80, 120))
        terms: dict[str, Any] = {"contract": contract, "commission": D(1), "at": later(number)}
        self.fills.append(fill(pick.randint(1, 9), at, key=f"k{number}", side=side, **terms))
        return filled(self.fills[-1])

    @property
    def worth(self) -> Decimal:
        """What everything is worth now, less what it was, less costs."""
        total = sum(
            (self.held[one] * (self.mark[one] - self.close[one]) for one in self.held), ZERO
        )
        for one in self.fills:
            total += one.side.sign * one.quantity * (self.mark[one.contract] - one.price) - 1
        return total


def test_it_is_the_same_whatever_way_it_was_followed() -> None:
    pick = random.Random(4)  # noqa: S311 - no secret
    for _ in range(200):
        plan = RandomDay(pick)
        state = fold([plan.morning])
        found = DayPnl().follow(state, DAY)
        for number in range(pick.randint(0, 12)):
            state = state.apply(plan.step(number))
            found = found.follow(state, DAY)
        for contract in (AAPL, MSFT):
            state = state.apply(plan.priced(contract))
        found = found.follow(state, DAY)
        assert found.net is not None
        assert abs(found.net - plan.worth) < D("0.000001")
        again = DayPnl().follow(state, DAY)
        assert (again.net, again.symbols()) == (found.net, found.symbols())
