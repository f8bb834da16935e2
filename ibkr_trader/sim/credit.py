"""What the account can carry: rejections (201) and what-ifs."""

from decimal import Decimal

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.sim import refusals
from ibkr_trader.sim.account import PositionRecord, Totals, commission, fold
from ibkr_trader.sim.adjusting import first_stop
from ibkr_trader.sim.checks import check_form
from ibkr_trader.sim.families import is_exit
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.orders import OrderKey, OrderTerms, Preview, Refusal, SimOrder, SimStatus
from ibkr_trader.sim.pit import Pit
from ibkr_trader.sim.precautions import precaution_refusal

ZERO = Decimal(0)


def canonical(terms: OrderTerms) -> OrderTerms:
    """Return terms with TWS's words in capitals."""
    words = (terms.action.upper(), terms.order_type.upper(), terms.tif.upper())
    if words == (terms.action, terms.order_type, terms.tif):
        return terms
    return msgspec.structs.replace(terms, action=words[0], order_type=words[1], tif=words[2])


def bounds_of_tws(pit: Pit, key: OrderKey, terms: OrderTerms) -> Refusal | None:
    """Return what the settings of TWS have against an order, or None."""
    instrument = pit.universe.get(terms.con_id)
    if instrument is None:
        return None
    market = (instrument, pit.feed.tape(terms.con_id))
    return precaution_refusal(pit.rules.precautions, key, terms, market=market)


def account_refusal(pit: Pit, order: SimOrder, instrument: Instrument) -> Refusal | None:
    """Return why the account may not have this order (201), or None.

    A bracket's exits are not asked: they end what their entry was allowed to open.
    """
    if order.parent_key is not None:
        parent = pit.ledger.orders.get(order.parent_key)
        if parent is not None and is_exit(parent, order):
            return None
    held = _held(pit, instrument.con_id)
    signed = order.remaining * order.side.sign
    if abs(held + signed) <= abs(held) and held * (held + signed) >= 0:
        return None  # it only reduces
    if instrument.closing_only:
        return refusals.rejected("Only closing orders are permitted in this instrument.")
    if instrument.shortable == "none" and sells_short(pit, order):
        return refusals.rejected("The contract is not available for short sale.")
    if instrument.sec_type == "CASH":
        return None
    before = pit.account.totals()
    after = _after(pit, order, instrument)
    margin, equity = after.init_margin, after.equity_with_loan
    if margin > before.init_margin and margin > equity:
        return refusals.short_of_margin(equity, margin, pit.config.currency)
    if equity < 0:  # an option paid in full, with money that is not there
        return refusals.short_of_margin(equity, margin, pit.config.currency)
    return None


def _held(pit: Pit, con_id: int) -> Decimal:
    position = pit.account.positions.get(con_id)
    return position.quantity if position is not None else ZERO


def sells_short(pit: Pit, order: SimOrder) -> bool:
    """Say whether a sale is of more than is held."""
    return order.side is Side.SELL and _held(pit, order.terms.con_id) < order.remaining


def _after(pit: Pit, order: SimOrder, instrument: Instrument) -> Totals:
    """The account's figures if the order filled whole at its likely price."""
    con_id, quantity = instrument.con_id, order.remaining
    price = _likely_price(pit, order)
    value = quantity * order.side.sign * price * instrument.multiplier
    fee = commission(instrument, quantity=quantity, value=abs(value))
    before = pit.account.positions.get(con_id) or PositionRecord(
        con_id=con_id, quantity=ZERO, cost=ZERO
    )
    signed = quantity * order.side.sign
    position, _ = fold(before, signed=signed, value=value, fee=fee)
    rate = pit.feed.rate(instrument.currency, pit.config.currency)
    return pit.account.totals(position, spent=(value + fee) * rate)


def _likely_price(pit: Pit, order: SimOrder) -> Decimal:
    """The order's own price or the market's, whichever is dearer for the account.

    A limit far from the market is no gain: else it would pay for its own margin.
    """
    tape = pit.feed.tape(order.terms.con_id)
    is_buy = order.side is Side.BUY
    named = order.terms.limit_price or order.stop_price
    market = next((p for p in (tape.ask if is_buy else tape.bid, tape.last, tape.close) if p), None)
    if named is None or market is None:
        return named or market or ZERO
    return max(named, market) if is_buy else min(named, market)


def preview(pit: Pit, key: OrderKey, terms: OrderTerms) -> Preview | Refusal:
    """Return what an order would do to the margins, or why it would be refused."""
    terms = canonical(terms)
    instrument = pit.universe.get(terms.con_id)
    refusal = bounds_of_tws(pit, key, terms) or check_form(
        terms, instrument, account=pit.config.account, now=pit.now
    )
    if refusal is not None or instrument is None:
        return refusal or refusals.NO_CONTRACT
    order = SimOrder(
        client_id=key.client_id,
        order_id=key.order_id,
        terms=terms,
        side=Side(terms.action),
        quantity=terms.quantity,
        status=SimStatus.PRE_SUBMITTED,
        stop_price=first_stop(terms),
    )
    refusal = account_refusal(pit, order, instrument)
    before, after = pit.account.totals(), _after(pit, order, instrument)
    price = _likely_price(pit, order) * instrument.multiplier
    return Preview(
        init_margin_before=before.init_margin,
        init_margin_after=after.init_margin,
        maint_margin_before=before.maint_margin,
        maint_margin_after=after.maint_margin,
        equity_before=before.equity_with_loan,
        equity_after=after.equity_with_loan,
        commission=commission(instrument, quantity=terms.quantity, value=price * terms.quantity),
        currency=pit.config.currency,
        warning=refusal.text if refusal is not None else "",
    )
