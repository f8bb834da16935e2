"""How an open order is changed: the same id placed again, under TWS's rules for that.

A refused change leaves the order working as it was: only a notice says so.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.sim import refusals
from ibkr_trader.sim.adjusting import first_stop, offset_of
from ibkr_trader.sim.checks import check_form
from ibkr_trader.sim.credit import account_refusal
from ibkr_trader.sim.floor_rules import rejection_of
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.life import filled_by_others, rearrange, release
from ibkr_trader.sim.matching import TRAIL_TYPES, own_limit
from ibkr_trader.sim.order_times import ends_at
from ibkr_trader.sim.orders import INACTIVE, OrderTerms, Refusal, SimOrder
from ibkr_trader.sim.pit import Alarm, Pit

ZERO = Decimal(0)
replace = msgspec.structs.replace


def modify(pit: Pit, order: SimOrder, terms: OrderTerms) -> Refusal | None:
    """Change an open order, or return why not. Untransmitted changes have no effect.

    What a change does not state stays: the lifetime, and what the order is attached to.
    """
    if not terms.transmit:
        return None
    terms = replace(
        terms,
        tif=terms.tif or order.terms.tif,
        parent_id=terms.parent_id or order.terms.parent_id,
    )
    instrument = pit.universe[order.terms.con_id]
    refusal = (
        _mismatch(order, terms)
        or check_form(terms, instrument, account=pit.config.account, now=pit.now)
        or _too_small(order, terms)
        or _scripted(pit, order)
    )
    if refusal is None:
        changed = _changed(pit, order, terms, instrument=instrument)
        refusal = _unaffordable(pit, order, changed, instrument=instrument)
        if refusal is None:
            _apply(pit, order, changed)
    return refusal


def _scripted(pit: Pit, order: SimOrder) -> Refusal | None:
    if not pit.rules.rejections:
        return None
    rules, refusal = rejection_of(pit.rules, order.terms.order_ref, of_changes=True)
    pit.rules = rules
    return refusal


def _mismatch(order: SimOrder, terms: OrderTerms) -> Refusal | None:
    before = order.terms
    basics = (before.con_id, before.action, before.account or terms.account, before.parent_id)
    if basics != (terms.con_id, terms.action, terms.account or before.account, terms.parent_id):
        return refusals.MISMATCH
    if before.order_type != terms.order_type:
        return refusals.TYPE_CHANGED
    # A group that its client named must be named again; one that TWS made may be left out.
    if terms.oca_group not in {before.oca_group, order.oca_group}:
        return refusals.OCA_REVISED
    if order.oca_group and terms.oca_type not in {0, before.oca_type, order.oca_type}:
        return refusals.OCA_TYPE_REVISED
    return None


def _too_small(order: SimOrder, terms: OrderTerms) -> Refusal | None:
    return refusals.MODIFY_FAILED if terms.quantity <= order.filled else None


def _changed(pit: Pit, order: SimOrder, terms: OrderTerms, *, instrument: Instrument) -> SimOrder:
    terms = replace(terms, oca_group=order.terms.oca_group)
    # What is stated is the size: what its group has taken before is no part of a new one.
    changed = replace(
        order,
        terms=terms,
        quantity=terms.quantity,
        oca_cut=ZERO,
        sized_at=_sized_at(pit, order),
        stop_price=_stop(order, terms),
    )
    changed = replace(changed, limit_offset=_offset(order, changed, instrument))
    kept = (order.terms.limit_price, order.terms.aux_price)
    if kept != (terms.limit_price, terms.aux_price) or terms.quantity > order.quantity:
        changed = replace(changed, sequence=pit.next_sequence)  # it goes to the end of the queue
        pit.next_sequence += 1
    ends = ends_at(changed, instrument.sec_type, pit.now)
    return replace(changed, expires_at=ends)


def _sized_at(pit: Pit, order: SimOrder) -> Decimal | None:
    """What its group had closed by now; None while its entry still sizes the order itself."""
    parent = pit.ledger.orders.get(order.parent_key) if order.parent_key is not None else None
    if parent is not None and not parent.status.is_closed:
        return None
    return filled_by_others(pit, order)


def _stop(order: SimOrder, terms: OrderTerms) -> Decimal | None:
    """A changed trail keeps the stop it has reached, unless a new one is named."""
    if terms.order_type not in TRAIL_TYPES:
        return first_stop(terms)
    asked = terms.trail_stop_price
    return order.stop_price if asked in {None, order.terms.trail_stop_price} else asked


def _offset(order: SimOrder, changed: SimOrder, instrument: Instrument) -> Decimal | None:
    """A changed TRAIL LIMIT keeps its limit as far from its stop as it was, unless told."""
    terms = changed.terms
    if terms.order_type != "TRAIL LIMIT":
        return None
    is_same = terms.limit_price in {None, order.terms.limit_price, own_limit(order)}
    if terms.limit_price_offset is None and is_same:
        return order.limit_offset
    return offset_of(changed, terms, instrument.bands)


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
    if now.is_held and now.why_held not in {"child", "locate", INACTIVE}:
        release(pit, now, is_new=True)  # its hours may be others now
    else:
        pit.show(now)
        if not now.is_held:
            pit.wakes.append(now.key)
    if order.key in pit.ledger.children:
        rearrange(pit, order.key)
