"""The market desk: quotes, single ticks, the book and five-second bars, as they happen."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from ibkr_trader.sim.events import QuoteChanged, SimEvent
from ibkr_trader.sim.gateway import market_requests as ask
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.desk import Desk, Handlers
from ibkr_trader.sim.gateway.history_replies import RealTimeBar
from ibkr_trader.sim.gateway.lookup import NoContract, resolve
from ibkr_trader.sim.gateway.quote_ticks import (
    borrowing_ticks,
    by_tick,
    depth_lines,
    quote_ticks,
)
from ibkr_trader.sim.gateway.session_faults import CompetingSession, DelayedData
from ibkr_trader.sim.gateway.talk import Talk
from ibkr_trader.sim.gateway.tick_replies import MarketDataType, TickReqParams, TickSnapshotEnd
from ibkr_trader.sim.instruments import Instrument, Tape

LIVE = 1
DELAYED = 3
BAR_SECONDS = 5
MOST_BARS_AT_ONCE = 720
NOT_SUBSCRIBED = (
    354,
    "Requested market data is not subscribed. Delayed market data is available.",
)
SHOWING_DELAYED = (
    10167,
    "Requested market data is not subscribed. Displaying delayed market data.",
)
COMPETING = (10197, "No market data during competing live session")
_TICK_TYPES = frozenset({"Last", "AllLast", "BidAsk", "MidPoint"})

Show = Callable[[Tape, Tape | None], list[msgspec.Struct]]


class Feed(msgspec.Struct):
    """One subscription: what it follows, how it shows a change, what it showed last."""

    con_id: int
    show: Show
    last: Tape | None = None


class BarFeed(msgspec.Struct):
    """One subscription to five-second bars; `due` is where the next bar ends."""

    con_id: int
    use_rth: bool
    due: datetime


class MarketDesk(Desk):
    """Subscriptions to an instrument's market."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk)
        self._data_type = LIVE
        self._feeds: dict[tuple[str, int], Feed] = {}
        self._bars: dict[int, BarFeed] = {}
        self.handlers: Handlers = {
            ask.ReqMktData: self._quotes,
            ask.CancelMktData: lambda r: self._end("quotes", r.req_id),
            ask.ReqMarketDataType: self._set_type,
            ask.ReqTickByTick: self._ticks,
            ask.CancelTickByTick: lambda r: self._end("ticks", r.req_id),
            ask.ReqMktDepth: self._depth,
            ask.CancelMktDepth: lambda r: self._end("depth", r.req_id),
            ask.ReqRealTimeBars: self._real_time_bars,
            ask.CancelRealTimeBars: self._end_bars,
            ask.CalculateOption: self._calculate,
            ask.CancelCalculation: lambda _: None,  # nothing is ever under way
        }

    def hear(self, event: SimEvent) -> None:
        """Pass a changed market on to its subscriptions."""
        if not isinstance(event, QuoteChanged):
            return
        for feed in self._feeds.values():
            if feed.con_id == event.con_id:
                self._show(feed, event.tape)

    def tick(self, now: datetime) -> None:
        """Send five-second bars that are complete."""
        for req_id, feed in self._bars.items():
            if now >= feed.due:
                self._send_bars(req_id, feed, now)

    def close(self) -> None:
        """Stop watching."""
        for _, req_id in tuple(self._feeds):
            for family in ("quotes", "ticks", "depth"):
                self._drop(family, req_id)
        self._bars.clear()

    def show_again(self) -> None:
        """Tell what has changed since each subscription was last told."""
        market = self.talk.floor.exchange.market
        for feed in self._feeds.values():
            self._show(feed, market.tape(feed.con_id))

    def compete(self) -> None:
        """Tell every subscription that somebody else has the data."""
        for _, req_id in self._feeds:
            self.talk.refuse(req_id, *COMPETING)

    def turn_delayed(self, *, is_told: bool) -> None:
        """Go over to delayed data, or back; whatever was shown counts as never told."""
        for (family, req_id), feed in self._feeds.items():
            if family == "quotes":
                if is_told:
                    self.talk.refuse(req_id, *SHOWING_DELAYED)
                shown = DELAYED if is_told else LIVE
                self.talk.say(MarketDataType(req_id=req_id, data_type=shown))
                feed.last = None

    @property
    def _has(self) -> Callable[..., bool]:
        return self.talk.floor.wiring.uplink.has

    def _show(self, feed: Feed, tape: Tape) -> None:
        for reply in feed.show(tape, feed.last):
            self.talk.say(reply)
        feed.last = tape

    def _instrument(self, req_id: int, contract: WireContract) -> Instrument | None:
        try:
            return resolve(self.talk.floor.exchange.universe, contract)
        except NoContract as error:
            self.talk.refuse(req_id, error.code, error.text)
            return None

    def _set_type(self, request: ask.ReqMarketDataType) -> None:
        if request.data_type not in (1, 2, 3, 4):
            self.talk.invalid(-1, "Invalid market data type.")
            return
        self._data_type = request.data_type

    def _quotes(self, request: ask.ReqMktData) -> None:
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None or not self._is_free("quotes", request.req_id):
            return
        delayed = not instrument.data_permission or self._has(DelayedData)
        if delayed and self._data_type < DELAYED:
            self.talk.refuse(request.req_id, *NOT_SUBSCRIBED)
            return
        if delayed:
            self.talk.refuse(request.req_id, *SHOWING_DELAYED)
        shown = DELAYED if delayed else LIVE
        self.talk.say(MarketDataType(req_id=request.req_id, data_type=shown))
        self.talk.say(
            TickReqParams(req_id=request.req_id, min_tick=instrument.min_tick, bbo_exchange="SIM")
        )
        feed = Feed(
            con_id=instrument.con_id,
            show=lambda tape, last: quote_ticks(
                request.req_id,
                tape,
                last,
                delayed=not instrument.data_permission or self._has(DelayedData),
                generic=request.generic_ticks,
            ),
        )
        if self._has(CompetingSession):
            self.talk.refuse(request.req_id, *COMPETING)
            self._follow("quotes", request.req_id, feed)
            return
        tape = self.talk.floor.exchange.market.tape(instrument.con_id)
        self._show(feed, tape)
        for tick in borrowing_ticks(request.req_id, request.generic_ticks, instrument.borrowing):
            self.talk.say(tick)
        if request.snapshot or request.regulatory:
            self.talk.say(TickSnapshotEnd(req_id=request.req_id))
        else:
            self._follow("quotes", request.req_id, feed)

    def _ticks(self, request: ask.ReqTickByTick) -> None:
        if request.tick_type not in _TICK_TYPES:
            self.talk.invalid(request.req_id, f"Invalid tick type '{request.tick_type}'.")
            return
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None or not self._is_free("ticks", request.req_id):
            return
        if not instrument.data_permission:
            self.talk.refuse(request.req_id, 10189, "Failed to request tick-by-tick data.")
            return
        feed = Feed(
            con_id=instrument.con_id,
            show=lambda tape, last: by_tick(
                request.req_id, tape, last, kind=request.tick_type, exchange="SIM"
            ),
        )
        self._show(feed, self.talk.floor.exchange.market.tape(instrument.con_id))
        self._follow("ticks", request.req_id, feed)

    def _depth(self, request: ask.ReqMktDepth) -> None:
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None or not self._is_free("depth", request.req_id):
            return
        if not instrument.data_permission or request.rows < 1:
            text = "Requested market depth is not available."
            self.talk.refuse(request.req_id, 10092, text)
            return
        feed = Feed(
            con_id=instrument.con_id,
            show=lambda tape, last: depth_lines(
                request.req_id, tape, last, is_smart=request.is_smart
            ),
        )
        self._show(feed, self.talk.floor.exchange.market.tape(instrument.con_id))
        self._follow("depth", request.req_id, feed)

    def _is_free(self, family: str, req_id: int) -> bool:
        if (family, req_id) not in self._feeds:
            return True
        text = "Error processing request.-'sim' : cause - Duplicate ticker id"
        self.talk.refuse(req_id, 322, text)
        return False

    def _follow(self, family: str, req_id: int, feed: Feed) -> None:
        self._feeds[family, req_id] = feed
        self.talk.floor.exchange.market.watch(feed.con_id)

    def _drop(self, family: str, req_id: int) -> bool:
        feed = self._feeds.pop((family, req_id), None)
        if feed is None:
            return False
        self.talk.floor.exchange.market.watch(feed.con_id, on=False)
        return True

    def _end(self, family: str, req_id: int) -> None:
        if not self._drop(family, req_id):
            self.talk.refuse(req_id, 300, f"Can't find EId with tickerId:{req_id}")

    def _real_time_bars(self, request: ask.ReqRealTimeBars) -> None:
        if request.what not in ("TRADES", "MIDPOINT", "BID", "ASK"):
            self.talk.invalid(request.req_id, f"Invalid data type '{request.what}'.")
            return
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None:
            return
        if not instrument.data_permission:
            self.talk.refuse(request.req_id, 420, "Invalid Real-time Query:No market permissions")
            return
        seconds = int(self.talk.floor.now.timestamp()) // BAR_SECONDS * BAR_SECONDS
        start = datetime.fromtimestamp(seconds, self.talk.floor.now.tzinfo)
        self._bars[request.req_id] = BarFeed(
            con_id=instrument.con_id,
            use_rth=request.use_rth,
            due=start + timedelta(seconds=BAR_SECONDS),
        )

    def _send_bars(self, req_id: int, feed: BarFeed, now: datetime) -> None:
        step = timedelta(seconds=BAR_SECONDS)
        complete = (now - feed.due) // step
        start = feed.due - step
        if complete > MOST_BARS_AT_ONCE:
            start += (complete - MOST_BARS_AT_ONCE) * step
        feed.due += (complete + 1) * step
        bars = self.talk.floor.exchange.market.bars(
            feed.con_id,
            start=start,
            end=feed.due - step,
            seconds=BAR_SECONDS,
            regular_only=feed.use_rth,
        )
        for bar in bars:
            self.talk.say(
                RealTimeBar(
                    req_id=req_id,
                    at=int(bar.at.timestamp()),
                    open=bar.open,
                    high=bar.high,
                    low=bar.low,
                    close=bar.close,
                    volume=bar.volume,
                    average=bar.average,
                    count=bar.count,
                )
            )

    def _end_bars(self, request: ask.CancelRealTimeBars) -> None:
        if self._bars.pop(request.req_id, None) is None:
            text = f"Can't find EId with tickerId:{request.req_id}"
            self.talk.refuse(request.req_id, 300, text)

    def _calculate(self, request: ask.CalculateOption) -> None:
        self.talk.invalid(request.req_id, "Option calculations are not simulated.")
