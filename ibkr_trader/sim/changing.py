"""How an open order is changed: the same id placed again, under TWS's rules for that.

A refused change leaves the order working as it was: only a notice says so.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.sim import refusals
from ibkr_trader.sim.checks import check_form
from ibkr_trader.sim.credit import account_refusal
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.life import rearrange, release
from ibkr_trader.sim.order_times import ends_at
from ibkr_trader.sim.orders import OrderTerms, Refusal, SimOrder
from ibkr_trader.sim.pit import Alarm, Pit

ZERO = Decimal(0)
replace = msgspec.structs.replace


def modify(pit: Pit, order: SimOrder, terms: OrderTerms) -> None:
    """Change an open order, or say why not. Untransmitted changes have no effect."""
    if not terms.transmit:
        return
    if not terms.tif:
        terms = replace(terms, tif=order.terms.tif)
    instrument = pit.universe[order.terms.con_id]
    refusal = (
        _mismatch(order, terms)
        or check_form(terms, instrument, account=pit.config.account, now=pit.now)
        or _too_small(order, terms)
    )
    if refusal is None:
        changed = _changed(pit, order, terms, instrument=instrument)
        refusal = _unaffordable(pit, order, changed, instrument=instrument)
        if refusal is None:
            _apply(pit, order, changed)
            return
    pit.notice(order.key, refusal.code, refusal.text)


def _mismatch(order: SimOrder, terms: OrderTerms) -> Refusal | None:
    before = order.terms
    basics = (before.con_id, before.action, before.account or terms.account, before.parent_id)
    if basics != (terms.con_id, terms.action, terms.account or before.account, terms.parent_id):
        return refusals.MISMATCH
    if before.order_type != terms.order_type:
        return refusals.TYPE_CHANGED
    if terms.oca_group not in {"", before.oca_group, order.oca_group}:
        return refusals.OCA_REVISED
    return None


def _too_small(order: SimOrder, terms: OrderTerms) -> Refusal | None:
    return refusals.MODIFY_FAILED if terms.quantity <= order.filled else None


def _changed(pit: Pit, order: SimOrder, terms: OrderTerms, *, instrument: Instrument) -> SimOrder:
    before = order.terms
    changed = replace(order, terms=terms, quantity=terms.quantity, stop_price=_stop(order, terms))
    kept = (before.limit_price, before.aux_price, order.quantity)
    if kept[:2] != (terms.limit_price, terms.aux_price) or terms.quantity > order.quantity:
        changed = replace(changed, sequence=pit.next_sequence)  # it goes to the end of the queue
        pit.next_sequence += 1
    ends = ends_at(changed, instrument.sec_type, pit.now)
    return replace(changed, expires_at=ends)


def _stop(order: SimOrder, terms: OrderTerms) -> Decimal | None:
    """A changed trail keeps the stop it has reached, unless a new one is named."""
    if terms.order_type != "TRAIL":
        return terms.aux_price if order.stop_price is not None else None
    asked = terms.trail_stop_price
    return order.stop_price if asked in {None, order.terms.trail_stop_price} else asked


def _unaffordable(
    pit: Pit, order: SimOrder, changed: SimOrder, *, instrument: Instrument
) -> Refusal | None:
    is_more = changed.quantity > order.quantity
    limits = (order.terms.limit_price or ZERO, changed.terms.limit_price or ZERO)
    if not is_more and limits[1] * order.side.sign <= limits[0] * order.side.sign:
        return None
    return account_refusal(pit, changed, instrument)


def _apply(pit: Pit, order: SimOrder, changed: SimOrder) -> None:
    book = pit.books.get(order.terms.con_id)
    if book is not None:
        book.remove(order.key)
    if changed.expires_at is not None and changed.expires_at != order.expires_at:
        pit.wake_at(changed.expires_at, Alarm.EXPIRE, order.key)
    pit.put(changed)
    if changed.parent_key is not None:
        rearrange(pit, changed.parent_key)
    now = pit.order(order.key)
    if now is None:
        return
    if now.is_held and now.why_held not in {"child", "locate"}:
        release(pit, now, is_new=True)  # its hours may be others now
    else:
        pit.show(now)
        if not now.is_held:
            pit.wakes.append(now.key)
    if order.key in pit.ledger.children:
        rearrange(pit, order.key)
