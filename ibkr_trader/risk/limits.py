"""How much is too much: the limits of the desk, and the tighter ones of a symbol.

Global limits are a cap. The limits of a symbol, or of every symbol that has none of its
own, can only tighten it: the effective limit is the smaller of the two, so no file can
loosen what the configuration says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

import msgspec

from ibkr_trader.core.contracts import stock_symbol
from ibkr_trader.core.enums import SecType
from ibkr_trader.risk.blackouts import refuse_malformed
from ibkr_trader.risk.history import REMEMBERED_ORDERS

# The limits that a symbol may have of its own, as the limits file calls them.
LIMIT_KEYS = (
    "max_position_size",
    "max_order_exposure",
    "max_daily_loss",
    "max_correlation_exposure",
)


class Stale(StrEnum):
    """What holds of correlations that are old, or that nobody has computed."""

    ASSUME_ONE = "assume-one"  # everything moves together
    WARN = "warn"  # the old ones go on, and it is said
    DENY = "deny"  # nothing is opened


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that hold for every symbol. Fractions are of 1: `0.03` is 3 %.

    Raises:
        ValueError: If a limit is not a positive, finite number, or two contradict each other.

    Attributes:
        max_order_quantity: Shares in one opening order.
        max_order_exposure: Value of one opening order, in the account's currency.
        max_position_size: Shares of one symbol, should every working order fill.
        max_symbol_share: Value of one symbol, as a fraction of net liquidation.
        max_gross_exposure: Value of everything, longs and shorts added, likewise.
        max_net_exposure: Longs less shorts, or the other way round, likewise.
        max_open_positions: Contracts that may be held or on their way, at the same time.
        max_daily_loss: Loss of a day, commissions included, at which the desk is halted.
        loss_warning, loss_reducing: At which part of it one is told, and nothing more is opened.
        flatten_on_kill: Whether that halt also closes what is held.
        max_drawdown: Loss from the account's peak at which the desk is halted, as a fraction.
        require_stop: Whether an entry needs a protective stop (`--no-stop` says it is meant).
        max_risk_share: What an entry may lose at its stop, as a fraction of net liquidation.
        max_risk_per_trade: The same, in the account's currency.
        max_heat: What all stops together may lose, as a fraction of net liquidation.
        heat_gap: Daily ranges beyond each stop, for the figures with gaps; the limit counts none.
        max_correlated_share: Net value of what moves together, as a fraction likewise.
        max_sector_share: Net value of one sector, likewise.
        correlation_threshold: From this coefficient on, two symbols move together.
        correlation_ttl: Older coefficients are not relied on.
        stale_correlation: What then holds, `assume-one`, `warn` or `deny`.
        stop_out_cooldown: How long a symbol rests after its stop was hit.
        max_stop_outs: So many a day, and the symbol rests until the next.
        max_rejects_per_symbol, max_rejects: So many refusals by the broker end all openings.
        reject_window: Within this time they count together.
        max_unknown: So many orders of unknown fate, likewise.
        efficiency_warning, max_efficiency: Messages for each execution of a day.
        allow_shorts: Whether a position may be opened short.
        min_shortable: How easy to borrow it must be, as TWS counts.
        max_funds_used: How much of the available funds orders may tie up.
        order_collar: How far past the market an opening order may pay.
        marketable_collar: The same for a plain limit order that trades at once.
        low_price: Below this price the market is coarse, and `low_price_collar` holds.
        closing_collar: How far past the market a closing limit order may pay.
        min_price: A share below this is not opened.
        allowed_symbols: What may be opened at all; empty is everything.
        restricted_symbols: What may not.
        max_spread, max_spread_amount: A market order needs a spread within either.
        min_stop_distance, max_stop_distance: From the entry (or the market) to the stop.
        max_quote_age: An older quote opens nothing.
        allow_delayed_quotes: Whether quotes that are not live may open something.
        max_jump: A price that moved further within a second is not believed.
        halt_pause: How long nothing is opened after a trading halt.
        entry_delay, entry_cutoff: So long after opening, and before closing, nothing is opened.
        blackouts: Times of the exchange's day at which nothing is opened, as `23:40-00:20`.
        max_clock_skew: How far the machine's clock may be from the broker's.
        min_disk_free: Bytes; with less, nothing is opened.
        confirm_above: A command that uses more of a limit asks first, as a fraction of it.
        duplicate_window: The same order within it is taken for a mistake.
        max_openings_per_second, _minute, _day: Opening commands in any such stretch of time.
        max_working_per_side: Working orders of one symbol on one side.
        max_working: Working orders in all, of which `closing_reserve` only close.
        sec_types: What may be opened.
    """

    max_order_quantity: Decimal = Decimal(100)
    max_order_exposure: Decimal = Decimal(10_000)
    max_position_size: Decimal = Decimal(100)
    max_symbol_share: Decimal = Decimal("0.10")
    max_gross_exposure: Decimal = Decimal(1)
    max_net_exposure: Decimal = Decimal(1)
    max_open_positions: int = 5
    max_daily_loss: Decimal = Decimal(1_000)
    loss_warning: Decimal = Decimal("0.50")
    loss_reducing: Decimal = Decimal("0.80")
    flatten_on_kill: bool = False
    max_drawdown: Decimal = Decimal("0.05")
    require_stop: bool = True
    max_risk_share: Decimal = Decimal("0.01")
    max_risk_per_trade: Decimal = Decimal(250)
    max_heat: Decimal = Decimal("0.05")
    heat_gap: Decimal = Decimal(1)
    max_correlated_share: Decimal = Decimal("0.30")
    max_sector_share: Decimal = Decimal("0.30")
    correlation_threshold: Decimal = Decimal("0.7")
    correlation_ttl: timedelta = timedelta(days=5)
    stale_correlation: Stale = Stale.ASSUME_ONE
    stop_out_cooldown: timedelta = timedelta(minutes=15)
    max_stop_outs: int = 3
    max_rejects_per_symbol: int = 3
    max_rejects: int = 5
    reject_window: timedelta = timedelta(seconds=60)
    max_unknown: int = 2
    efficiency_warning: Decimal = Decimal(10)
    max_efficiency: Decimal = Decimal(20)
    allow_shorts: bool = True
    min_shortable: Decimal = Decimal("2.5")
    max_funds_used: Decimal = Decimal("0.95")
    order_collar: Decimal = Decimal("0.03")
    marketable_collar: Decimal = Decimal("0.01")
    low_price: Decimal = Decimal(5)
    low_price_collar: Decimal = Decimal("0.05")
    closing_collar: Decimal = Decimal("0.10")
    min_price: Decimal = Decimal(1)
    allowed_symbols: frozenset[str] = frozenset()
    restricted_symbols: frozenset[str] = frozenset()
    max_spread: Decimal = Decimal("0.01")
    max_spread_amount: Decimal = Decimal("0.05")
    min_stop_distance: Decimal = Decimal("0.002")
    max_stop_distance: Decimal = Decimal("0.20")
    max_quote_age: timedelta = timedelta(seconds=5)
    allow_delayed_quotes: bool = False
    max_jump: Decimal = Decimal("0.10")
    halt_pause: timedelta = timedelta(minutes=5)
    entry_delay: timedelta = timedelta(minutes=5)
    entry_cutoff: timedelta = timedelta(minutes=15)
    blackouts: frozenset[str] = frozenset({"23:40-00:20"})
    max_clock_skew: timedelta = timedelta(seconds=10)
    min_disk_free: int = 100_000_000
    confirm_above: Decimal = Decimal("0.50")
    duplicate_window: timedelta = timedelta(seconds=10)
    max_openings_per_second: int = 1
    max_openings_per_minute: int = 6
    max_openings_per_day: int = 60
    max_working_per_side: int = 10
    max_working: int = 50
    closing_reserve: int = 5
    sec_types: frozenset[SecType] = frozenset({SecType.STOCK})

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not _is_sane(getattr(self, name)):
                raise ValueError(f"{name} {_SANE}, not {getattr(self, name)}")
        if self.duplicate_window > REMEMBERED_ORDERS:
            raise ValueError(f"duplicate_window may be {REMEMBERED_ORDERS} at most")
        refuse_malformed(self.blackouts)
        for name in ("allowed_symbols", "restricted_symbols"):
            for symbol in getattr(self, name):
                _refuse_odd(name, symbol)
        if self.closing_reserve >= self.max_working:
            raise ValueError("closing_reserve must be below max_working, or nothing can be opened")


