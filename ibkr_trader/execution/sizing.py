"""What a size is found from: the broker's prices and daily bars, and the journal's trips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO
from ibkr_trader.execution.placing import QUOTE_TIMEOUT
from ibkr_trader.portfolio.positions import signed
from ibkr_trader.portfolio.results import Record, round_trips
from ibkr_trader.risk.sizing import AtrRisk, CannotSize, Kelly, Sized, Ticket, capped
from ibkr_trader.risk.volatility import PERIOD, average_true_range

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import ContractDetails, Fill, FillId, OrderRequest
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.sizing import Sizing

_DAYS = f"{3 * PERIOD} D"  # of bars: enough for the average to settle


async def size(
    trader: Trader, rule: Sizing, entry: OrderRequest, *, stop: OrderRequest | None
) -> Sized:
    """Return how many to trade by `rule`, cut to the limits, with every reason.

    Args:
        trader: In sync with the broker.
        rule: How to find the quantity.
        entry: What is to be entered; its own quantity does not matter.
        stop: What will give up; None if the rule says where, or there is none.

    Raises:
        CannotSize: If the rule finds no quantity, or lacks what it needs.
        AmbiguousContract: If the symbol is not exactly one contract.
        BrokerUnavailable: If nobody answers.
    """
    details = await trader.learn(entry.symbol)
    values = trader.portfolio.values
    equity = values.net_liquidation if values is not None else None
    if equity is None:
        raise CannotSize("the broker has not stated what the account is worth")
    paid = entry.limit_price or await _market(trader, details, entry.side)
    ticket = Ticket(
        entry=paid,
        sign=entry.side.sign,
        stop=_price_of(stop, paid) if stop is not None else None,
        equity=equity,
        multiplier=details.contract.multiplier,
        lot=details.min_size,
        daily_range=await _daily_range(trader, details) if isinstance(rule, AtrRisk) else None,
        record=record_of(trader) if isinstance(rule, Kelly) and rule.odds is None else None,
    )
    view = trader.outlook.view()
    symbol = view.symbol_limit(details.contract.symbol)
    return capped(rule.size(ticket), ticket, limits=view.limits, symbol=symbol)


def _price_of(stop: OrderRequest, paid: Decimal) -> Decimal | None:
    """Where it gives up: a trail at first stands behind the entry."""
    behind = stop.trail_amount
    if stop.trail_percent is not None:
        behind = paid * stop.trail_percent / 100
    return stop.stop_price if behind is None else paid + behind * stop.side.sign


def record_of(trader: Trader) -> Record:
    """Return how the trips of this journal ended, each execution in its latest revision.

    Raises:
        JournalError: If the journal is damaged.
    """
    fills: dict[FillId, Fill] = {}
    for _, message in trader.journal.messages():
        if isinstance(message, ev.FillEvent):
            fills[message.fill.fill_id] = message.fill
    moved: dict[int, Decimal] = {}
    for fill in fills.values():
        con_id = fill.contract.con_id
        moved[con_id] = moved.get(con_id, ZERO) + signed(fill)
    positions = trader.portfolio.positions
    held = {con_id: positions[con_id].quantity for con_id in positions}
    strays = [con_id for con_id, sum_ in moved.items() if sum_ != held.get(con_id, ZERO)]
    return Record.of(round_trips(fills.values(), strays))


async def _market(trader: Trader, details: ContractDetails, side: Side) -> Decimal:
    quote = await trader.study(details.contract, timeout=QUOTE_TIMEOUT)
    near = None
    if quote is not None:
        near = (quote.ask if side is Side.BUY else quote.bid) or quote.mark
    if near is None or near <= 0:
        name = label(details.contract)
        raise CannotSize(f"there is no price for {name}", "give --limit, or --quantity")
    return near


async def _daily_range(trader: Trader, details: ContractDetails) -> Decimal | None:
    bars = await trader.market.bars(details.contract, duration=_DAYS, bar_size="1 day")
    return average_true_range(bars)
