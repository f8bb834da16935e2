"""How an order comes in: parked, transmitted with its family, accepted, changed or refused."""

from datetime import timedelta

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.sim import refusals
from ibkr_trader.sim.adjusting import first_stop
from ibkr_trader.sim.changing import modify
from ibkr_trader.sim.checks import check_form
from ibkr_trader.sim.credit import account_refusal, bounds_of_tws, canonical, sells_short
from ibkr_trader.sim.families import is_exit
from ibkr_trader.sim.floor_rules import rejection_of
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.life import rearrange, release, set_aside
from ibkr_trader.sim.matching import EXTENDED_TYPES
from ibkr_trader.sim.oca import join_refusal, type_for
from ibkr_trader.sim.order_times import ends_at
from ibkr_trader.sim.orders import (
    OrderKey,
    OrderTerms,
    Refusal,
    SimOrder,
    SimStatus,
)
from ibkr_trader.sim.pit import Alarm, Pit

_IMPLICIT_OCA_TYPE = 3  # what TWS puts a bracket's exits under
replace = msgspec.structs.replace


def place(pit: Pit, key: OrderKey, terms: OrderTerms) -> None:
    """Take a placeOrder: a new order, another try at a parked one, or a change."""
    terms = canonical(terms)
    pit.ledger.see(key)
    refusal = bounds_of_tws(pit, key, terms)
    if refusal is not None:
        pit.notice(key, refusal.code, refusal.text)
        return
    known = pit.ledger.orders.get(key)
    if known is not None and known.is_working:
        refusal = modify(pit, known, terms)
        if refusal is not None:
            pit.notice(key, refusal.code, refusal.text)
        return
    refusal = _first_refusal(pit, key, terms, known=known)
    if refusal is not None:
        pit.notice(key, refusal.code, refusal.text)
        return
    if known is not None:
        pit.ledger.forget(key)  # parked: it may have another parent now
    pit.put(
        SimOrder(
            client_id=key.client_id,
            order_id=key.order_id,
            terms=terms,
            side=Side(terms.action),
            quantity=terms.quantity,
            status=SimStatus.UNTRANSMITTED,
        )
    )
    if terms.transmit:
        for member in _to_transmit(pit, key):
            _accept(pit, member)
    else:
        pit.ledger.see(key, is_used=True)


def _first_refusal(
    pit: Pit, key: OrderKey, terms: OrderTerms, *, known: SimOrder | None
) -> Refusal | None:
    """What keeps an order from even being parked."""
    if known is not None and known.status is SimStatus.FILLED:
        return refusals.FILLED
    used = pit.ledger.used_ids.get(key.client_id, 0)
    is_free = known is not None and not known.status.is_closed
    if not is_free and 0 < key.order_id <= used:  # below zero it is a person's, at TWS
        return refusals.DUPLICATE_ID
    if terms.con_id not in pit.universe:
        return refusals.NO_CONTRACT
    if terms.action not in {"BUY", "SELL"}:
        return refusals.invalid("Invalid side")
    return None


def _to_transmit(pit: Pit, key: OrderKey) -> list[OrderKey]:
    """The orders that go out with this one: a child takes its parked family along."""
    if pit.ledger.orders[key].parent_key is None:
        return [key]
    found, queue = [], [pit.ledger.root_of(key)]
    while queue:  # parents before children, in order of their ids
        member = queue.pop(0)
        found.append(member)
        queue += sorted(pit.ledger.children.get(member, ()))
    return [member for member in found if not pit.ledger.orders[member].is_visible]


