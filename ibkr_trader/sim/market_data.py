"""The `MarketData` port over the exchange in process: contracts, quotes, bars."""

import msgspec

from ibkr_trader.core.contracts import contract_of as contract_named
from ibkr_trader.core.enums import SecType
from ibkr_trader.core.errors import AmbiguousContract, DataRefused
from ibkr_trader.core.models import Bar, Contract, ContractDetails, Quote
from ibkr_trader.execution.ports import Clock
from ibkr_trader.sim.calendar import local_date
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.instruments import SimBar
from ibkr_trader.sim.translate import contract_of, details_of, quote_of
from ibkr_trader.sim.universe import ContractQuery

_UNIT_DAYS = {"D": 1, "W": 5, "M": 21, "Y": 252}
_BAR_SECONDS = {
    "1 secs": 1,
    "5 secs": 5,
    "10 secs": 10,
    "15 secs": 15,
    "30 secs": 30,
    "1 min": 60,
    "2 mins": 120,
    "3 mins": 180,
    "5 mins": 300,
    "10 mins": 600,
    "15 mins": 900,
    "20 mins": 1200,
    "30 mins": 1800,
    "1 hour": 3600,
    "2 hours": 7200,
    "3 hours": 10800,
    "4 hours": 14400,
    "8 hours": 28800,
}


class SimulatedMarketData:
    """What the exchange says of its instruments.

    Quotes that were asked for once are reported from then on, as `PriceEvent`s of the broker
    that shares the exchange.
    """

    def __init__(self, exchange: Exchange, *, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._watched: set[int] = set()

    async def resolve(
        self, symbol: str, *, sec_type: SecType | None = None, currency: str = "USD"
    ) -> ContractDetails:
        """Return the one contract that `symbol` names.

        Raises:
            AmbiguousContract: If it names none, or more than one.
        """
        query = _query(symbol, sec_type=sec_type, currency=currency)
        found = self._exchange.universe.find(query)
        if len(found) == 1:
            return details_of(found[0], self._clock.now())
        if not found:
            raise AmbiguousContract(f"{symbol!r} names no contract that the simulator knows")
        listed = "; ".join(f"{i.symbol} {i.primary_exchange} {i.currency}" for i in found)
        raise AmbiguousContract(
            f"{symbol!r} names {len(found)} contracts: {listed}",
            candidates=tuple(contract_of(instrument) for instrument in found),
        )

    async def quote(self, contract: Contract, *, timeout: float) -> Quote | None:
        """Return the present quote; None without permission to see it. It never waits."""
        del timeout
        if contract.con_id not in self._watched:
            self._watched.add(contract.con_id)
            self._exchange.market.watch(contract.con_id)
        return self.last_quote(contract.con_id)

    def last_quote(self, con_id: int) -> Quote | None:
        """Return the present quote of a contract that was asked for before."""
        instrument = self._exchange.universe.get(con_id)
        if instrument is None or not instrument.data_permission or con_id not in self._watched:
            return None
        tape = self._exchange.market.tape(con_id)
        return quote_of(tape, instrument, contract_of(instrument))

    async def bars(
        self, contract: Contract, *, duration: str, bar_size: str, timeout: float | None = None
    ) -> tuple[Bar, ...]:
        """Return historical bars of regular hours, oldest first; the last may be under way.

        Args:
            contract: A resolved contract.
            duration: How far back, in TWS's words: `1 D`, `2 W`, `1 Y`.
            bar_size: In TWS's words: `1 min`, `5 mins`, `1 day`.
            timeout: Nothing is waited for here.

        Raises:
            DataRefused: If there is none, or no permission to see it.
            ValueError: If duration or size cannot be read.
        """
        del timeout
        instrument = self._exchange.universe.get(contract.con_id)
        if instrument is None or not instrument.data_permission:
            raise DataRefused(f"bars of {contract.symbol} failed: 162 there is no such history")
        market, now = self._exchange.market, self._clock.now()
        days, seconds = _days(duration), _BAR_SECONDS.get(bar_size)
        today = local_date(now)
        if bar_size == "1 day":
            bars = market.daily_bars(contract.con_id, last=today, count=days)
        elif seconds is None:
            raise ValueError(f"{bar_size!r} is no bar size: want one of {', '.join(_BAR_SECONDS)}")
        else:
            first = market.daily_bars(contract.con_id, last=today, count=days)
            start = first[0].at if first else now
            bars = market.bars(
                contract.con_id, start=start, end=now, seconds=seconds, regular_only=True
            )
        return tuple(_bar(contract, bar) for bar in bars)


def _days(duration: str) -> int:
    """How many trading days a duration spans."""
    number, _, unit = duration.partition(" ")
    if unit not in _UNIT_DAYS or not number.isdecimal() or not int(number):
        raise ValueError(f"{duration!r} is no duration: want 1 D, 2 W, 3 M or 1 Y")
    return int(number) * _UNIT_DAYS[unit]


def _query(symbol: str, *, sec_type: SecType | None, currency: str) -> ContractQuery:
    if sec_type is SecType.CASH:
        base, _, quoted = symbol.upper().replace("/", ".").partition(".")
        return ContractQuery(symbol=base, sec_type="CASH", currency=quoted or currency)
    try:
        contract = contract_named(symbol)
    except ValueError as error:
        raise AmbiguousContract(str(error)) from None
    if sec_type is not None and contract.sec_type is not sec_type:
        raise AmbiguousContract(f"{symbol!r} names no contract of type {sec_type.value}")
    query = ContractQuery(
        symbol=contract.symbol, sec_type=contract.sec_type.value, currency=currency
    )
    if contract.sec_type is not SecType.OPTION:
        return query
    return msgspec.structs.replace(
        query, expiry=contract.expiry, strike=contract.strike or query.strike, right=contract.right
    )


def _bar(contract: Contract, bar: SimBar) -> Bar:
    return Bar(
        contract=contract,
        at=bar.at,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
    )
