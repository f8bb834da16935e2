"""What the in-process broker says beyond the contract suite: foreign news, doubts, refusals."""

from datetime import datetime
from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, SecType, Side, TimeInForce
from ibkr_trader.core.errors import AmbiguousContract, BrokerUnavailable, InvariantBroken
from ibkr_trader.core.ids import make_group_id, make_order_id
from ibkr_trader.core.models import Contract, OrderId, OrderSpec
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim.broker import SimulatedBroker
from ibkr_trader.sim.market_data import SimulatedMarketData
from ibkr_trader.sim.translate import contract_of
from tests.sim.pit_desk import AAPL, EURUSD, OPENED, Pit, d, terms

INSTALL = "k7qav"


class PitClock:
    """The time of a pit, as a clock."""

    def __init__(self, pit: Pit) -> None:
        self._pit = pit

    def now(self) -> datetime:
        return self._pit.now

    def monotonic(self) -> float:
        return self._pit.now.timestamp()


class Seat:
    """A broker on a pit, and everything it has said."""

    def __init__(self, *, client_id: int = 1) -> None:
        self.pit = Pit()
        self.clock = PitClock(self.pit)
        self.broker = SimulatedBroker(
            self.pit.exchange, clock=self.clock, install=INSTALL, client_id=client_id
        )
        self.data = SimulatedMarketData(self.pit.exchange, clock=self.clock)
        self.broker.open()
        self._groups = 0

    async def send(self, command: Command) -> None:
        await self.broker.send(Approved(command=command, at=self.clock.now()))

    def spec(self, side: Side = Side.BUY, quantity: int = 10, **rest: object) -> OrderSpec:
        self._groups += 1
        group = make_group_id(INSTALL, self._groups)
        (number,) = self.broker.reserve_order_ids(1, floor=1)
        fields: dict[str, object] = {
            "order_id": make_order_id(group, OrderRole.SINGLE),
            "group_id": group,
            "role": OrderRole.SINGLE,
            "contract": contract_of(self.pit.exchange.universe[AAPL]),
            "account": "SIM0000001",
            "side": side,
            "quantity": d(quantity),
            "order_type": OrderType.MARKET,
            "broker_order_id": number,
        }
        return OrderSpec(**(fields | rest))  # type: ignore[arg-type]  # a table of fields

    async def submit(self, *specs: OrderSpec) -> None:
        await self.send(SubmitOrders(group_id=specs[0].group_id, orders=specs))

    async def heard(self) -> list[ev.BaseEvent]:
        """Close the broker and return all it said; for the end of a test."""
        self.broker.close()
        return [event async for event in self.broker.events()]


def names(events: list[ev.BaseEvent]) -> list[str]:
    return [type(event).__name__.removesuffix("Event") for event in events]


async def test_a_market_order_is_told_in_order() -> None:
    seat = Seat()
    await seat.submit(seat.spec())
    assert names(await seat.heard()) == [
        "Connect", "Accept", "Status", "Fill", "Done", "Commission", "PositionReport", "Account",
    ]  # fmt: skip


async def test_trails_state_the_stop_they_have_reached() -> None:
    seat = Seat()
    trail = seat.spec(
        Side.SELL,
        order_type=OrderType.TRAIL,
        trail_amount=d(3),
        time_in_force=TimeInForce.GTC,
    )
    await seat.submit(trail)
    seat.pit.exchange.market.set_quote(AAPL, bid=d("151.99"), ask=d("152.01"), last=d(152))
    seat.broker.advance()
    accepted = [e for e in await seat.heard() if isinstance(e, ev.AcceptEvent)]
    assert [(e.spec.stop_price, e.spec.trail_amount) for e in accepted] == [
        (d("147.00"), d(3)),
        (d("149.00"), d(3)),
    ]


async def test_a_refused_and_a_rejected_order() -> None:
    seat = Seat()
    await seat.submit(seat.spec(order_type=OrderType.STOP, stop_price=d("149.001")))
    await seat.submit(seat.spec(quantity=50_000))
    events = await seat.heard()
    assert names(events) == ["Connect", "Reject", "Reject", "Hold"]
    codes = [e.code for e in events if isinstance(e, ev.RejectEvent)]
    assert codes == [110, 201]


