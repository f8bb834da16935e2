"""The turns of an order's life: filled, cancelled, expired, set aside, released to trade.

They call each other (a fill cancels a sibling, a cancel frees children), so they live
together. Each leaves the ledger right and reports what a TWS session would say.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from ibkr_trader.sim import refusals
from ibkr_trader.sim.account import commission
from ibkr_trader.sim.adjusting import placed
from ibkr_trader.sim.calendar import next_opening, phase_at
from ibkr_trader.sim.events import (
    AccountChanged,
    CommissionPosted,
    Executed,
    OrderShown,
    PositionChanged,
    StatusShown,
)
from ibkr_trader.sim.families import is_exit, plan, share_of
from ibkr_trader.sim.floor_rules import nap_of
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.matching import (
    Trade,
    may_trade,
    reaches_extended,
    waits_for_trigger,
)
from ibkr_trader.sim.order_times import auction_at, starts_at
from ibkr_trader.sim.orders import (
    INACTIVE,
    Execution,
    OrderKey,
    Refusal,
    SimOrder,
    SimStatus,
)
from ibkr_trader.sim.pit import Alarm, Pit

ZERO = Decimal(0)
replace = msgspec.structs.replace


# -- fills --------------------------------------------------------------------------------


def fill(pit: Pit, order: SimOrder, trade: Trade) -> SimOrder:
    """Book a trade: order, account, reports, and what it does to the order's children.

    What it does to the order's OCA group is for `oca.execute` to see to.
    """
    instrument, book, _ = pit.market_of(order)
    filled = order.filled + trade.quantity
    value = order.filled_value + trade.quantity * trade.price
    fee = commission(instrument, quantity=filled, value=value * instrument.multiplier)
    fee -= order.commission
    effect = pit.account.apply(
        instrument, side=order.side, quantity=trade.quantity, price=trade.price, fee=fee
    )
    is_done = filled >= order.quantity and not _may_grow(pit, order, filled)
    traded = replace(
        order,
        filled=filled,
        filled_value=value,
        last_fill_price=trade.price,
        realized_pnl=order.realized_pnl + (effect.realized_pnl or ZERO),
        status=SimStatus.FILLED if is_done else SimStatus.SUBMITTED,
        why_held="",
        completed_at=pit.now if is_done else None,
        completed_status=f"Filled Size: {filled:f}" if is_done else "",
    )
    execution = _execution(pit, traded, trade, instrument=instrument, fee=fee,
                           realized=effect.realized_pnl)  # fmt: skip
    charged = pit.put(replace(traded, commission=order.commission + fee))
    pit.ledger.record(execution)
    book.take(order.side, trade.quantity)
    if is_done:
        book.remove(order.key)
    pit.out.append(Executed(at=pit.now, order=traded, execution=execution))
    pit.show(traded)
    if is_done:
        pit.out.append(OrderShown(at=pit.now, order=charged))
    pit.out.append(CommissionPosted(at=pit.now, execution=execution))
    if effect.position is not None:
        pit.dirty_positions.add(instrument.con_id)
        pit.out.append(PositionChanged(at=pit.now, position=effect.position))
    pit.dirty_account = True
    cash = pit.account.state.cash.get(pit.config.currency, ZERO)
    pit.out.append(AccountChanged(at=pit.now, cash=cash))
    _tell_children(pit, charged)
    return charged


def _may_grow(pit: Pit, order: SimOrder, filled: Decimal) -> bool:
    """Say whether an exit has closed all there is of an entry that still grows."""
    parent = pit.ledger.orders.get(order.parent_key) if order.parent_key else None
    if parent is None or parent.status.is_closed or not is_exit(parent, order):
        return False
    share = share_of(order, _exits(pit, parent))
    return min(order.whole, share.of(parent.quantity) - filled_by_others(pit, order)) > filled


def _execution(
    pit: Pit,
    order: SimOrder,
    trade: Trade,
    *,
    instrument: Instrument,
    fee: Decimal,
    realized: Decimal | None,
) -> Execution:
    number = pit.next_execution
    pit.next_execution += 1
    high, low = divmod(number, 1 << 32)
    return Execution(
        exec_id=f"{pit.config.instance & 0xFFFFFFFF:08x}.{low:08x}.{high + 1:02d}.01",
        at=pit.now,
        con_id=instrument.con_id,
        client_id=order.client_id,
        order_id=order.order_id,
        perm_id=order.perm_id,
        account=pit.config.account,
        exchange=instrument.primary_exchange or instrument.exchanges[-1],
        side=order.side,
        shares=trade.quantity,
        price=trade.price,
        cum_quantity=order.filled,
        average_price=order.average_price,
        commission=fee,
        currency=instrument.currency,
        realized_pnl=realized,
        order_ref=order.terms.order_ref,
        liquidity=trade.liquidity,
        is_liquidation=order.terms.is_liquidation,
    )


# -- the end ------------------------------------------------------------------------------


def cancel(
    pit: Pit, order: SimOrder, *, asked: bool = False, by_hand: bool = False, reason: str = ""
) -> None:
    """End an order that has not filled, and what hangs on it.

    Args:
        pit: The exchange.
        order: Open.
        asked: A client asked for it: TWS says PendingCancel first.
        by_hand: A person did it at TWS: to its client it comes unasked.
        reason: Why, when nobody asked; part of the notice.
    """
    if not order.is_visible:
        _drop(pit, order)
        return
    if asked:
        pending = replace(order, status=SimStatus.PENDING_CANCEL)
        pit.out.append(StatusShown(at=pit.now, order=pending))
    words = "Cancelled by Trader" if asked or by_hand else f"Cancelled by System:{reason}"
    _end(pit, order, status=SimStatus.CANCELLED, words=words)
    pit.notice(order.key, refusals.CANCELLED, refusals.CANCEL_TEXT + reason)
    _tell_children(pit, pit.ledger.orders[order.key])


def kill_rest(pit: Pit, order: SimOrder) -> None:
    """End what an IOC did not fill: TWS says so by status alone."""
    pending = replace(order, status=SimStatus.PENDING_CANCEL)
    pit.out.append(StatusShown(at=pit.now, order=pending))
    _end(pit, order, status=SimStatus.CANCELLED, words="Cancelled by System:IOC")
    _tell_children(pit, pit.ledger.orders[order.key])


def set_aside(pit: Pit, order: SimOrder, *, refusal: Refusal | None = None) -> None:
    """End an order as Inactive: rejected with `refusal`, or (FOK) silently."""
    if refusal is not None:
        pit.notice(order.key, refusal.code, refusal.text)
    words = refusal.text if refusal is not None else "Cancelled by System:FOK"
    _end(pit, order, status=SimStatus.INACTIVE, words=words)
    _tell_children(pit, pit.ledger.orders[order.key])


def _end(pit: Pit, order: SimOrder, *, status: SimStatus, words: str) -> None:
    book = pit.books.get(order.terms.con_id)
    if book is not None:
        book.remove(order.key)
    over = replace(
        order,
        status=status,
        why_held="",
        is_held=False,
        completed_at=pit.now,
        completed_status=words,
    )
    pit.put(over)
    pit.out.append(StatusShown(at=pit.now, order=over))


def _drop(pit: Pit, order: SimOrder) -> None:
    """Forget an order that was never transmitted, and those attached to it."""
    for key in tuple(pit.ledger.children.get(order.key, ())):
        child = pit.order(key)
        if child is not None:
            _drop(pit, child)
    pit.ledger.forget(order.key)
    gone = replace(order, status=SimStatus.CANCELLED)
    pit.out.append(StatusShown(at=pit.now, order=gone))
    pit.notice(order.key, refusals.CANCELLED, refusals.CANCEL_TEXT)


# -- families -----------------------------------------------------------------------------


def _tell_children(pit: Pit, order: SimOrder) -> None:
    if order.key in pit.ledger.children:
        rearrange(pit, order.key)


def rearrange(pit: Pit, parent_key: OrderKey) -> None:
    """Bring the open children of an order to where its fills and theirs put them."""
    parent = pit.ledger.orders.get(parent_key)
    if parent is None or not parent.is_visible:
        return
    for key in tuple(pit.ledger.children.get(parent_key, ())):
        child = pit.order(key)
        if child is None or not child.is_visible:
            continue
        others, share = filled_by_others(pit, child), share_of(child, _exits(pit, parent))
        mode = pit.rules.bracket_mode or pit.config.bracket_mode
        wanted = plan(mode, parent, child, others=others, share=share)
        if wanted.quantity is None:
            cancel(pit, child)
        elif wanted.is_held:
            _hold_again(pit, child, wanted.quantity)
        else:
            _let_go(pit, child, wanted.quantity)


def _exits(pit: Pit, parent: SimOrder) -> list[SimOrder]:
    children = (pit.ledger.orders[key] for key in pit.ledger.children[parent.key])
    return [child for child in children if child.is_visible and is_exit(parent, child)]


def filled_by_others(pit: Pit, order: SimOrder) -> Decimal:
    """What an exit's group has closed without it, whoever placed the others."""
    keys = pit.ledger.groups.get(order.oca_group, ())
    others = (pit.ledger.orders[key] for key in keys if key != order.key)
    mine = (order.terms.con_id, order.side)
    return sum((o.filled for o in others if (o.terms.con_id, o.side) == mine), ZERO)


