"""1.B: what may be said in an order at all, how it stands on the wire, and how many there are."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader import OrderRequest, OrderType, Side
from ibkr_trader.core.errors import (
    AmbiguousContract,
    OrderRejectedError,
    RiskCheckError,
)
from ibkr_trader.core.events import NewOrderEvent
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.execution.tickets import ask_broker
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from ibkr_trader.sim.exchange import ExchangeConfig
from ibkr_trader.sim.floor_rules import FloorRules
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway import requests, session
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from tests.bad_days.gateway_words import codes
from tests.bad_days.judges import assert_over, assert_sound
from tests.bad_days.requests import bracket, exits, single, trail
from tests.bad_days.stage import AAPL, LIMITS, START, Day, a_day
from tests.limits import roomy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from ibkr_trader.orders.group import GroupRequest
    from ibkr_trader.risk.limits import RiskLimits

PLACE = "3"
TEXT = re.compile(r"[A-Za-z0-9 ._:/+@-]*")
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?")
OF_THE_LIBRARY = {"0.0", "1.0"}  # defaults of fields that we leave alone


# -- B14: so many orders on one side --------------------------------------------------------------


@pytest.fixture
async def crowd(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Day]:
    limits: RiskLimits = request.param
    config = ExchangeConfig(opened_at=START, rules=FloorRules(most_a_side=20))
    async with (
        a_day(tmp_path, config=config) as day,
        day.open_desk(limits=limits),
    ):
        yield day


async def fill_a_side(day: Day, count: int) -> None:
    for n in range(count):
        await day.desk.submit_order(single(1, limit=f"{140 + Decimal(n) / 10}"))


@pytest.mark.parametrize("crowd", [LIMITS], indirect=True, ids=["default"])
async def test_f_b14_our_own_limit_comes_long_before_the_brokers(crowd: Day) -> None:
    day, most = crowd, LIMITS.max_working_per_side
    assert most < 20
    await day.desk.submit_order(single(1), wait=Wait.FILLED)
    await fill_a_side(day, most)
    with pytest.raises(RiskCheckError, match=f"the limit is {most}"):
        await day.desk.submit_order(single(1, limit="142"))
    assert len(day.ledger.live(AAPL)) == most
    await day.desk.submit_order(single(1, side=Side.SELL), wait=Wait.FILLED)  # a way out is left
    assert not codes(day)
    assert day.ledger.positions() == {}


@pytest.mark.parametrize(
    "crowd", [roomy(max_working=50, max_working_per_side=50)], indirect=True, ids=["none"]
)
async def test_f_b14_the_brokers_limit_is_a_refusal_and_nothing_is_tried_again(crowd: Day) -> None:
    day = crowd
    await fill_a_side(day, 20)
    with pytest.raises(OrderRejectedError, match="maximum number of active orders"):
        async with day.meanwhile():
            await day.desk.submit_order(single(1, limit="142"))
    await day.wait(5)
    assert len(day.wire.sent("placeOrder")) == 21
    assert len(day.ledger.live(AAPL)) == 20
    assert_sound(day, AAPL)


# -- B15: which contract --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("TWIN", r"names 2 contracts: .*NYSE USD \(600000001\).*LSE USD \(600000002\)"),
        ("NOSUCH", "names no contract"),
    ],
)
async def test_f_b15_what_is_not_one_contract_is_listed_and_not_ordered(
    day: Day, symbol: str, words: str
) -> None:
    with pytest.raises(AmbiguousContract, match=words):
        await day.desk.submit_order(single(symbol=symbol))
    assert not day.wire.sent("placeOrder")


async def test_f_b15_the_number_of_the_contract_is_in_the_order_and_on_record(day: Day) -> None:
    """ENB is listed twice, in two currencies: ours is the account's."""
    await day.desk.submit_group(bracket(limit="149"))
    sent = [entry.message for entry in day.wire.sent("placeOrder")]
    assert {one.order.contract.con_id for one in sent if isinstance(one, PlaceOrder)} == {AAPL}
    written = [e for _, e in day.trader.journal.messages() if isinstance(e, NewOrderEvent)]
    assert {one.spec.contract.con_id for one in written} == {AAPL}
    await day.desk.submit_order(single(symbol="ENB"))
    assert day.ledger.positions() == {14094001: 10}


# -- B22: the form of what is sent ----------------------------------------------------------------


