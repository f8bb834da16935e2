"""The matching loop: what a new order, a new price or a new minute sets off."""

import heapq
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from ibkr_trader.sim import refusals
from ibkr_trader.sim.adjusting import adjusted, followed, placed
from ibkr_trader.sim.book import Book
from ibkr_trader.sim.calendar import Phase, midnight_after, next_opening
from ibkr_trader.sim.events import AccountChanged, DayRolled, OrderShown, QuoteChanged
from ibkr_trader.sim.feed import Print
from ibkr_trader.sim.floor_rules import cap_of, is_too_far
from ibkr_trader.sim.instruments import Instrument, Tape
from ibkr_trader.sim.life import cancel, kill_rest, release, set_aside
from ibkr_trader.sim.matching import (
    CLOSE_TYPES,
    TRAIL_TYPES,
    at_print,
    cross,
    in_auction,
    is_adjusted_at,
    is_reached,
    limit_of,
    may_trade,
    touches,
    waits_for_trigger,
)
from ibkr_trader.sim.oca import catch_up, execute
from ibkr_trader.sim.orders import OPENING_TIFS, OrderKey, SimOrder, SimStatus
from ibkr_trader.sim.pit import Alarm, Pit

ZERO = Decimal(0)
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
replace = msgspec.structs.replace


# -- time ---------------------------------------------------------------------------------


def reach(pit: Pit, now: datetime) -> None:
    """Let time pass to `now`, stopping wherever a timer or a price may change something.

    Seconds are looked at one by one within a minute, longer stretches by the minute.
    """
    stride = _SECOND if now - pit.now <= _MINUTE else _MINUTE
    while pit.now < now:
        _step_to(pit, min(now, _next_stop(pit, stride)))
    if pit.feed.touched:
        _look_around(pit, is_new_second=False)
    settle(pit)


def _next_stop(pit: Pit, stride: timedelta) -> datetime:
    alarm = pit.timers[0][0]  # never empty: midnight is always ahead
    kinds = {pit.universe[con_id].sec_type for con_id, book in pit.books.items() if book}
    is_closed = all(pit.phase(kind) is Phase.CLOSED for kind in kinds)
    if not is_closed:
        return min(alarm, pit.now + stride)
    openings = (next_opening(kind, pit.now, extended=True) for kind in kinds)
    return min((alarm, *openings))


def _step_to(pit: Pit, moment: datetime) -> None:
    pit.now = max(pit.now, moment)
    is_new_second = pit.feed.move_to(moment)
    if is_new_second and pit.slow_groups:
        catch_up(pit)
    while pit.timers and pit.timers[0][0] <= moment:
        when, alarm, _, key = heapq.heappop(pit.timers)
        _ring(pit, when, alarm=alarm, key=key)
    if is_new_second:
        _look_around(pit, is_new_second=True)
    settle(pit)


def _ring(pit: Pit, when: datetime, *, alarm: Alarm, key: OrderKey) -> None:
    if alarm is Alarm.ROLL:
        roll(pit)
        return
    order = pit.order(key)
    if order is None:
        return
    if alarm is Alarm.EXPIRE and order.expires_at == when:
        if order.terms.tif == "DTC":
            set_aside(pit, order)  # day till cancelled: put to sleep, not taken away
        else:
            cancel(pit, order, reason="Order expired")
    elif alarm is Alarm.RELEASE and order.active_at == when and order.why_held != "child":
        release(pit, order)
    elif alarm is Alarm.AUCTION and order.active_at == when and not order.is_held:
        _auction(pit, order)


def _auction(pit: Pit, order: SimOrder) -> None:
    tape = pit.feed.tape(order.terms.con_id)
    trade = in_auction(order, tape.last, halted=tape.halted)
    if trade is None:
        cancel(pit, order, reason="Not executed in the auction")
    else:
        execute(pit, order, trade)


def roll(pit: Pit) -> None:
    """Begin a new day at midnight in New York."""
    pit.ledger.roll(pit.now)
    pit.dirty_positions.update(pit.account.positions)
    pit.account.roll()
    pit.dirty_account = True
    pit.wake_at(midnight_after(pit.now), Alarm.ROLL)
    pit.out.append(DayRolled(at=pit.now))
    cash = pit.account.state.cash.get(pit.config.currency, ZERO)
    pit.out.append(AccountChanged(at=pit.now, cash=cash))


# -- prices -------------------------------------------------------------------------------


def _look_around(pit: Pit, *, is_new_second: bool) -> None:
    """Match every instrument whose market changed."""
    prints, pit.feed.prints = pit.feed.prints, []
    changed = [con_id for con_id, book in pit.books.items() if book] if is_new_second else []
    changed += [con_id for con_id in pit.feed.touched if con_id in pit.books]
    pit.feed.touched.clear()
    for con_id in dict.fromkeys(changed):
        _match(pit, con_id, [item for item in prints if item.con_id == con_id])