def _accept(pit: Pit, key: OrderKey) -> None:
    order = pit.ledger.orders[key]
    asked = order.terms
    instrument = pit.universe[asked.con_id]
    refusal = check_form(asked, instrument, account=pit.config.account, now=pit.now)
    refusal = refusal or _floor_refusal(pit, order) or join_refusal(pit, asked)
    is_rejection = refusal is not None and refusal.code == refusals.REJECTED
    if refusal is not None and not is_rejection:
        pit.ledger.forget(key)
        pit.notice(key, refusal.code, refusal.text)
        return
    order = _numbered(pit, order, instrument)
    pit.ledger.accept(key)
    refusal = refusal or account_refusal(pit, order, instrument)
    if refusal is not None:
        set_aside(pit, order, refusal=refusal)
        return
    if order.expires_at is not None:
        pit.wake_at(order.expires_at, Alarm.EXPIRE, key)
    if not asked.tif:  # first: clients take any code for bad news, until the status that follows
        pit.notice(key, refusals.TIF_ASSUMED, refusals.TIF_TEXT)
    _start(pit, order, instrument)
    if asked.outside_rth and asked.order_type not in EXTENDED_TYPES:
        pit.notice(key, refusals.OUTSIDE_RTH_IGNORED, refusals.OUTSIDE_RTH_TEXT)


def _floor_refusal(pit: Pit, order: SimOrder) -> Refusal | None:
    if order.parent_key is not None:
        parent = pit.order(order.parent_key)
        if parent is None or not parent.is_visible:
            return refusals.NO_PARENT
    if pit.rules.refuses_halted and order.terms.con_id in pit.feed.halted:
        return refusals.HALTED
    if _is_crowded(pit, order):
        return refusals.CROWDED
    if not pit.rules.rejections:
        return None
    rules, refusal = rejection_of(pit.rules, order.terms.order_ref)
    pit.rules = rules
    return refusal


def _is_crowded(pit: Pit, order: SimOrder) -> bool:
    """Say whether one side of the contract has as many orders as it may; whoever placed them."""
    most, known = pit.rules.most_a_side, pit.ledger.orders
    if most is None:
        return False
    side = (order.terms.con_id, order.side)
    working = (known[key] for key in pit.ledger.open if known[key].is_visible)
    return sum((one.terms.con_id, one.side) == side for one in working) >= most


def _numbered(pit: Pit, order: SimOrder, instrument: Instrument) -> SimOrder:
    """The order with what the exchange gives it: numbers, an end, its place in a family."""
    terms = order.terms if order.terms.tif else replace(order.terms, tif="DAY")
    parent = pit.ledger.orders.get(order.parent_key) if order.parent_key else None
    group, oca_type = terms.oca_group, type_for(pit, terms) if terms.oca_group else 0
    if not group and parent is not None and is_exit(parent, order):
        group, oca_type = str(parent.perm_id), terms.oca_type or _IMPLICIT_OCA_TYPE
    order = replace(
        order,
        terms=terms,
        status=SimStatus.PRE_SUBMITTED,
        perm_id=pit.next_perm_id,
        parent_perm_id=parent.perm_id if parent is not None else 0,
        sequence=pit.next_sequence,
        stop_price=first_stop(terms),
        oca_group=group,
        oca_type=oca_type or terms.oca_type,
        placed_at=pit.now,
    )
    pit.next_perm_id += 1
    pit.next_sequence += 1
    ends = ends_at(order, instrument.sec_type, pit.now)
    return pit.put(replace(order, expires_at=ends))


def _start(pit: Pit, order: SimOrder, instrument: Instrument) -> None:
    """Hold an accepted order for its parent or a locate, or let it go."""
    if order.parent_key is not None:
        pit.show(pit.put(replace(order, is_held=True, why_held="child")))
        rearrange(pit, order.parent_key)  # the parent may have filled already
    elif instrument.shortable == "locate" and sells_short(pit, order):
        seconds = pit.rules.locates.get(instrument.con_id, pit.config.locate_seconds)
        found_at = pit.now + timedelta(seconds=seconds) if seconds is not None else None
        held = replace(order, is_held=True, why_held="locate", active_at=found_at)
        if found_at is not None:
            pit.wake_at(found_at, Alarm.RELEASE, order.key)
        pit.show(pit.put(held))
        pit.notice(order.key, refusals.LOCATING, refusals.LOCATE_TEXT)
    else:
        release(pit, order, is_new=True)