def _hold_again(pit: Pit, child: SimOrder, quantity: Decimal) -> None:
    if child.is_held and child.quantity == quantity:
        return
    _, book, _ = pit.market_of(child)
    book.remove(child.key)
    held = replace(
        child,
        quantity=quantity,
        is_held=True,
        why_held="child",
        status=SimStatus.PRE_SUBMITTED,
    )
    pit.show(pit.put(held))


def _let_go(pit: Pit, child: SimOrder, quantity: Decimal) -> None:
    if child.is_held and child.why_held == "child":
        release(pit, replace(child, quantity=quantity))
    elif child.quantity != quantity:
        pit.show(pit.put(replace(child, quantity=quantity)))


# -- hours --------------------------------------------------------------------------------


def release(pit: Pit, order: SimOrder, *, is_new: bool = False) -> None:
    """Let an order trade as soon as its hours allow; until then it is held.

    Args:
        pit: The exchange.
        order: Held until now (for a parent, a locate, an opening), or new.
        is_new: It has not been reported yet.
    """
    if pit.rules.naps and _naps(pit, order):
        return
    instrument, _, tape = pit.market_of(order)
    order = placed(order, tape, instrument)
    why = "trigger" if waits_for_trigger(order) else ""
    auction = auction_at(order, instrument.sec_type, pit.now)
    if auction is not None:
        pit.wake_at(auction, Alarm.AUCTION, order.key)
        free = replace(order, is_held=False, why_held=why, active_at=auction)
    else:
        opens = first_chance(pit, order, instrument.sec_type)
        is_held = opens > pit.now
        free = replace(order, is_held=is_held, why_held=why, active_at=opens)
        if is_held:
            pit.wake_at(opens, Alarm.RELEASE, order.key)
    pit.put(free)
    if is_new or free.is_held or why:
        pit.show(free)
    if free.is_held:
        label = f"{instrument.symbol} {instrument.trading_class}"
        text = refusals.held_until(free, label=label, opens=free.active_at or pit.now)
        pit.notice(order.key, refusals.HELD_UNTIL_OPEN, text)
    else:
        pit.wakes.append(order.key)


def _naps(pit: Pit, order: SimOrder) -> bool:
    """Put an order aside that is to be told Inactive for a while."""
    pit.rules, nap = nap_of(pit.rules, order.terms.order_ref)
    if nap is None:
        return False
    wakes_at = pit.now + timedelta(seconds=nap.seconds) if nap.seconds is not None else None
    if wakes_at is not None:
        pit.wake_at(wakes_at, Alarm.RELEASE, order.key)
    aside = replace(order, is_held=True, why_held=INACTIVE, active_at=wakes_at)
    pit.show(pit.put(aside))
    return True


def first_chance(pit: Pit, order: SimOrder, sec_type: str) -> datetime:
    """Return when an order can first trade: now, or when its start or its session comes."""
    since = max(pit.now, starts_at(order.terms) or pit.now)
    if may_trade(order, phase_at(sec_type, since)):
        return since
    return next_opening(sec_type, since, extended=reaches_extended(order))