async def test_a_refused_cancel_and_a_refused_change() -> None:
    seat = Seat()
    moc = seat.spec(order_type=OrderType.MARKET_ON_CLOSE)
    resting = seat.spec(order_type=OrderType.LIMIT, limit_price=d(149))
    await seat.submit(moc)
    await seat.submit(resting)
    await seat.send(ModifyOrder(order_id=resting.order_id, limit_price=d("149.001")))
    seat.pit.now = OPENED.replace(hour=20, minute=55)
    await seat.send(CancelOrder(order_id=moc.order_id))
    events = await seat.heard()
    changed = [e for e in events if isinstance(e, ev.ModifyRejectEvent)]
    refused = [e for e in events if isinstance(e, ev.CancelRejectEvent)]
    assert [e.code for e in changed] == [110]
    assert [e.code for e in refused] == [161]


async def test_a_filled_order_cannot_be_changed_and_a_closed_one_not_cancelled() -> None:
    seat = Seat()
    filled = seat.spec()
    await seat.submit(filled)
    await seat.send(ModifyOrder(order_id=filled.order_id, quantity=d(20)))
    await seat.send(CancelOrder(order_id=filled.order_id))
    events = await seat.heard()
    assert [e.code for e in events if isinstance(e, ev.ModifyRejectEvent)] == [104]
    assert not [e for e in events if isinstance(e, ev.CancelRejectEvent)]


async def test_a_held_short_and_a_held_night_are_remarks() -> None:
    seat = Seat()
    short = contract_of(seat.pit.exchange.universe[600000005])
    await seat.submit(seat.spec(Side.SELL, contract=short))
    seat.pit.now = OPENED.replace(day=21)
    await seat.submit(seat.spec())
    events = await seat.heard()
    warnings = [e.code for e in events if isinstance(e, ev.WarningEvent)]
    assert warnings == [404, 399]
    held = [e.held_for for e in events if isinstance(e, ev.StatusEvent) and not e.is_working]
    assert held[0] == "locate"


async def test_client_zero_hears_of_everybodys_orders_and_others_do_not() -> None:
    for client_id, expected in [(0, 1), (1, 0)]:
        seat = Seat(client_id=client_id)
        wanted = terms("BUY", 10, "MKT", order_ref="by-hand", account="SIM0000001")
        seat.broker._report(seat.pit.exchange.place(7, 1, terms=wanted, now=seat.pit.now))
        events = await seat.heard()
        fills = [e for e in events if isinstance(e, ev.FillEvent)]
        assert len(fills) == expected
        assert len([e for e in events if isinstance(e, ev.CommissionEvent)]) == expected
        assert len([e for e in events if isinstance(e, ev.AcceptEvent)]) == expected
        assert all(e.order_id.startswith("foreign-") for e in fills)
        assert len([e for e in events if isinstance(e, ev.PositionReportEvent)]) == 1


async def test_a_snapshot_states_everything() -> None:
    seat = Seat()
    seat.pit.quote("149.99", "150.01", sizes=(4, 4))
    await seat.submit(seat.spec(order_type=OrderType.LIMIT, limit_price=d("150.01")))
    await seat.submit(seat.spec(quantity=60_000))
    snapshot = await seat.broker.snapshot()
    (working,), (rejected,) = snapshot.open_orders, snapshot.completed_orders
    assert (working.status, working.filled) == (OrderStatus.PARTIALLY_FILLED, d(4))
    assert rejected.status is OrderStatus.REJECTED
    (fill,) = snapshot.fills
    assert (fill.quantity, fill.commission, fill.revision) == (d(4), d(1), 1)
    (position,) = snapshot.positions
    assert (position.quantity, position.average_cost) == (d(4), d("150.26"))
    assert snapshot.values is not None
    assert snapshot.values.cash == d("999398.96")
    assert (snapshot.epoch, snapshot.account) == (1, "SIM0000001")


async def test_nothing_works_while_it_is_closed() -> None:
    seat = Seat()
    spec = seat.spec()
    await seat.heard()
    with pytest.raises(BrokerUnavailable):
        await seat.submit(spec)
    with pytest.raises(BrokerUnavailable):
        await seat.broker.snapshot()
    with pytest.raises(BrokerUnavailable):
        seat.broker.reserve_order_ids(1, floor=1)


