"""The history desk: bars, past ticks, schedules and histograms."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from ibkr_trader.sim.calendar import NEW_YORK, ZONE_NAME, TradingDay, market_day
from ibkr_trader.sim.gateway import history_replies as tell
from ibkr_trader.sim.gateway import market_requests as ask
from ibkr_trader.sim.gateway.bar_query import (
    WHAT,
    BadQuery,
    BarQuery,
    bar_query,
    fetch,
    follow,
    is_calendar_size,
)
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.desk import Desk, Handlers
from ibkr_trader.sim.gateway.lookup import NoContract, resolve
from ibkr_trader.sim.gateway.talk import Talk
from ibkr_trader.sim.gateway.times import day_text, moment_text, read_moment
from ibkr_trader.sim.instruments import Instrument, SimBar

HMDS = 162
HMDS_TEXT = "Historical Market Data Service error message:{}"
UPDATE_EVERY = timedelta(seconds=5)
EPOCH_DATES = 2
YEARS_BACK = 10
MOST_TICKS = 1000
TICK_SPAN = timedelta(minutes=30)
SCHEDULE_SINCE = 165
_NONE = Decimal(-1)
_AVERAGE = Decimal("0.000001")


class Kept(msgspec.Struct):
    """Bars that are kept up to date: the request, what it means, when to look again."""

    request: ask.ReqHistoricalData
    query: BarQuery
    due: datetime
    last: SimBar


class HistoryDesk(Desk):
    """Questions about the past, and bars that follow the present."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk)
        self._kept: dict[int, Kept] = {}
        self.handlers: Handlers = {
            ask.ReqHistoricalData: self._bars,
            ask.CancelHistoricalData: self._cancel,
            ask.ReqHeadTimestamp: self._head,
            ask.CancelHeadTimestamp: lambda _: None,  # answered at once, so nothing to withdraw
            ask.ReqHistogram: self._histogram,
            ask.CancelHistogram: lambda _: None,  # as above
            ask.ReqHistoricalTicks: self._ticks,
        }

    def tick(self, now: datetime) -> None:
        """Send the latest bar of requests that are kept up to date."""
        for req_id, kept in self._kept.items():
            if now < kept.due:
                continue
            kept.due = now + UPDATE_EVERY
            for bar in follow(self.talk.floor.exchange.market, kept.query, kept.last, now=now):
                if bar != kept.last:
                    shown = self._shown(bar, kept.request)
                    self.talk.say(tell.HistoricalUpdate(req_id=req_id, bar=shown))
                    kept.last = bar

    def _refuse(self, req_id: int, text: str) -> None:
        self.talk.refuse(req_id, HMDS, HMDS_TEXT.format(text))

    def _instrument(self, req_id: int, contract: WireContract) -> Instrument | None:
        try:
            instrument = resolve(self.talk.floor.exchange.universe, contract)
        except NoContract as error:
            self.talk.refuse(req_id, error.code, error.text)
            return None
        if not instrument.data_permission:
            self._refuse(req_id, "No market data permissions for " + instrument.primary_exchange)
            return None
        return instrument

    def _bars(self, request: ask.ReqHistoricalData) -> None:
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None:
            return
        what = request.what.upper()
        is_schedule = what == "SCHEDULE" and self.talk.version >= SCHEDULE_SINCE
        if what not in WHAT and not is_schedule:
            self._refuse(request.req_id, f"{request.what}@SIM is not simulated")
            return
        if request.keep_up_to_date and request.end:
            cause = "Keep up to date is only allowed without an end date."
            self.talk.invalid(request.req_id, cause)
            return
        try:
            query = bar_query(
                instrument.con_id,
                bar_size=request.bar_size,
                duration=request.duration,
                end=request.end,
                now=self.talk.floor.now,
                use_rth=request.use_rth,
            )
            bars = fetch(self.talk.floor.exchange.market, query)
        except BadQuery as error:
            self._refuse(request.req_id, str(error))
            return
        if not bars:
            self._refuse(request.req_id, "HMDS query returned no data")
        elif is_schedule:
            self._tell_schedule(request, instrument.sec_type, bars)
        else:
            self._tell_bars(request, query, bars)

    def _tell_bars(
        self, request: ask.ReqHistoricalData, query: BarQuery, bars: tuple[SimBar, ...]
    ) -> None:
        start = moment_text(bars[0].at, self.talk.version)
        end = moment_text(query.end, self.talk.version)
        shown = tuple(self._shown(bar, request) for bar in bars)
        self.talk.say(tell.HistoricalData(req_id=request.req_id, start=start, end=end, bars=shown))
        if self.talk.version >= 196:  # noqa: PLR2004 - WIRE.md 1.4
            self.talk.say(tell.HistoricalDataEnd(req_id=request.req_id, start=start, end=end))
        if request.keep_up_to_date:
            due = self.talk.floor.now + UPDATE_EVERY
            kept = Kept(request=request, query=query, due=due, last=bars[-1])
            self._kept[request.req_id] = kept

    def _tell_schedule(
        self, request: ask.ReqHistoricalData, kind: str, bars: tuple[SimBar, ...]
    ) -> None:
        days = (market_day(kind, day) for day in sorted({bar.session for bar in bars}))
        sessions = tuple(_session(day, regular=request.use_rth) for day in days if day)
        self.talk.say(
            tell.HistoricalSchedule(
                req_id=request.req_id,
                start=sessions[0][0] if sessions else "",
                end=sessions[-1][1] if sessions else "",
                time_zone=ZONE_NAME,
                sessions=sessions,
            )
        )

    def _shown(self, bar: SimBar, request: ask.ReqHistoricalData) -> tell.HistoricalBar:
        is_traded = request.what.upper() in ("TRADES", "ADJUSTED_LAST")
        return tell.HistoricalBar(
            date=self._date(bar, request),
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume if is_traded else _NONE,
            average=bar.average.quantize(_AVERAGE) if is_traded else _NONE,
            count=bar.count if is_traded else -1,
        )

    def _date(self, bar: SimBar, request: ask.ReqHistoricalData) -> str:
        if is_calendar_size(request.bar_size):
            return day_text(bar.session)
        if request.format_date == EPOCH_DATES:
            return str(int(bar.at.timestamp()))
        return moment_text(bar.at, self.talk.version)

    def _cancel(self, request: ask.CancelHistoricalData) -> None:
        if self._kept.pop(request.req_id, None) is None:
            text = f"No historical data query found for ticker id:{request.req_id}"
            self.talk.refuse(request.req_id, 366, text)

    def _head(self, request: ask.ReqHeadTimestamp) -> None:
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None:
            return
        opened = self.talk.floor.exchange.config.opened_at.astimezone(NEW_YORK)
        start = opened.replace(year=opened.year - YEARS_BACK, month=1, day=2, hour=9, minute=30)
        text = f"{start.astimezone(self.talk.floor.now.tzinfo):%Y%m%d-%H:%M:%S}"
        if request.format_date == EPOCH_DATES:
            text = str(int(start.timestamp()))
        self.talk.say(tell.HeadTimestamp(req_id=request.req_id, time=text))

    def _histogram(self, request: ask.ReqHistogram) -> None:
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None:
            return
        number, _, unit = request.period.partition(" ")
        try:
            query = bar_query(
                instrument.con_id,
                bar_size="5 mins",
                duration=f"{number} {unit[:1]}",
                end="",
                now=self.talk.floor.now,
                use_rth=request.use_rth,
            )
            bars = fetch(self.talk.floor.exchange.market, query)
        except BadQuery as error:
            self._refuse(request.req_id, str(error))
            return
        counts: Counter[Decimal] = Counter()
        for bar in bars:
            counts[bar.close] += int(bar.volume)
        bins = tuple(sorted(counts.items()))
        self.talk.say(tell.Histogram(req_id=request.req_id, bins=bins))

    def _ticks(self, request: ask.ReqHistoricalTicks) -> None:
        show = _TICKS.get(request.what.upper())
        if show is None:
            self.talk.invalid(request.req_id, f"Invalid data type '{request.what}'.")
            return
        instrument = self._instrument(request.req_id, request.contract)
        if instrument is None:
            return
        try:
            bars = self._seconds(instrument.con_id, request)
        except ValueError:
            self._refuse(request.req_id, "Invalid start or end date/time")
            return
        self.talk.say(show(request.req_id, bars, instrument.min_tick))

    def _seconds(self, con_id: int, request: ask.ReqHistoricalTicks) -> tuple[SimBar, ...]:
        """One-second bars stand in for ticks: the model has nothing finer."""
        if bool(request.start) == bool(request.end):
            message = "exactly one of start and end"
            raise ValueError(message)
        count = max(1, min(request.count, MOST_TICKS))
        now = self.talk.floor.now
        if request.start:
            start = read_moment(request.start)
            end = min(start + TICK_SPAN, now)
        else:
            end = min(read_moment(request.end), now)
            start = end - TICK_SPAN
        bars = self.talk.floor.exchange.market.bars(
            con_id, start=start, end=end, seconds=1, regular_only=request.use_rth
        )
        return bars[:count] if request.start else bars[-count:]


