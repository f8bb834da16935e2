"""A split: more or fewer shares, each worth less or more."""

from decimal import ROUND_DOWN, Decimal

import msgspec

from ibkr_trader.core.models import PriceBand
from ibkr_trader.sim import refusals
from ibkr_trader.sim.account import PositionRecord
from ibkr_trader.sim.events import AccountChanged, PositionChanged
from ibkr_trader.sim.life import cancel
from ibkr_trader.sim.matching import to_tick
from ibkr_trader.sim.orders import ZERO
from ibkr_trader.sim.pit import Pit

_PRICES = ("bid", "ask", "last", "open", "high", "low", "close")
replace = msgspec.structs.replace


def split(pit: Pit, con_id: int, ratio: Decimal) -> None:
    """Multiply a position by `ratio` and divide the prices by it.

    Open orders in the instrument are cancelled with a notice, as IBKR does with those that
    would outlive the day: their prices mean nothing any more. What is left of a share becomes
    cash at the new price. No execution is reported. The market stands where the split leaves
    it until it is moved.
    """
    for key in tuple(pit.ledger.open):
        order = pit.order(key)
        if order is not None and order.terms.con_id == con_id:
            cancel(pit, order, reason=refusals.CORPORATE_ACTION)
    price = _divide_market(pit, con_id, ratio)
    held = pit.account.positions.get(con_id)
    if held is not None and held.quantity:
        after = _multiplied(pit, held, ratio, price=price)
        pit.account.positions[con_id] = after
        pit.dirty_positions.add(con_id)
        pit.out.append(PositionChanged(at=pit.now, position=after))
    pit.dirty_account = True
    cash = pit.account.state.cash.get(pit.config.currency, ZERO)
    pit.out.append(AccountChanged(at=pit.now, cash=cash))


def _divide_market(pit: Pit, con_id: int, ratio: Decimal) -> Decimal:
    """Put the market on its new price, and return that."""
    bands, tape = pit.universe[con_id].bands, pit.feed.tape(con_id)
    prices = {name: getattr(tape, name) for name in _PRICES}
    fresh = {
        name: _divided(price, ratio, bands, up=name == "ask")
        for name, price in prices.items()
        if price is not None
    }
    moved = replace(tape, at=pit.feed.now, **fresh)
    pit.feed.put(moved)
    return moved.mark or ZERO


def _divided(price: Decimal, ratio: Decimal, bands: tuple[PriceBand, ...], *, up: bool) -> Decimal:
    tick = min(band.increment for band in bands)
    return max(tick, to_tick(price / ratio, bands, up=up))


def _multiplied(
    pit: Pit, held: PositionRecord, ratio: Decimal, *, price: Decimal
) -> PositionRecord:
    exact = held.quantity * ratio
    whole = exact.to_integral_value(ROUND_DOWN)
    rest = exact - whole
    if not rest:
        return replace(held, quantity=whole)
    instrument = pit.universe[held.con_id]
    paid = rest * price * instrument.multiplier
    cost = held.cost * rest / exact
    cash = dict(pit.account.state.cash)
    cash[instrument.currency] = cash.get(instrument.currency, ZERO) + paid
    pit.account.state = replace(pit.account.state, cash=cash)
    return replace(
        held,
        quantity=whole,
        cost=held.cost - cost,
        realized_pnl=held.realized_pnl + paid - cost,
        day_flow=held.day_flow - paid,
    )
