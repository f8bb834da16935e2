"""The `MarketData` port over IBKR: contracts, quotes and bars.

Everything here goes by the lane that ranks last: no quote ever delays a cancel. What is
subscribed to stays so, and is asked for again when the gateway says that it was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.contract_queries import choose, query_for
from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.adapters.ibkr.quotes import DATA_TYPES, VOLUME, with_tick
from ibkr_trader.adapters.ibkr.requests import RequestFailed
from ibkr_trader.adapters.ibkr.translate_bars import bar_of
from ibkr_trader.adapters.ibkr.translate_contracts import fill_in_contract
from ibkr_trader.core.enums import DataType, SecType
from ibkr_trader.core.errors import BrokerUnavailable, DataRefused
from ibkr_trader.core.events import DataTypeEvent, ErrorEvent, PriceEvent, VolumeEvent
from ibkr_trader.core.models import Quote

if TYPE_CHECKING:
    from datetime import date

    from ibkr_trader.adapters.ibkr.connection import IBKRConnection
    from ibkr_trader.adapters.ibkr.lib_types import LibContract
    from ibkr_trader.core.models import Bar, Contract, ContractDetails, PriceBand

_NO_DEFINITION = 200
_PACING = "pacing violation"  # TWS has no code for it: 162 and 420 say so in words
_SHORTABLE = "236"  # the generic tick that brings tick 46
_DETAILS_LAST = 600.0  # seconds: after that a contract's details are asked for anew
_CURRENT = 3.0  # seconds: a quote that has been quiet for longer is asked for anew
_NUMBERS = {kind: number for number, kind in DATA_TYPES.items()}


class _Learnt(NamedTuple):
    """A contract's details, and when they were learnt: on the machine's clock, and on which day."""

    details: ContractDetails
    at: float
    day: date


class _Subscription:
    """One contract's quote, as the ticks have made it so far."""

    def __init__(self, contract: Contract, quote: Quote) -> None:
        self.contract = contract
        self.quote = quote
        self.changed = asyncio.Event()
        self.number = 0  # of the request that brings its ticks
        self.forget(quote)

    def forget(self, empty: Quote) -> None:
        """Begin anew: what was known is from before, and says nothing of now."""
        self.quote = empty
        self.ticked_at: float | None = None
        self.refusal = ""

    @property
    def has_ticked(self) -> bool:
        """Whether anything has come since it was asked for."""
        return self.ticked_at is not None