# More than any account holds binds nothing, and would not go into the figures of a share of it.
_LARGEST = Decimal(10) ** 15
_SANE = f"must be a positive number, {_LARGEST:,} at most"

# Fractions that nobody means to be more than the whole: there, 3 was meant as 3 %.
_OF_ONE = (
    *("loss_warning", "loss_reducing", "max_drawdown", "max_risk_share", "max_heat"),
    *("correlation_threshold", "max_funds_used", "order_collar", "marketable_collar"),
    *("low_price_collar", "closing_collar", "max_spread", "min_stop_distance"),
    *("max_stop_distance", "max_jump", "confirm_above"),
)
_OF_THE_ACCOUNT = ("max_symbol_share", "max_correlated_share", "max_sector_share")
_OF_CREDIT = ("max_gross_exposure", "max_net_exposure")
_MOST_CREDIT = 10  # times one's own: nobody is lent more


def percentages(limits: RiskLimits) -> tuple[str, ...]:
    """Return the fractions that look like percentages: a limit of 300 % would bind nothing.

    A share of the account may go as far as all that is held may: `max_gross_exposure`.
    """
    whole = max(Decimal(1), limits.max_gross_exposure)
    most = dict.fromkeys(_OF_ONE, Decimal(1)) | dict.fromkeys(_OF_THE_ACCOUNT, whole)
    most |= dict.fromkeys(_OF_CREDIT, Decimal(_MOST_CREDIT))
    return tuple(name for name, bound in most.items() if getattr(limits, name) > bound)


