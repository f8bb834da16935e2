"""What a size is found from: the broker's prices and daily bars, and the journal's trips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import ZERO
from ibkr_trader.execution.long_reading import every_message
from ibkr_trader.execution.placing import QUOTE_TIMEOUT, learn_to_open
from ibkr_trader.portfolio.positions import signed
from ibkr_trader.portfolio.results import Record, charged, round_trips
from ibkr_trader.risk.entry_stops import most_lost
from ibkr_trader.risk.pricing import market_price
from ibkr_trader.risk.sizing import AtrRisk, CannotSize, Kelly, Sized, Stakes, capped
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.volatility import PERIOD, average_true_range
from ibkr_trader.rules.bar_sizes import SIZES, duration_for

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import ContractDetails, OrderRequest
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.sizing import Sizing

_DAY_BAR = "1 day"
_DAYS = 3 * PERIOD  # bars of a day: enough for the average to settle


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
        RiskCheckError: If nobody can name it now, and nothing may be opened anyway.
        BrokerUnavailable: If nobody answers.
    """
    details = await learn_to_open(trader, entry.symbol)
    await trader.study(details.contract, timeout=QUOTE_TIMEOUT)
    view = trader.outlook.view()
    try:
        equity = view.account_value("net_liquidation")
        paid = entry.limit_price or entry.stop_price
        paid = paid or market_price(view, details.contract, entry.side)
    except FactMissing as fact:
        raise CannotSize(fact.message, fact.hint) from fact
    stakes = Stakes(
        entry=paid,
        sign=entry.side.sign,
        stop=_price_of(stop, paid) if stop is not None else None,
        equity=equity,
        multiplier=details.contract.multiplier,
        lot=details.min_size,
        daily_range=await _daily_range(trader, details) if isinstance(rule, AtrRisk) else None,
        record=await record_of(trader) if isinstance(rule, Kelly) and rule.odds is None else None,
    )
    return capped(
        rule.size(stakes),
        stakes,
        limits=view.limits,
        symbol=view.symbol_limit(details.contract.symbol),
        most_lost=most_lost(view),
    )


def _price_of(stop: OrderRequest, paid: Decimal) -> Decimal | None:
    """Where it gives up: a trail at first stands behind the entry."""
    behind = stop.trail_amount
    if stop.trail_percent is not None:
        behind = paid * stop.trail_percent / 100
    return stop.stop_price if behind is None else paid + behind * stop.side.sign


async def record_of(trader: Trader) -> Record:
    """Return how the trips of this journal ended, each execution in its latest revision.

    What an execution cost is told after it, so it is looked for, too. Everybody else gets a
    turn while a long journal is read.

    Raises:
        JournalError: If the journal is damaged.
    """
    known_fills = charged(
        [
            message
            async for message in every_message(trader.journal)
            if isinstance(message, ev.FillEvent | ev.CommissionEvent)
        ]
    )
    moved: dict[int, Decimal] = {}
    for fill in known_fills:
        con_id = fill.contract.con_id
        moved[con_id] = moved.get(con_id, ZERO) + signed(fill)
    positions = trader.portfolio.positions
    held = {con_id: positions[con_id].quantity for con_id in positions}
    strays = [con_id for con_id, total in moved.items() if total != held.get(con_id, ZERO)]
    return Record.of(round_trips(known_fills, strays))


async def _daily_range(trader: Trader, details: ContractDetails) -> Decimal | None:
    duration = duration_for(_DAYS, SIZES[_DAY_BAR])
    bars = await trader.market.bars(details.contract, duration=duration, bar_size=_DAY_BAR)
    return average_true_range(bars)