async def test_unknown_orders_and_unready_ones() -> None:
    seat = Seat()
    with pytest.raises(BrokerUnavailable):
        await seat.send(CancelOrder(order_id=OrderId("k7qav-9-single")))
    with pytest.raises(BrokerUnavailable):
        await seat.send(ModifyOrder(order_id=OrderId("k7qav-9-single"), quantity=d(1)))
    with pytest.raises(InvariantBroken):
        await seat.submit(seat.spec(broker_order_id=0))
    with pytest.raises(InvariantBroken):
        await seat.submit(seat.spec(contract=Contract(symbol="AAPL")))
    await seat.send(CancelOrder(order_id=OrderId("k7qav-9-single"), broker_order_id=55))
    assert names(await seat.heard()) == ["Connect"], "an order nobody here knows is no news"


async def test_an_exit_added_later_finds_its_parent() -> None:
    seat = Seat()
    entry = seat.spec(order_type=OrderType.LIMIT, limit_price=d(149))
    await seat.submit(entry)
    stop = seat.spec(
        Side.SELL, order_type=OrderType.STOP, stop_price=d(145), parent_id=entry.order_id
    )
    await seat.submit(stop)
    events = await seat.heard()
    held = [e for e in events if isinstance(e, ev.StatusEvent) and e.order_id == stop.order_id]
    assert [e.held_for for e in held] == ["child,trigger"]
    accepted = [e for e in events if isinstance(e, ev.AcceptEvent) and e.order_id == stop.order_id]
    assert accepted[0].spec.parent_id == entry.order_id


# -- market data --------------------------------------------------------------------------


async def test_contracts_are_resolved() -> None:
    data = Seat().data
    apple = await data.resolve("AAPL")
    assert (apple.contract.con_id, apple.contract.primary_exchange) == (AAPL, "NASDAQ")
    assert apple.liquid_sessions[0].opens.hour == 14
    euro = await data.resolve("EUR.USD", sec_type=SecType.CASH)
    assert euro.contract.con_id == EURUSD
    option = await data.resolve("AAPL  261218C00150000")
    assert (option.contract.strike, option.contract.multiplier) == (d(150), d(100))


@pytest.mark.parametrize(
    ("symbol", "sec_type", "candidates"),
    [("TWIN", None, 2), ("ZZZZ", None, 0), ("1!", None, 0), ("AAPL", SecType.OPTION, 0)],
)
async def test_what_names_no_single_contract(
    symbol: str, sec_type: SecType | None, candidates: int
) -> None:
    with pytest.raises(AmbiguousContract) as caught:
        await Seat().data.resolve(symbol, sec_type=sec_type)
    assert len(caught.value.candidates) == candidates


async def test_quotes_are_news_once_asked_for() -> None:
    seat = Seat()
    apple = (await seat.data.resolve("AAPL")).contract
    assert seat.data.last_quote(AAPL) is None
    quote = await seat.data.quote(apple, timeout=1)
    assert quote is not None
    assert (quote.bid, quote.ask, quote.last) == (d("149.99"), d("150.01"), d("150.00"))
    assert seat.data.last_quote(AAPL) == quote
    seat.broker.advance()
    seat.pit.exchange.market.set_quote(AAPL, bid=None, ask=d(151))
    seat.broker.advance()
    prices = [e.quote.ask for e in await seat.heard() if isinstance(e, ev.PriceEvent)]
    assert prices == [d("150.01"), d(151)]


async def test_no_permission_no_quote() -> None:
    data = Seat().data
    contract = (await data.resolve("NOPE")).contract
    assert await data.quote(contract, timeout=1) is None
    assert data.last_quote(1) is None


@pytest.mark.parametrize(
    ("duration", "size", "count"),
    [("2 D", "1 day", 2), ("1 W", "1 day", 5), ("1 D", "5 mins", 6), ("2 D", "1 hour", 8)],
)
async def test_bars(duration: str, size: str, count: int) -> None:
    seat = Seat()
    apple = (await seat.data.resolve("AAPL")).contract
    seat.pit.wait(1)
    bars = await seat.data.bars(apple, duration=duration, bar_size=size)
    assert len(bars) in {count, count + 1}  # the one under way
    assert all(Decimal(0) < bar.low <= bar.close <= bar.high for bar in bars)


@pytest.mark.parametrize(
    ("duration", "size"), [("2 X", "1 day"), ("0 D", "1 day"), ("1 D", "7 mins"), ("D", "1 day")]
)
async def test_bars_in_words_that_mean_nothing(duration: str, size: str) -> None:
    seat = Seat()
    apple = (await seat.data.resolve("AAPL")).contract
    with pytest.raises(ValueError, match="is no"):
        await seat.data.bars(apple, duration=duration, bar_size=size)
