"""A ticket is sent as it was shown, or refused with everything that has moved since."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus, OrderType, Side, TradingState
from ibkr_trader.core.errors import RiskCheckError, TicketRefused
from ibkr_trader.core.models import Order, OrderRequest
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Prepared, Wait, begin, place, prepare, settle
from ibkr_trader.execution.scaling import Addition, add, prepare_addition
from ibkr_trader.execution.tickets import (
    Ticket,
    Where,
    issue,
    redeem,
    reopen,
)
from ibkr_trader.execution.trader import Trader
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.risk.history import History
from ibkr_trader.risk.verdict import Approved
from tests.execution.parts import LIMITS, START, Floor, request
from tests.risk.world import D

HERE = Where(profile="sim", config="c0ffee")


def bracket(limit: str | None = None) -> BracketOrderRequest:
    out = request(side=Side.SELL)
    return BracketOrderRequest(
        parent=request(limit=limit),
        stop_loss=msgspec.structs.replace(out, order_type=OrderType.STOP, stop_price=D(145)),
        take_profit=msgspec.structs.replace(out, order_type=OrderType.LIMIT, limit_price=D(155)),
    )


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
async def trader(floor: Floor) -> AsyncIterator[Trader]:
    async with floor.trader() as running:
        yield running


def ticket_of(trader: Trader, made: Prepared | Addition, where: Where = HERE) -> Ticket:
    return issue(trader, made, where=where, wait=Wait.ACCEPTED, now=START)


class Claims:
    """Counts how often a ticket was used up."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def redeemed(
    trader: Trader, ticket: Ticket, claim: Callable[[], None], where: Where = HERE
) -> Prepared | Addition:
    quote = await reopen(trader, ticket)
    return redeem(trader, ticket, quote, where=where, claim=claim)


async def refused(trader: Trader, ticket: Ticket, where: Where = HERE) -> list[str]:
    """Return why a ticket is refused; nothing is used up by that."""
    claims = Claims()
    with pytest.raises(RiskCheckError) as error:
        await redeemed(trader, ticket, claims, where)
    assert not claims.count
    assert {breach.check for breach in error.value.breaches} == {"ticket"}
    assert error.value.hint
    return [breach.message for breach in error.value.breaches]


# -- what is sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, "149.50"])
async def test_exactly_the_previewed_orders_are_sent(limit: str | None, trader: Trader) -> None:
    prepared = await prepare(trader, bracket(limit))
    ticket, claims = ticket_of(trader, prepared), Claims()
    made = await redeemed(trader, ticket, claims)
    assert claims.count == 1
    assert isinstance(made, Prepared)
    assert made.command == prepared.command
    orders = await place(trader, made, wait=Wait.ACCEPTED, timeout=2)
    assert [o.order_id for o in orders] == [s.order_id for s in prepared.command.orders]
    (sent,) = [m for _, m in trader.journal.messages() if isinstance(m, SubmitOrders)]
    plain = tuple(msgspec.structs.replace(s, broker_order_id=0) for s in sent.orders)
    assert msgspec.structs.replace(sent, orders=plain) == prepared.command


