"""What is listed, and what its market looks like at one moment: the nouns of the simulator."""

from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

import msgspec

from ibkr_trader.core.models import PriceBand

ZERO = Decimal(0)
_ONE = Decimal(1)


# How easy shares are to borrow, as TWS counts (tick 46), and how many there are (tick 89).
BORROWING = MappingProxyType(
    {"easy": (Decimal(3), Decimal(5_000_000)), "locate": (Decimal(2), ZERO), "none": (_ONE, ZERO)}
)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One contract that can be looked up, quoted and (mostly) traded.

    Attributes:
        con_id: IBKR's number; unique.
        sec_type: `STK`, `OPT`, `CASH`.
        primary_exchange: The listing exchange; `exchanges` also has SMART where it routes.
        bands: Price increments; `market_rule_id` names them for reqMarketRule.
        sector: IBKR's industry; groups instruments that move together.
        beta, sector_beta, volatility: Of the price model; the volatility is a year's, of what
            is the instrument's own.
        spread_ticks, lot: Of the price model: usual width of the quote, usual size of a side.
        opening_price: Where the first simulated session opens.
        shortable: `easy`, `locate` (held with 404 until shares are found), `none` (refused).
        data_permission: False is answered with 354 when asked for quotes.
        closing_only: True refuses orders that open or add.
        underlying_con_id, expiry, strike, right: Of options only.
    """

    con_id: int
    symbol: str
    sec_type: str
    currency: str
    primary_exchange: str
    long_name: str
    opening_price: Decimal
    exchanges: tuple[str, ...] = ("SMART",)
    local_symbol: str = ""
    trading_class: str = ""
    stock_type: str = ""  # COMMON, ETF, ADR
    sector: str = ""
    category: str = ""
    market_rule_id: int = 26
    bands: tuple[PriceBand, ...] = (PriceBand(ZERO, Decimal("0.01")),)
    min_size: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)
    beta: float = 1.0
    sector_beta: float = 0.5
    volatility: float = 0.2
    spread_ticks: int = 1
    lot: int = 400
    daily_volume: int = 5_000_000
    shortable: str = "easy"
    data_permission: bool = True
    closing_only: bool = False
    underlying_con_id: int = 0
    expiry: str = ""
    strike: Decimal = ZERO
    right: str = ""

    @property
    def routing_exchange(self) -> str:
        """Where orders go when nothing else is said: SMART, or the only exchange."""
        return self.exchanges[0]

    @property
    def borrowing(self) -> tuple[Decimal, Decimal] | None:
        """How easy it is to borrow, as TWS counts, and how many there are; None if no share."""
        return BORROWING[self.shortable] if self.sec_type == "STK" else None

    @property
    def min_tick(self) -> Decimal:
        """The smallest price increment."""
        return min(band.increment for band in self.bands)


class Tape(msgspec.Struct, frozen=True, kw_only=True):
    """The market of one instrument at one moment; a side nobody quotes is None.

    `close` is the previous session's; `open`, `high`, `low` and `volume` are the day's.
    """

    con_id: int
    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal = ZERO
    ask_size: Decimal = ZERO
    last: Decimal | None = None
    last_size: Decimal = ZERO
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    volume: Decimal = ZERO
    halted: bool = False

    @property
    def mark(self) -> Decimal | None:
        """The price to value a position at: last within bid and ask, else the nearer of them."""
        if self.bid is None or self.ask is None or self.bid > self.ask:
            return self.last or self.close
        if self.last is None:
            return (self.bid + self.ask) / 2
        return min(max(self.last, self.bid), self.ask)


class SimBar(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of trading, stamped with its start in UTC; `session` is its trading day."""

    at: datetime
    session: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    average: Decimal
    count: int
