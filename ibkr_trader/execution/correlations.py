"""Fetching the daily prices of many symbols, one after the other, as fast as the broker likes it.

IBKR lets one ask for 60 histories in ten minutes, and for the same one every 15 seconds.
What has come is kept at once, so a run that was broken off goes on where it was, and what
is complete up to the last session is not asked for again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from ibkr_trader.core.enums import SecType
from ibkr_trader.core.errors import AmbiguousContract, BrokerUnavailable, DataRefused
from ibkr_trader.risk.price_history import RANGE_DAYS, PriceHistory, history_of
from ibkr_trader.rules.bar_sizes import SIZES, duration_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ibkr_trader.core.models import Bar, ContractDetails
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.correlation import CorrelationMatrix

DAY_BAR = "1 day"
PATIENCE = 60.0  # seconds: IBKR's history servers are in no hurry
SAME_AGAIN = 15.0  # seconds between two requests for the same
_TRIES = 5  # at a symbol that was asked for too fast
_SILENT = 3  # symbols in a row without an answer: the history servers are away
_SPARE = 5  # sessions asked for beyond those needed: the one under way, and gaps
_SATURDAY = 5
_MOMENT = 0.3  # seconds for what is on its way
_SETTLED = timedelta(minutes=15)  # after the close a day's bar still takes late prints


class PriceStore(Protocol):
    """Where prices are kept between runs."""

    def read(self, symbol: str) -> PriceHistory | None:
        """Return what is kept of a symbol, or None."""

    def keep(self, history: PriceHistory) -> None:
        """Keep the prices of a symbol, durably, in the place of those before."""


class Pace:
    """So many requests within a stretch of time, and no more.

    Args:
        most: How many.
        within: In how many seconds.
        monotonic: A clock that never jumps.
    """

    def __init__(self, most: int, within: float, *, monotonic: Callable[[], float]) -> None:
        self._sent: deque[float] = deque(maxlen=most)
        self._within, self._monotonic = within, monotonic

    def delay(self) -> float:
        """Return how many seconds the next request has to wait."""
        if len(self._sent) < (self._sent.maxlen or 0):
            return 0.0
        return max(0.0, self._sent[0] + self._within - self._monotonic())

    def sent(self) -> None:
        """Count a request that goes out now."""
        self._sent.append(self._monotonic())


class Progress(NamedTuple):
    """How far a run is: `done` of `total`, now at `symbol`, for `seconds` yet if it waits."""

    done: int
    total: int
    symbol: str
    waits: float = 0.0


class Fetched(NamedTuple):
    """What a run has: the prices, what could not be had and why, and how many were asked for.

    `unknown` are those left out that the broker knows no contract of.
    """

    histories: tuple[PriceHistory, ...]
    left_out: dict[str, str]
    asked: int
    unknown: frozenset[str] = frozenset()


class PriceFetch:
    """Brings the daily prices of symbols up to date.

    Args:
        trader: Whose market data is asked.
        store: Where prices are kept.
        pace: How fast one may ask; None is as fast as answers come (the simulator's way).
        tell: Told how far it is.
    """

    def __init__(
        self,
        trader: Trader,
        store: PriceStore,
        *,
        pace: Pace | None,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._trader, self._store, self._pace, self._tell = trader, store, pace, tell
        self.asked = 0

    async def fetch(self, symbols: Sequence[str], *, sessions: int) -> Fetched:
        """Return the last `sessions` daily prices of each symbol, as far as they can be had.

        Raises:
            BrokerUnavailable: If the link is lost, or nobody answers any more. What came until
                then is kept.
        """
        found: dict[str, PriceHistory] = {}
        left_out: dict[str, str] = {}
        unknown: set[str] = set()
        silences: list[BrokerUnavailable] = []  # of the last symbols in a row
        for number, symbol in enumerate(symbols):
            self._tell(Progress(number, len(symbols), symbol))
            try:
                history = await self._one(symbol, sessions)
            except (AmbiguousContract, DataRefused) as error:
                left_out[symbol] = error.message
                if isinstance(error, AmbiguousContract) and not error.candidates:
                    unknown.add(symbol)
                silences.clear()
            except BrokerUnavailable as error:
                left_out[symbol] = error.message
                silences.append(error)
                if len(silences) >= _SILENT or await self._is_lost():
                    break
            else:
                found[history.symbol] = history
                silences.clear()
        if len(silences) >= _SILENT or (silences and await self._is_lost()):
            raise BrokerUnavailable(
                f"{silences[0].message}; {len(found)} of {len(symbols)} symbols are done, and kept",
                hint="the same command again goes on from there",
            ) from silences[0]
        self._tell(Progress(len(symbols), len(symbols), ""))
        return Fetched(tuple(found.values()), left_out, self.asked, frozenset(unknown))

    async def _is_lost(self) -> bool:
        """Whether the link is lost: that is heard of a moment after a question has failed by it."""
        trader = self._trader
        lost = await trader.until(lambda _: not trader.outlook.is_synced or None, timeout=_MOMENT)
        return bool(lost)

    async def _one(self, symbol: str, sessions: int) -> PriceHistory:
        details = await self._trader.market.resolve(symbol)
        contract = details.contract
        if contract.sec_type is not SecType.STOCK:
            raise DataRefused(f"{symbol} is no share: correlations are of shares")
        through = last_completed(details, self._trader.clock.now())
        kept = self._store.read(contract.symbol)
        if kept is not None and kept.through >= through and kept.asked >= sessions:
            return kept
        bars = await self._bars(details, sessions, symbol)
        history = history_of(
            contract.symbol, bars, through=through, asked=sessions, industry=details.industry
        )
        if not history.bars:
            raise DataRefused(f"the broker has no daily prices of {symbol}")
        self._store.keep(history)
        return history

    async def _bars(self, details: ContractDetails, sessions: int, symbol: str) -> tuple[Bar, ...]:
        for attempt in range(_TRIES):
            try:
                return await self._ask(details, sessions, symbol)
            except DataRefused as error:
                if not error.is_pacing:
                    raise
            await self._wait(SAME_AGAIN * 2**attempt, symbol)
        return await self._ask(details, sessions, symbol)

    async def _ask(self, details: ContractDetails, sessions: int, symbol: str) -> tuple[Bar, ...]:
        if self._pace is not None:
            await self._wait(self._pace.delay(), symbol)
            self._pace.sent()
        self.asked += 1
        return await self._trader.market.bars(
            details.contract,
            duration=duration_for(sessions + _SPARE, SIZES[DAY_BAR]),
            bar_size=DAY_BAR,
            timeout=PATIENCE,
        )

    async def _wait(self, seconds: float, symbol: str) -> None:
        if seconds > 0:
            self._tell(Progress(0, 0, symbol, waits=seconds))
            await asyncio.sleep(seconds)


async def computed(fetched: Fetched, *, lookback: int, now: datetime) -> CorrelationMatrix:
    """Return the correlations of what was fetched; a thread does it, for numpy takes its time."""
    return await asyncio.to_thread(_correlate, fetched, lookback=lookback, now=now)


def _correlate(fetched: Fetched, *, lookback: int, now: datetime) -> CorrelationMatrix:
    from ibkr_trader.risk.correlation_math import correlate  # noqa: PLC0415 - numpy is slow to import

    return correlate(
        fetched.histories,
        lookback=lookback,
        now=now,
        left_out=fetched.left_out,
        inputs=inputs_of(fetched.histories),
    )


def inputs_of(histories: Iterable[PriceHistory]) -> str:
    """Return a short name for exactly these prices."""
    digest = hashlib.sha256()
    for one in sorted(histories, key=lambda history: history.symbol):
        digest.update(f"{one.symbol}\n".encode())
        digest.update("".join(f"{bar.day} {bar.close}\n" for bar in one.bars).encode())
    return digest.hexdigest()[:16]


def needed(lookback: int) -> int:
    """Return how many closes so many returns, and an average range, need."""
    return max(lookback, RANGE_DAYS) + 1


def last_completed(details: ContractDetails, now: datetime) -> date:
    """Return the last day whose session cannot be under way any more, at the contract's exchange.

    It need not have had one: holidays are days without a bar.
    """
    try:
        zone: tzinfo = ZoneInfo(details.time_zone)
    except (KeyError, ValueError, OSError):  # a zone that only IBKR knows
        zone = UTC
    today = now.astimezone(zone).date()
    ends = [s.closes for s in details.liquid_sessions if s.closes.astimezone(zone).date() == today]
    if ends and max(ends) + _SETTLED <= now:
        return today
    day = today - timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= timedelta(days=1)
    return day


def wanted_symbols(trader: Trader, *more: Iterable[str]) -> list[str]:
    """Return the symbols of all that is held or works, and `more`, each once, in order."""
    portfolio = trader.portfolio
    contracts = [p.contract for p in portfolio.positions.values()]
    contracts += [order.spec.contract for order in portfolio.orders.values()]
    names = {one.symbol for one in contracts if one.sec_type in (SecType.STOCK, SecType.OPTION)}
    return sorted(names.union(*more))