async def test_its_group_is_looked_after_as_any_other(floor: Floor, trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    made = await redeemed(trader, ticket, Claims())
    assert isinstance(made, Prepared)
    entry, *_ = await place(trader, made, wait=Wait.FILLED, timeout=2)
    assert entry.status is OrderStatus.FILLED
    group = trader.groups.get(entry.spec.group_id)
    assert group is not None
    assert not group.is_closed
    floor.move(trader, "156", "156.02")
    assert await trader.until(lambda p: not p.orders or None, timeout=2)
    assert trader.groups.get(entry.spec.group_id) is None


async def test_another_process_makes_the_group_anew(floor: Floor) -> None:
    async with floor.trader() as first:
        ticket = ticket_of(first, await prepare(first, bracket()))
        journal = first.journal
    async with floor.trader(journal=journal) as second:
        assert second.journal.state.last_group >= 1
        other = await prepare(second, request(limit="140"))  # a group of its own
        assert other.command.group_id != ticket.command.group_id
        made = await redeemed(second, ticket, Claims())
        assert isinstance(made, Prepared)
        orders = await place(second, made, wait=Wait.FILLED, timeout=2)
        assert orders[0].status is OrderStatus.FILLED


async def test_a_scale_in_joins_its_group(trader: Trader) -> None:
    desk = Desk(trader, timeout=2)
    await desk.submit_group(bracket(), wait=Wait.FILLED)
    wanted = ScaleInRequest(symbol="AAPL", quantity=D(5))
    addition = await prepare_addition(trader, wanted)
    ticket = ticket_of(trader, addition)
    assert (ticket.scales, ticket.joins) == (True, True)
    made = await redeemed(trader, ticket, Claims())
    assert isinstance(made, Addition)
    assert (made.command, made.group) == (addition.command, None)
    assert made.held == 10
    assert made.exits == addition.exits
    orders = await add(trader, made, wait=Wait.FILLED, timeout=2)
    assert [order.spec.quantity for order in orders] == [5, 15, 15]


async def test_a_scale_in_with_exits_of_its_own_opens_a_group(trader: Trader) -> None:
    desk = Desk(trader, timeout=2)
    _, _, stop = await desk.submit_group(bracket(), wait=Wait.FILLED)
    await desk.modify_order(stop.order_id, quantity=D(8))  # a size of one's own: it does not grow
    addition = await prepare_addition(trader, ScaleInRequest(symbol="AAPL", quantity=D(5)))
    assert addition.group is not None
    ticket = ticket_of(trader, addition)
    assert (ticket.scales, ticket.joins) == (True, False)
    made = await redeemed(trader, ticket, Claims())
    assert isinstance(made, Addition)
    assert made.group is not None
    assert made.command == addition.command


# -- what is refused --------------------------------------------------------------------------


async def test_another_desk(trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    words = await refused(trader, ticket, Where("paper", "decaf"))
    assert words == [
        "The profile was sim and is paper.",
        "The settings are not those of the preview.",
    ]
    elsewhere = msgspec.structs.replace(
        ticket, basis=msgspec.structs.replace(ticket.basis, account="SIM0000002")
    )
    assert "The account was SIM0000002 and is SIM0000001." in await refused(trader, elsewhere)


async def test_other_limits(trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    book = trader.outlook.book
    book.limits_fault = "the file is damaged"
    assert "The limits in force have changed." in await refused(trader, ticket)


async def test_a_position_that_changed(trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    (bought,) = (await place_one(trader, request(3)),)
    assert bought.status is OrderStatus.FILLED
    assert await refused(trader, ticket) == ["The position was 0 and is 3."]


async def place_one(trader: Trader, wanted: OrderRequest, wait: Wait = Wait.FILLED) -> Order:
    prepared = await prepare(trader, wanted, without_stop=True)
    (order,) = await place(trader, prepared, wait=wait, timeout=2)
    return order


async def test_orders_that_came_changed_or_went(trader: Trader) -> None:
    gone = await place_one(trader, request(1, limit="140"), Wait.ACCEPTED)
    kept = await place_one(trader, request(2, limit="141"), Wait.ACCEPTED)
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    desk = Desk(trader, timeout=2)
    await desk.cancel_order(gone.order_id)
    await desk.modify_order(kept.order_id, limit_price=D("141.50"))
    new = await place_one(trader, request(3, limit="142"), Wait.ACCEPTED)
    assert await refused(trader, ticket) == [
        f"{gone.order_id} (BUY 1 LIMIT 140.00) does not work any more.",
        f"{kept.order_id} was BUY 2 LIMIT 141.00 and is BUY 2 LIMIT 141.50.",
        f"{new.order_id} (BUY 3 LIMIT 142.00) works, and did not.",
    ]


async def test_orders_of_other_contracts_do_not_matter(trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    wanted = msgspec.structs.replace(request(1, limit="200"), symbol="MSFT")
    await place_one(trader, wanted, Wait.ACCEPTED)
    await redeemed(trader, ticket, Claims())


async def test_a_trail_that_moved_by_itself_does_not_matter(floor: Floor, trader: Trader) -> None:
    await place_one(trader, request(5))
    sale = msgspec.structs.replace(
        request(5, side=Side.SELL), order_type=OrderType.TRAIL, trail_amount=D(5)
    )
    trail = await place_one(trader, sale, Wait.ACCEPTED)
    ticket = ticket_of(trader, await prepare(trader, request(1, limit="149")))
    before = trader.portfolio.orders[trail.order_id].spec.stop_price
    floor.move(trader, "150.49", "150.51")

    def has_followed(_: object) -> bool | None:
        return trader.portfolio.orders[trail.order_id].spec.stop_price != before or None

    assert await trader.until(has_followed, timeout=2)
    assert ticket.basis.orders
    moved = msgspec.structs.replace(ticket.command, without_stop=True)
    await redeemed(trader, msgspec.structs.replace(ticket, command=moved), Claims())


@pytest.mark.parametrize(
    ("bid", "ask", "words"),
    [
        ("150.73", "150.75", None),
        ("149.27", "149.29", None),
        ("150.80", "150.82", "The market moved 0.54 %, from 149.99 to 150.80"),
        ("149.10", "149.12", "The market moved 0.59 %, from 149.99 to 149.10"),
    ],
)
async def test_a_market_that_moved(
    bid: str, ask: str, words: str | None, floor: Floor, trader: Trader
) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    floor.move(trader, bid, ask)
    if words is None:
        await redeemed(trader, ticket, Claims())
    else:
        (said,) = await refused(trader, ticket)
        assert said.startswith(words)
        assert said.endswith("a ticket allows 0.5 %.")


async def test_a_market_that_fell_silent_or_began_to_speak(trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    with pytest.raises(RiskCheckError, match="The market had a price, and now has none"):
        redeem(trader, ticket, None, where=HERE, claim=Claims())
    dumb = msgspec.structs.replace(ticket.basis, mark=None)
    with pytest.raises(RiskCheckError, match="The market had no price, and now has one"):
        await redeemed(trader, msgspec.structs.replace(ticket, basis=dumb), Claims())


async def test_a_desk_that_was_halted(trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    one = ev.StateEvent(at=START, state=TradingState.HALTED, reason="enough", symbol="AAPL")
    trader.outlook.book.hear(one, START)
    assert await refused(trader, ticket) == [
        "The trading state was ACTIVE and is ACTIVE, AAPL HALTED."
    ]
    everything = ev.StateEvent(at=START, state=TradingState.HALTED, reason="enough")
    trader.outlook.book.hear(everything, START)
    (said,) = await refused(trader, ticket)
    assert said.startswith("The trading state was ACTIVE and is HALTED")


async def test_a_symbol_of_two_words_that_was_halted(trader: Trader) -> None:
    wanted = msgspec.structs.replace(request(1, limit="400"), symbol="BRK B")
    ticket = ticket_of(trader, await prepare(trader, wanted))
    trader.halter.stop("enough", origin="cli", symbol="BRK.B")
    (said,) = await refused(trader, ticket)
    assert said == "The trading state was ACTIVE and is ACTIVE, BRK B HALTED."


async def test_everything_that_moved_is_named_at_once(floor: Floor, trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))
    await place_one(trader, request(3))
    floor.move(trader, "160", "160.02")
    assert len(await refused(trader, ticket, Where("sim", "decaf"))) == 3


async def test_numbers_that_were_taken(trader: Trader) -> None:
    prepared = await prepare(trader, request(1, limit="140"), without_stop=True)
    ticket = ticket_of(trader, prepared)
    await begin(trader, prepared.group, prepared.command)
    (order,) = await settle(
        trader, (prepared.command.orders[0].order_id,), wait=Wait.ACCEPTED, timeout=2
    )
    await Desk(trader, timeout=2).cancel_order(order.order_id)
    assert await refused(trader, ticket) == [f"There is an order {order.order_id} already."]


async def test_a_group_that_cannot_grow_any_more(trader: Trader) -> None:
    desk = Desk(trader, timeout=2)
    _, _, stop = await desk.submit_group(bracket(), wait=Wait.FILLED)
    addition = await prepare_addition(trader, ScaleInRequest(symbol="AAPL", quantity=D(5)))
    ticket = ticket_of(trader, addition)
    await trader.router.route(ModifyOrder(order_id=stop.order_id, quantity=D(8), origin="cli"))
    await trader.until(lambda p: p.orders[stop.order_id].desired is None or None, timeout=2)
    said = await refused(trader, ticket)
    assert f"The group {addition.command.group_id} cannot grow any more." in said


async def test_what_the_checks_deny_now_is_denied_and_not_used_up(trader: Trader) -> None:
    prepared = await prepare(trader, bracket())
    ticket, claims = ticket_of(trader, prepared), Claims()
    huge = tuple(msgspec.structs.replace(s, quantity=D(10**7)) for s in prepared.command.orders)
    forged = msgspec.structs.replace(
        ticket, command=msgspec.structs.replace(prepared.command, orders=huge)
    )
    with pytest.raises(RiskCheckError) as denied:
        await redeemed(trader, forged, claims)
    assert "ticket" not in {breach.check for breach in denied.value.breaches}
    assert not claims.count


@pytest.mark.parametrize("changes", [{"kind": "never"}, {}])
async def test_a_ticket_that_fits_nothing(changes: dict[str, str], trader: Trader) -> None:
    prepared = await prepare(trader, bracket())
    ticket, claims = ticket_of(trader, prepared), Claims()
    forged = msgspec.structs.replace(
        ticket,
        command=msgspec.structs.replace(prepared.command, **changes),
        joins=not changes,
    )
    with pytest.raises((TicketRefused, RiskCheckError)):
        await redeemed(trader, forged, claims)
    assert not claims.count


async def test_who_comes_second_sends_nothing(trader: Trader) -> None:
    ticket = ticket_of(trader, await prepare(trader, bracket()))

    def taken() -> None:
        message = "somebody else has just done so"
        raise TicketRefused(message)

    with pytest.raises(TicketRefused, match="somebody else"):
        await redeemed(trader, ticket, taken)
    assert not trader.portfolio.orders


async def test_a_stop_that_was_moved(trader: Trader) -> None:
    desk = Desk(trader, timeout=2)
    _, _, stop = await desk.submit_group(bracket(), wait=Wait.FILLED)
    ticket = ticket_of(
        trader, await prepare_addition(trader, ScaleInRequest(symbol="AAPL", quantity=D(5)))
    )
    await desk.modify_order(stop.order_id, stop_price=D(146))
    assert await refused(trader, ticket) == [
        f"{stop.order_id} was SELL 10 STOP 145.00 and is SELL 10 STOP 146.00."
    ]


async def test_what_went_out_just_now_counts(trader: Trader) -> None:
    """A preview passes over the rate of openings; a commit is denied before it is used up."""
    prepared = await prepare(trader, bracket())
    ticket, claims = ticket_of(trader, prepared), Claims()
    trader.outlook.history = History(openings=(START,) * LIMITS.max_openings_per_second)
    assert isinstance(trader.router.preview(prepared.command), Approved)
    with pytest.raises(RiskCheckError) as denied:
        await redeemed(trader, ticket, claims)
    assert {breach.check for breach in denied.value.breaches} == {"order_rate"}
    assert not claims.count