def _session(day: TradingDay, *, regular: bool) -> tuple[str, str, str]:
    hours = day.regular if regular else day.trading
    opens = hours.opens.astimezone(NEW_YORK)
    closes = hours.closes.astimezone(NEW_YORK)
    return (f"{opens:%Y%m%d-%H:%M:%S}", f"{closes:%Y%m%d-%H:%M:%S}", day_text(day.date))


def _trades(req_id: int, bars: tuple[SimBar, ...], _: Decimal) -> msgspec.Struct:
    ticks = tuple((int(b.at.timestamp()), 0, b.close, b.volume, "SIM", "") for b in bars)
    return tell.HistoricalLasts(req_id=req_id, ticks=ticks)


def _mids(req_id: int, bars: tuple[SimBar, ...], _: Decimal) -> msgspec.Struct:
    ticks = tuple((int(b.at.timestamp()), "", b.close, Decimal(0)) for b in bars)
    return tell.HistoricalMids(req_id=req_id, ticks=ticks)


def _quotes(req_id: int, bars: tuple[SimBar, ...], tick: Decimal) -> msgspec.Struct:
    ticks = tuple(
        (int(b.at.timestamp()), 0, b.close, b.close + tick, b.volume, b.volume) for b in bars
    )
    return tell.HistoricalBidAsks(req_id=req_id, ticks=ticks)


_TICKS: dict[str, Callable[[int, tuple[SimBar, ...], Decimal], msgspec.Struct]] = {
    "TRADES": _trades,
    "MIDPOINT": _mids,
    "BID_ASK": _quotes,
}