def _match(pit: Pit, con_id: int, prints: list[Print]) -> None:
    instrument, book, tape = pit.universe[con_id], pit.books[con_id], pit.feed.tape(con_id)
    phase = pit.phase(instrument.sec_type)
    if phase is Phase.CLOSED or tape.halted:
        return
    for key in [*book.reached(tape.last), *book.watched]:
        order = pit.order(key)
        if order is not None and may_trade(order, phase):
            _watch(pit, order, tape)
    settle(pit)
    for item in prints:
        _match_print(pit, book, item)
    for key in [*book.hungry, *book.crossed(tape)]:
        order = pit.order(key)
        if order is not None and key in book and may_trade(order, phase):
            _cross(pit, order, was_resting=True)


def _match_print(pit: Pit, book: Book, item: Print) -> None:
    left = item.size
    for key in book.printed(item.price):
        order = pit.order(key)
        limit = limit_of(order) if order is not None else None
        if order is None or limit is None or key not in book:
            continue
        trade = at_print(order, price=item.price, available=left, limit=limit)
        if trade is not None:
            left -= trade.quantity
            execute(pit, order, trade)


def _watch(pit: Pit, order: SimOrder, tape: Tape) -> None:
    """Adjust a stop, move a trail's, and see whether the trigger is reached."""
    instrument, book, _ = pit.market_of(order)
    if order.terms.adjusted_order_type and is_adjusted_at(order, tape, instrument.sec_type):
        order = _adjust(pit, order, tape, instrument=instrument)
    if order.terms.order_type in TRAIL_TYPES:
        after = followed(order, tape, instrument)
        if after is not order:
            order = pit.put(after)
            pit.out.append(OrderShown(at=pit.now, order=order))
    count = touches(order, tape, instrument.sec_type)
    if is_reached(order, count, instrument.sec_type):
        book.remove(order.key)
        order = replace(
            order, is_triggered=True, touches=0, status=SimStatus.SUBMITTED, why_held=""
        )
        pit.show(pit.put(order))
        pit.wakes.append(order.key)
    elif count != order.touches:
        pit.put(replace(order, touches=count))


def _adjust(pit: Pit, order: SimOrder, tape: Tape, *, instrument: Instrument) -> SimOrder:
    """Turn a stop into what it is to become, in the same place and under the same id."""
    order = placed(adjusted(order), tape, instrument)
    pit.show(pit.put(order))
    return order


# -- orders -------------------------------------------------------------------------------


def settle(pit: Pit) -> None:
    """Try every order that became able to trade, and those that this sets free in turn."""
    while pit.wakes:
        order = pit.order(pit.wakes.popleft())
        if order is not None and order.is_visible and not order.is_held:
            _work(pit, order)


def _work(pit: Pit, order: SimOrder) -> None:
    """Put an order to the market for the first time, and where it then belongs."""
    instrument, book, tape = pit.market_of(order)
    phase = pit.phase(instrument.sec_type)
    if order.terms.order_type in CLOSE_TYPES or order.terms.tif in OPENING_TIFS:
        if phase is Phase.REGULAR and order.terms.tif not in OPENING_TIFS:
            _say_submitted(pit, order)
        return
    if waits_for_trigger(order):
        book.add(order)
        if may_trade(order, phase) and not tape.halted:
            _watch(pit, order, tape)
        return
    if not order.filled and is_too_far(pit.rules, order, tape):
        cancel(pit, order, reason=refusals.TOO_FAR)
        return
    order = _capped(pit, order)
    after = _cross(pit, order, was_resting=False) if may_trade(order, phase) else order
    if after is None:
        return
    if after.terms.tif == "IOC":
        kill_rest(pit, after)
    elif after.terms.tif == "FOK":
        set_aside(pit, after)
    else:
        book.add(_say_submitted(pit, after))


def _capped(pit: Pit, order: SimOrder) -> SimOrder:
    """Hold an order to the broker's own bound on its price, and say so (mktCapPrice)."""
    cap = cap_of(pit.rules, order)
    if cap == order.cap_price:
        return order
    order = pit.put(replace(order, cap_price=cap, status=SimStatus.SUBMITTED, why_held=""))
    pit.show(order)
    if cap:
        pit.notice(order.key, refusals.PRICE_CAPPED, refusals.capped(order))
    return order


def _say_submitted(pit: Pit, order: SimOrder) -> SimOrder:
    if order.status is not SimStatus.SUBMITTED:
        order = pit.put(replace(order, status=SimStatus.SUBMITTED, why_held=""))
        pit.show(order)
    return order


def _cross(pit: Pit, order: SimOrder, *, was_resting: bool) -> SimOrder | None:
    """Trade what the quotes allow; return the order if it is still there to work."""
    _, book, tape = pit.market_of(order)
    trade = cross(
        order,
        tape,
        book.available(order.side, tape),
        limit=limit_of(order),
        was_resting=was_resting,
    )
    if trade is not None:
        execute(pit, order, trade)
    left = pit.order(order.key)
    return None if left is None or left.is_held else left


def report_quotes(pit: Pit, watched: list[int], seen: dict[int, Tape]) -> None:
    """Report the watched instruments whose market is not what was last reported."""
    for con_id in watched:
        tape = pit.feed.tape(con_id)
        before = seen.get(con_id)
        if before is None or replace(tape, at=before.at) != before:
            seen[con_id] = tape
            pit.out.append(QuoteChanged(at=pit.now, con_id=con_id, tape=tape))