class IBKRMarketData:
    """Contracts and prices, on the connection that the broker uses.

    Args:
        connection: Shared with the broker.
        timeout: How long an answer may take, in seconds.
        data_type: What to ask for; with `DELAYED` TWS sends live quotes where it may.
    """

    def __init__(
        self,
        connection: IBKRConnection,
        *,
        timeout: float = 10.0,
        data_type: DataType = DataType.LIVE,
    ) -> None:
        self._connection = connection
        self._timeout = timeout
        self._data_type = data_type
        self._details: dict[tuple[str, SecType | None, str], _Learnt] = {}
        self._rules: dict[int, tuple[PriceBand, ...]] = {}
        self._by_contract: dict[int, _Subscription] = {}
        self._by_request: dict[int, _Subscription] = {}
        inbox = connection.inbox
        inbox.on(m.Details, self._row)
        inbox.on(m.BarReport, self._row)
        inbox.on(m.MarketRule, self._market_rule)
        inbox.on(m.Tick, self._tick)
        inbox.on(m.DataTypeReport, self._data_type_is)
        inbox.on(m.SubscriptionsLost, lambda _: self._subscribe_again())
        inbox.claim_errors(self._error)

    async def resolve(
        self, symbol: str, *, sec_type: SecType | None = None, currency: str = "USD"
    ) -> ContractDetails:
        """Return the one contract that `symbol` names, with its price grid and hours.

        Raises:
            AmbiguousContract: If it names none, or more than one; the candidates are in it.
            BrokerUnavailable: If nobody answers.
        """
        key = (symbol, sec_type, currency)
        known, clock = self._details.get(key), self._connection.clock
        now, today = clock.monotonic(), clock.now().date()
        # Hours change, and a trader runs for weeks; a machine that sleeps counts no seconds.
        if known is None or now - known.at > _DETAILS_LAST or today != known.day:
            query = query_for(symbol, sec_type=sec_type, currency=currency)
            found = choose(symbol, await self._look_up(query))
            bands = found.details.bands
            if found.market_rule is not None:
                bands = await self._bands(found.market_rule)
            known = _Learnt(msgspec.structs.replace(found.details, bands=bands), now, today)
            self._details[key] = known
        return known.details

    async def quote(self, contract: Contract, *, timeout: float) -> Quote | None:
        """Return a current quote, subscribing if need be; None if none came in `timeout` s.

        It waits for both sides; if only some figures came in time, it returns those. What
        has been quiet for some seconds is asked for anew, so the answer is never from before.

        Raises:
            BrokerUnavailable: If there is no link.
        """
        subscription = self._subscription(contract)
        quiet_since = subscription.ticked_at
        now = self._connection.clock.monotonic()
        if quiet_since is not None and now - quiet_since > _CURRENT:
            self._renew(subscription)
        try:
            async with asyncio.timeout(timeout):
                while not (subscription.quote.is_two_sided or subscription.refusal):
                    subscription.changed.clear()
                    await subscription.changed.wait()
        except TimeoutError:
            pass
        return subscription.quote if subscription.has_ticked else None

    def last_quote(self, con_id: int) -> Quote | None:
        """Return the newest quote at hand, however old; None if none ever came."""
        subscription = self._by_contract.get(con_id)
        if subscription is None or not subscription.has_ticked:
            return None
        return subscription.quote

    async def bars(
        self, contract: Contract, *, duration: str, bar_size: str, timeout: float | None = None
    ) -> tuple[Bar, ...]:
        """Return historical bars of regular hours, oldest first.

        Args:
            contract: A resolved contract.
            duration: How far back, in TWS's words: `1 D`, `2 W`, `1 Y`.
            bar_size: In TWS's words: `1 min`, `5 mins`, `1 day`.
            timeout: How long to wait for the answer, in seconds; None is the usual time.

        Raises:
            DataRefused: If the gateway has no such history, or it was asked for too fast.
            BrokerUnavailable: If nobody answers.
        """
        with self._connection.requests.ask(
            f"bars of {contract.symbol}", "historicalDataEnd"
        ) as question:
            self._ask_for_bars(question.request_id, contract, duration, bar_size=bar_size)
            try:
                rows = await question.answer(timeout=timeout or self._timeout)
            except RequestFailed as error:
                is_pacing = _PACING in error.text.lower()
                raise DataRefused(error.message, is_pacing=is_pacing, hint=error.hint) from error
            except BrokerUnavailable:
                self._forget_bars(question.request_id)
                raise
        return tuple(bar_of(row, contract) for row in rows if isinstance(row, m.BarReport))

    def _ask_for_bars(
        self, number: int, contract: Contract, duration: str, *, bar_size: str
    ) -> None:
        wire = self._wire(contract)
        frame = self._connection.encode(
            lambda api: api.reqHistoricalData(
                number,
                wire,
                "",
                duration,
                bar_size,
                "TRADES",
                useRTH=True,
                formatDate=2,
                keepUpToDate=False,
                chartOptions=[],
            )
        )
        self._connection.put(Parcel(Lane.DATA, (frame,)))

    def _forget_bars(self, number: int) -> None:
        """Tell the gateway, if it is there, that nobody waits for the answer any more."""
        with contextlib.suppress(BrokerUnavailable):
            frame = self._connection.encode(lambda api: api.cancelHistoricalData(number))
            self._connection.put(Parcel(Lane.DATA, (frame,)))

    def _row(self, row: m.Details | m.BarReport) -> None:
        self._connection.requests.take_row(row.request_id, row)

    # -- contracts --------------------------------------------------------------------------

    async def _look_up(self, query: Contract) -> list[m.Details]:
        wire = self._wire(query)
        with self._connection.requests.ask(query.symbol, "contractDetailsEnd") as question:
            number = question.request_id
            frame = self._connection.encode(lambda api: api.reqContractDetails(number, wire))
            self._connection.put(Parcel(Lane.DATA, (frame,)))
            try:
                rows = await question.answer(timeout=self._timeout)
            except RequestFailed as error:
                if error.code != _NO_DEFINITION:
                    raise
                rows = []
        return [row for row in rows if isinstance(row, m.Details)]

    async def _bands(self, rule_id: int) -> tuple[PriceBand, ...]:
        if rule_id not in self._rules:
            with self._connection.requests.ask(
                f"market rule {rule_id}", _rule_end(rule_id)
            ) as question:
                frame = self._connection.encode(lambda api: api.reqMarketRule(rule_id))
                self._connection.put(Parcel(Lane.DATA, (frame,)))
                await question.answer(timeout=self._timeout)
        return self._rules[rule_id]

    def _market_rule(self, rule: m.MarketRule) -> None:
        self._rules[rule.rule_id] = rule.bands
        self._connection.requests.take_end(m.End(_rule_end(rule.rule_id)))

    def _wire(self, contract: Contract) -> LibContract:
        wire = self._connection.library.contract()
        fill_in_contract(contract, wire)
        return wire

    # -- quotes ------------------------------------------------------------------------------

    def _subscription(self, contract: Contract) -> _Subscription:
        known = self._by_contract.get(contract.con_id)
        if known is not None and not known.refusal:
            return known
        subscription = _Subscription(contract, self._empty(contract))
        self._subscribe(subscription)  # raises before anything is kept
        self._by_contract[contract.con_id] = subscription
        return subscription

    def _subscribe(self, subscription: _Subscription) -> None:
        wire = self._wire(subscription.contract)
        number = self._connection.requests.lease()
        frame = self._connection.encode(
            lambda api: api.reqMktData(
                number,
                wire,
                _generic_ticks(subscription.contract),
                snapshot=False,
                regulatorySnapshot=False,
                mktDataOptions=[],
            )
        )
        self._by_request[number] = subscription
        subscription.number = number
        self._connection.put(Parcel(Lane.DATA, (frame,)))

    def _renew(self, subscription: _Subscription) -> None:
        """Ask again for what may have stopped coming, or be merely quiet."""
        old = subscription.number
        frame = self._connection.encode(lambda api: api.cancelMktData(old))
        self._connection.put(Parcel(Lane.DATA, (frame,)))
        self._by_request.pop(old, None)
        self._connection.requests.release(old)
        subscription.forget(self._empty(subscription.contract))
        self._subscribe(subscription)

    def _empty(self, contract: Contract) -> Quote:
        return Quote(contract=contract, at=self._connection.clock.now())

    def _subscribe_again(self) -> None:
        for number in self._by_request:
            self._connection.requests.release(number)
        self._by_request.clear()
        frame = self._connection.encode(
            lambda api: api.reqMarketDataType(_NUMBERS[self._data_type])
        )
        self._connection.put(Parcel(Lane.DATA, (frame,)))
        for subscription in self._by_contract.values():
            subscription.forget(self._empty(subscription.contract))
            self._subscribe(subscription)

    def _tick(self, tick: m.Tick) -> None:
        subscription = self._by_request.get(tick.request_id)
        if subscription is None:
            return
        at = self._connection.clock.now()
        quote = with_tick(subscription.quote, tick, at=at)
        if quote is not None and tick.tick_type in VOLUME:
            # Not a price: a trail takes the next one for proof of the last, and so does a guard.
            subscription.quote = quote
            if quote.volume is not None:
                contract = subscription.contract
                self._connection.news.publish(
                    VolumeEvent(at=at, contract=contract, volume=quote.volume)
                )
        elif quote is not None:
            subscription.quote = quote
            subscription.ticked_at = self._connection.clock.monotonic()
            subscription.changed.set()
            self._connection.news.publish(
                PriceEvent(at=at, contract=subscription.contract, quote=quote)
            )

    def _data_type_is(self, report: m.DataTypeReport) -> None:
        subscription = self._by_request.get(report.request_id)
        kind = DATA_TYPES.get(report.data_type)
        if subscription is None or kind is None or subscription.quote.data_type is kind:
            return
        subscription.quote = msgspec.structs.replace(subscription.quote, data_type=kind)
        self._connection.news.publish(
            DataTypeEvent(
                at=self._connection.clock.now(), contract=subscription.contract, data_type=kind
            )
        )

    def _error(self, error: m.ErrorReport) -> bool:
        subscription = self._by_request.get(error.request_id)
        if subscription is None:
            return False
        rule = rule_for(error.code)
        if rule.kind in {Kind.DATA, Kind.REFUSE, Kind.CONFIG}:
            subscription.refusal = f"{error.code} {error.text}"
            subscription.changed.set()
        self._connection.news.publish(
            ErrorEvent(
                at=self._connection.clock.now(),
                code=error.code,
                message=f"{subscription.contract.symbol}: {error.text}",
            )
        )
        return True


def _generic_ticks(contract: Contract) -> str:
    """What to ask for beside prices: how easy to borrow a share is; TWS refuses it for others."""
    return _SHORTABLE if contract.sec_type is SecType.STOCK else ""


def _rule_end(rule_id: int) -> str:
    return f"marketRule {rule_id}"