def is_odd(field: str) -> bool:
    """Whether a field is no plain text, or a number in other than plain notation."""
    if field in OF_THE_LIBRARY:
        return False
    if TEXT.fullmatch(field) is None:
        return True
    try:
        Decimal(field)
    except InvalidOperation:
        return False
    return NUMBER.fullmatch(field) is None


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The fields of every placeOrder, as they came out of the socket."""
    found: list[tuple[str, ...]] = []

    def hear(fields: tuple[str, ...], version: int) -> msgspec.Struct:
        if fields[0] == PLACE:
            found.append(fields)
        return requests.decode(fields, version)

    monkeypatch.setattr(session, "decode", hear)
    return found


def odd_price() -> OrderRequest:
    """A limit and a size that say the same number in another notation."""
    return OrderRequest(
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal("1E+1"),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("1.490E+2"),
    )


def percent() -> TrailingStopConfig:
    """A trail of so many percent: another field than an amount."""
    return TrailingStopConfig(
        symbol="AAPL", quantity=Decimal("1E+1"), trail_percent=Decimal("2.50")
    )


@pytest.mark.parametrize(
    "ask",
    [
        partial(bracket, 5, limit="149"),
        odd_price,
        exits,
        trail,
        partial(trail, is_managed=True),
        percent,
    ],
    ids=["bracket", "exponents", "oco", "trail", "managed trail", "percent"],
)
async def test_f_b22_every_order_stands_on_the_wire_in_plain_notation(
    frames: list[tuple[str, ...]], day: Day, ask: Callable[[], OrderRequest | GroupRequest]
) -> None:
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.accepted(ask())
    for order in await day.desk.get_open_orders():
        if order.spec.stop_price is not None and order.spec.trail_amount is None:
            await day.desk.modify_order(order.order_id, stop_price=Decimal("1.465E+2"))
    assert len(frames) > 1
    assert not [field for fields in frames for field in fields if is_odd(field)]
    assert len({len(fields) for fields in frames}) == 1  # a NUL in a text would add a field


@pytest.mark.parametrize("field", ["1E+2", "0.30000000000000004E1", "nan", "inf", "1.50", "a\x01"])
def test_f_b22_what_is_not_plain_is_found(field: str) -> None:
    assert is_odd(field)


# -- B23: fractions and odd lots ------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["1.5", "0.5", "0", "-1", "NaN", "1E-9"])
async def test_f_b23_only_whole_shares_leave(day: Day, quantity: str) -> None:
    request = single()
    odd = msgspec.structs.replace(request, quantity=Decimal(quantity))
    with pytest.raises((RiskCheckError, ValueError)):
        await day.desk.submit_order(odd)
    assert not day.wire.sent("placeOrder")
    assert not day.trader.journal.state.last_order_id


@pytest.mark.parametrize("code", [388, 10241, 10252, 10318])
async def test_f_b23_a_size_that_the_broker_does_not_take_is_refused_once(
    day: Day, code: int
) -> None:
    day.faults.arm(*rules.reject(code, "Fractional-sized order cannot be placed."))
    with pytest.raises(OrderRejectedError, match="Fractional"):
        async with day.meanwhile():
            await day.desk.submit_order(single(3, limit="149"))
    await day.wait(20, step=5)
    assert len(day.wire.sent("placeOrder")) == 1
    assert_over(day)


# -- B24: a question is no order, and an order no question -----------------------------------------


async def test_f_b24_a_question_is_no_order_on_the_wire_and_leaves_no_trace(
    frames: list[tuple[str, ...]], day: Day
) -> None:
    prepared = await prepare(day.trader, bracket(limit="151"))
    before = list(day.trader.journal.messages())
    (answer,) = await ask_broker(day.trader, prepared.command)
    assert answer.what_if is not None
    await day.wait(5)
    (asked,) = day.wire.sent("whatIf")
    assert asked.order_ref == ""
    assert not day.wire.sent("placeOrder")
    assert list(day.trader.journal.messages()) == before
    assert_over(day)
    # The intent is as good as new: the order goes out once, and says that it is one.
    await place(day.trader, prepared, wait=Wait.FILLED, timeout=10)
    assert len(day.wire.sent("placeOrder")) == 3
    assert len(day.wire.sent("whatIf")) == 1
    assert len(frames) == 4
    differing = [pair for pair in zip(frames[0], frames[1], strict=True) if pair == ("1", "0")]
    assert differing
    assert day.ledger.held(AAPL) == 10
    assert_sound(day, AAPL)
