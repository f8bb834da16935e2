"""From a price in floats to quotes in Decimal ticks: the edge of the price model."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from ibkr_trader.core.models import PriceBand
from ibkr_trader.sim.calendar import NEW_YORK, Phase
from ibkr_trader.sim.instruments import Instrument, Tape
from ibkr_trader.sim.model import Moment
from ibkr_trader.sim.shapes import option_value

ZERO = Decimal(0)
_YEAR_SECONDS = 365.25 * 86400
_SIZE_FLOOR, _SIZE_SPAN = 0.4, 1.6  # quoted sizes, as shares of the usual one
_EXTENDED_SPREAD, _EXTENDED_SIZE = 3, 0.2  # how the quotes thin out beside regular hours
_ROUND_LOT = 100
_OPTION_EXPIRES = 16  # New York


@lru_cache(maxsize=64)
def _float_bands(bands: tuple[PriceBand, ...]) -> tuple[tuple[float, float, Decimal], ...]:
    return tuple((float(b.low_edge), float(b.increment), b.increment) for b in bands)


def in_ticks(price: float, bands: tuple[PriceBand, ...]) -> Decimal:
    """Return the tick nearest to a price; one tick at least."""
    edges = _float_bands(bands)
    _, size, tick = edges[0]
    for low, step, increment in edges[1:]:
        if price >= low:
            size, tick = step, increment
    return max(1, round(price / size)) * tick


def tape_of(instrument: Instrument, moment: Moment, now: datetime, *, halted: bool) -> Tape:
    """Return the quotes around a price: symmetric, the usual spread apart."""
    bands = instrument.bands
    last = in_ticks(moment.price, bands)
    is_open = moment.phase is not Phase.CLOSED
    wide = 1 if moment.phase is Phase.REGULAR else _EXTENDED_SPREAD
    below, above = _around(last, instrument, wide=wide)
    return Tape(
        con_id=instrument.con_id,
        at=now,
        bid=below if is_open else None,
        ask=above if is_open else None,
        bid_size=_size(instrument, moment, moment.bid_luck) if is_open else ZERO,
        ask_size=_size(instrument, moment, moment.ask_luck) if is_open else ZERO,
        last=None if instrument.sec_type == "CASH" else last,
        last_size=Decimal(min(_ROUND_LOT, instrument.lot)),
        open=_maybe(moment.open, bands),
        high=_maybe(moment.high, bands),
        low=_maybe(moment.low, bands),
        close=in_ticks(moment.close, bands),
        volume=Decimal(moment.volume),
        halted=halted,
    )


def _maybe(price: float | None, bands: tuple[PriceBand, ...]) -> Decimal | None:
    return None if price is None else in_ticks(price, bands)


def _around(last: Decimal, instrument: Instrument, *, wide: int) -> tuple[Decimal, Decimal]:
    tick = in_ticks(0.0, instrument.bands)
    for band in instrument.bands:
        if last >= band.low_edge:
            tick = band.increment
    spread = instrument.spread_ticks * wide
    below = max(tick, last - tick * (spread // 2))
    return below, max(last + tick * (spread - spread // 2), below + tick)


def _size(instrument: Instrument, moment: Moment, luck: float) -> Decimal:
    usual = instrument.lot * (1.0 if moment.phase is Phase.REGULAR else _EXTENDED_SIZE)
    step = _ROUND_LOT if instrument.sec_type == "STK" else 1
    lots = round(usual * (_SIZE_FLOOR + _SIZE_SPAN * luck) / step)
    return Decimal(max(1, lots) * step)


def option_moment(option: Instrument, under: Moment, now: datetime) -> Moment:
    """Return an option's price, following from its underlying's."""
    expiry = datetime.strptime(option.expiry, "%Y%m%d").replace(
        hour=_OPTION_EXPIRES, tzinfo=NEW_YORK
    )
    years = max(0.0, (expiry.astimezone(UTC) - now).total_seconds() / _YEAR_SECONDS)
    strike = float(option.strike)

    def value(price: float) -> float:
        return option_value(price, strike, years=years, sigma=option.volatility, right=option.right)

    swaps = option.right == "P"  # a put is dearest when the underlying is cheapest
    highest, lowest = (under.low, under.high) if swaps else (under.high, under.low)
    return Moment(
        price=value(under.price),
        phase=under.phase if under.phase is Phase.REGULAR else Phase.CLOSED,
        open=None if under.open is None else value(under.open),
        high=None if highest is None else value(highest),
        low=None if lowest is None else value(lowest),
        close=value(under.close),
        volume=under.volume * option.lot // 1_000_000,
        bid_luck=under.ask_luck,
        ask_luck=under.bid_luck,
    )