def _refuse_odd(name: str, symbol: str) -> None:
    """Refuse what no contract is called: it would bind nothing, and nobody would notice."""
    try:
        written = stock_symbol(symbol)
    except ValueError as error:
        raise ValueError(f"{name} must be tickers: {error}") from None
    if written != symbol:
        raise ValueError(f"{name} must be tickers as IBKR has them: {written!r}, not {symbol!r}")


def _is_sane(value: object) -> bool:
    match value:
        case bool() | frozenset() | StrEnum():
            return True
        case Decimal():
            return value.is_finite() and 0 < value <= _LARGEST
        case timedelta():
            return value > timedelta(0)
        case _:
            return isinstance(value, int) and value > 0


class SymbolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one symbol (or of `*`, every other symbol); None leaves it to the next.

    Raises:
        ValueError: If a limit is not a positive, finite number, or shares are not whole.
    """

    symbol: str
    max_position_size: Decimal | None = None
    max_order_exposure: Decimal | None = None
    max_daily_loss: Decimal | None = None
    max_correlation_exposure: Decimal | None = None

    def __post_init__(self) -> None:
        for name in LIMIT_KEYS:
            value: Decimal | None = getattr(self, name)
            if value is not None and not _is_sane(value):
                raise ValueError(f"{self.symbol}: {name} {_SANE}, not {value}")
        shares = self.max_position_size
        if shares is not None and shares != shares.to_integral_value():
            raise ValueError(f"{self.symbol}: max_position_size must be whole, not {shares}")


class EffectiveLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What binds one symbol, once its own limits, the default and the cap are put together."""

    symbol: str
    max_position_size: Decimal
    max_order_exposure: Decimal
    max_daily_loss: Decimal
    max_correlation_exposure: Decimal | None


class SymbolLimitRegistry(msgspec.Struct, frozen=True, kw_only=True):
    """What the limits file says: each symbol's own limits, and the default of the rest."""

    symbols: Mapping[str, SymbolLimits] = MappingProxyType({})
    default: SymbolLimits = SymbolLimits(symbol="*")

    @property
    def is_empty(self) -> bool:
        """Whether it limits nothing: then the caps alone hold."""
        return not any(
            getattr(one, key) is not None
            for one in (self.default, *self.symbols.values())
            for key in LIMIT_KEYS
        )

    def own(self, symbol: str, key: str) -> Decimal | None:
        """Return the limit `key` that `symbol` has here, be it the default's; None if none."""
        entry = self.symbols.get(symbol, self.default)
        value: Decimal | None = getattr(entry, key)
        return value if value is not None else getattr(self.default, key)

    def get_limit(self, symbol: str, cap: RiskLimits) -> EffectiveLimits:
        """Return the limits in force for `symbol`: its own, else the default, within `cap`."""
        own, rest = self.symbols.get(symbol, self.default), self.default
        correlated = own.max_correlation_exposure
        return EffectiveLimits(
            symbol=symbol,
            max_position_size=_tightest(
                own.max_position_size, rest.max_position_size, cap.max_position_size
            ),
            max_order_exposure=_tightest(
                own.max_order_exposure, rest.max_order_exposure, cap.max_order_exposure
            ),
            max_daily_loss=_tightest(own.max_daily_loss, rest.max_daily_loss, cap.max_daily_loss),
            max_correlation_exposure=(
                correlated if correlated is not None else rest.max_correlation_exposure
            ),
        )


def _tightest(own: Decimal | None, default: Decimal | None, cap: Decimal) -> Decimal:
    chosen = own if own is not None else default
    return cap if chosen is None else min(chosen, cap)
