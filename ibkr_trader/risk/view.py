"""All that a review may look at, as of one moment: the checks see this and nothing else.

The shell composes it for each command from what it holds, so it costs no copy. What is
not known is absent, and asking for it raises `FactMissing`: a check cannot mistake
"nobody told us" for zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.models import Contract, ContractDetails, GroupId, Quote
from ibkr_trader.core.tallies import Strikes, Traffic
from ibkr_trader.core.trading_day import exchange_time
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.heat import HeatIndex
from ibkr_trader.portfolio.pnl import DayPnl
from ibkr_trader.portfolio.strategy_accounts import StrategyAccounts
from ibkr_trader.portfolio.strategy_book import StrategyBook
from ibkr_trader.risk.arming import Arming
from ibkr_trader.risk.correlated import CorrelatedIndex
from ibkr_trader.risk.correlation import CorrelationMatrix
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.history import History
from ibkr_trader.risk.limits import EffectiveLimits, RiskLimits, SymbolLimitRegistry
from ibkr_trader.risk.switch import TradingSwitch

if TYPE_CHECKING:
    from ibkr_trader.portfolio.state import PortfolioState


class FactMissing(Exception):
    """A check needs to know something that nobody has told us.

    `about` is the check to name, whichever of them noticed; `hint` says how to get it.
    """

    def __init__(self, message: str, *, about: str = "knowledge", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.about = about
        self.hint = hint


class AgedQuote(msgspec.Struct, frozen=True):
    """A quote, and how long ago its feed last confirmed it (by the monotonic clock).

    A quiet market does not age a quote: a live subscription that has said nothing new
    still says the same. Only the shell can tell the two apart.
    """

    quote: Quote
    age: timedelta
    jump: Decimal | None = None  # how far its middle has just moved, as a fraction of it


class RiskView(msgspec.Struct, frozen=True, kw_only=True):
    """The present, for one review.

    Attributes:
        now: The exchange's time (the gateway's, under the simulator).
        account: The armed account; an order for any other is denied.
        allowed_accounts: Those the configuration lets this profile trade.
        portfolio: Live orders, positions, account values.
        exposure: This very portfolio, summed up; a review of any other is refused.
            `ExposureIndex.follow` brings an earlier index up to date.
        quotes, details: By con_id; at least those of the contracts in the command.
        history: What went out lately.
        state_reason: Why the trading state is not ACTIVE, for the message.
        state_check: The check that says so in its own words, if one does.
        is_synced: Whether everything was asked and answered on this connection.
        is_readonly: The desk is set to only look (`IBKR_READONLY`).
        is_preview: Nothing will be sent, so the orders have no broker ids yet.
        switch: What is halted, of single symbols too; `trading_state` is that of everything.
        arming: Whether a live desk is armed.
        limits_fault: Why the limits file cannot be relied on; empty if it can.
        pnl: The day so far; None if nobody has worked it out.
        heat: What is lost if every stop hits; `follow` brings an earlier one up to date.
        equity_peak: The most that the account was ever worth, as far as is known.
        traffic: The day's messages and executions; None if nobody counts.
        correlations: The newest that were computed; None if there are none.
        sectors: The sector of each symbol that has one.
        sectors_fault: What is wrong with the user's sectors; empty if nothing is.
        correlated: What moves together, added up; `follow` brings an earlier one up to date.
        strikes: What the broker refused or left unanswered lately.
        misled: The open groups of positions that the broker has restated.
        unhalted: When the trading of a contract was last seen halted, by con_id.
        clock_skew: How far the machine's clock is ahead of the broker's; None if unknown.
        zone: The zone of the exchange, for what is set by its wall clock.
        strategies: Which strategy every order and every position belongs to.
        envelopes: How far each strategy that trades may go, by its name.
    """

    now: datetime
    account: str
    allowed_accounts: frozenset[str]
    portfolio: PortfolioState
    exposure: ExposureIndex
    quotes: Mapping[int, AgedQuote] = MappingProxyType({})
    details: Mapping[int, ContractDetails] = MappingProxyType({})
    limits: RiskLimits = RiskLimits()
    symbol_limits: SymbolLimitRegistry = SymbolLimitRegistry()
    history: History = History()
    trading_state: TradingState = TradingState.ACTIVE
    state_reason: str = ""
    state_check: str = ""
    is_synced: bool = False
    is_readonly: bool = False
    is_preview: bool = False
    switch: TradingSwitch = TradingSwitch()
    arming: Arming = Arming()
    limits_fault: str = ""
    pnl: DayPnl | None = None
    heat: HeatIndex = HeatIndex()
    equity_peak: Decimal | None = None
    traffic: Traffic | None = None
    correlations: CorrelationMatrix | None = None
    sectors: Mapping[str, str] = MappingProxyType({})
    sectors_fault: str = ""
    correlated: CorrelatedIndex = CorrelatedIndex()
    strikes: Strikes = Strikes()
    misled: tuple[GroupId, ...] = ()
    unhalted: Mapping[int, datetime] = MappingProxyType({})
    clock_skew: timedelta | None = None
    zone: tzinfo = UTC
    strategies: StrategyBook = StrategyBook()
    envelopes: Mapping[str, Envelope] = MappingProxyType({})

    @property
    def exchange_now(self) -> datetime:
        """The exchange's time: what is open, or closes soon, goes by it."""
        return exchange_time(self.now, self.clock_skew)

    def quote(self, contract: Contract) -> Quote:
        """Return the newest quote of `contract`, whatever its age.

        Raises:
            FactMissing: If there is none.
        """
        return self.aged_quote(contract).quote

    def aged_quote(self, contract: Contract) -> AgedQuote:
        """Return the newest quote of `contract` with its age.

        Raises:
            FactMissing: If there is none.
        """
        aged = self.quotes.get(contract.con_id)
        if aged is None:
            raise FactMissing(
                f"There is no quote for {label(contract)}.",
                about="quote_fresh",
                hint=f"ibkr-trader quote {ticker(contract)}",
            )
        return aged

    def contract_details(self, contract: Contract) -> ContractDetails:
        """Return what the broker says of `contract`.

        Raises:
            FactMissing: If it has not said anything.
        """
        details = self.details.get(contract.con_id)
        if details is None:
            raise FactMissing(
                f"The price steps and trading hours of {label(contract)} are unknown."
            )
        return details

    def symbol_limit(self, symbol: str) -> EffectiveLimits:
        """Return the limits in force for `symbol`."""
        return self.symbol_limits.get_limit(symbol, self.limits)

    def account_value(self, name: str) -> Decimal:
        """Return one of the account's values, such as `net_liquidation`.

        Raises:
            FactMissing: If the broker has not stated it.
        """
        values = self.portfolio.values
        value: Decimal | None = getattr(values, name) if values is not None else None
        if value is None:
            raise FactMissing(f"The broker has not stated the account's {name.replace('_', ' ')}.")
        return value

    def heat_now(self) -> HeatIndex:
        """Return the heat of everything as it is now."""
        no_stop = self.limits.max_stop_distance
        return self.heat.follow(self.portfolio, self.exposure, no_stop=no_stop)

    def strategy_accounts(self) -> StrategyAccounts:
        """Return what each strategy holds and has made, as it is now."""
        return StrategyAccounts(self.strategies, self.portfolio, self.exposure, self.pnl)
