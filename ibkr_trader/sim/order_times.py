"""When an order may start and when it ends: what goodAfterTime, goodTillDate and TIF mean."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ibkr_trader.sim.calendar import NEW_YORK, current_day, day_end, market_day, next_day
from ibkr_trader.sim.matching import CLOSE_TYPES, reaches_extended
from ibkr_trader.sim.orders import OPENING_TIFS, OrderTerms, SimOrder

_SHORT_ZONES = {"EST": "US/Eastern", "EDT": "US/Eastern", "GMT": "UTC", "Z": "UTC"}
_DATE_DIGITS = 8


def parse_moment(text: str) -> datetime | date | None:
    """Read `YYYYMMDD HH:MM:SS [zone]`, `YYYYMMDD-HH:MM:SS` (UTC) or `YYYYMMDD`; None if none."""
    words = text.split()
    try:
        if len(words) == 1 and len(text.strip()) == _DATE_DIGITS:
            return datetime.strptime(words[0], "%Y%m%d").replace(tzinfo=NEW_YORK).date()
        if len(words) == 1:
            return datetime.strptime(words[0], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
        moment = datetime.strptime(" ".join(words[:2]), "%Y%m%d %H:%M:%S")  # noqa: DTZ007 - below
        zone = NEW_YORK if len(words) == 2 else _zone(words[2])  # noqa: PLR2004 - date and time
    except (ValueError, IndexError, ZoneInfoNotFoundError):
        return None
    return moment.replace(tzinfo=zone).astimezone(UTC) if len(words) <= 3 else None  # noqa: PLR2004


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(_SHORT_ZONES.get(name.upper(), name))


def starts_at(terms: OrderTerms) -> datetime | None:
    """Return the moment of goodAfterTime; None without one (or with one that does not parse)."""
    moment = parse_moment(terms.good_after_time) if terms.good_after_time else None
    return moment if isinstance(moment, datetime) else None


def auction_at(order: SimOrder, sec_type: str, now: datetime) -> datetime | None:
    """Return when an order's auction is held: the close of MOC and LOC, the opening of OPG."""
    day = current_day(sec_type, now)
    if order.terms.tif in OPENING_TIFS:
        opens = day.regular.opens
        return opens if now < opens else next_day(sec_type, day.date).regular.opens
    if order.terms.order_type not in CLOSE_TYPES:
        return None
    closes = day.regular.closes
    return closes if now < closes else next_day(sec_type, day.date).regular.closes


def ends_at(order: SimOrder, sec_type: str, now: datetime) -> datetime | None:
    """Return when an order accepted (or first able to trade) at `now` expires; None is never."""
    terms = order.terms
    extended = reaches_extended(order)
    if terms.tif == "GTD":
        until = parse_moment(terms.good_till_date)
        if isinstance(until, datetime):
            return until
        return _end_of(until, sec_type, extended=extended) if until is not None else None
    if terms.tif in {"GTC", *OPENING_TIFS} or terms.order_type in CLOSE_TYPES:
        return None
    return day_end(sec_type, max(now, starts_at(terms) or now), extended=extended)


def _end_of(day: date, sec_type: str, *, extended: bool) -> datetime:
    found = market_day(sec_type, day)
    if found is None:
        return datetime.combine(day, time(23, 59, 59), NEW_YORK).astimezone(UTC)
    return found.trading.closes if extended else found.regular.closes
