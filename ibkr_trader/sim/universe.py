"""What is listed, and how it is looked up.

The default universe is a file of the package (`universe.json`), so that a wheel has it too.
A user's `data/universe.json` has the same form and adds to it: an entry with a `con_id` that
is already listed replaces that one. Options are listed by rule, for the months after the day
the exchange first opened, and keep their numbers for its whole life.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

import msgspec

from ibkr_trader.core.models import PriceBand, Session
from ibkr_trader.sim.calendar import NEW_YORK, local_date, market_day, third_friday
from ibkr_trader.sim.instruments import Instrument

_SEARCH_LIMIT = 16
_HOURS_DAYS = 7
_STOCK_RULE, _CASH_RULE, _OPTION_RULE = 26, 59, 109


class ContractQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a client knows of a contract; empty is any. `con_id` alone is enough."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""  # YYYYMMDD or YYYYMM
    strike: Decimal = Decimal(0)
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stock or currency pair as the file writes it; see `Instrument`."""

    con_id: int
    symbol: str
    long_name: str
    opening_price: Decimal
    sec_type: str = "STK"
    currency: str = "USD"
    primary_exchange: str = ""
    stock_type: str = ""
    sector: str = ""
    category: str = ""
    market_rule_id: int = 0
    beta: float = 0.0
    sector_beta: float = 0.0
    volatility: float = 0.2
    spread_ticks: int = 1
    lot: int = 400
    daily_volume: int = 1_000_000
    shortable: str = "easy"
    data_permission: bool = True
    closing_only: bool = False


class OptionChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options as the file writes them: calls and puts at each strike, for months from the first."""

    underlying: str
    months: tuple[int, ...]
    strikes: tuple[Decimal, ...]
    volatility: float
    first_con_id: int


class UniverseFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form of `universe.json`."""

    rules: dict[int, tuple[PriceBand, ...]] = {}
    stocks: tuple[Listing, ...] = ()
    cash: tuple[Listing, ...] = ()
    options: tuple[OptionChain, ...] = ()


class _RawFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    # A price band is a pair in the file and a struct everywhere else.
    rules: dict[int, tuple[tuple[Decimal, Decimal], ...]] = {}
    stocks: tuple[Listing, ...] = ()
    cash: tuple[Listing, ...] = ()
    options: tuple[OptionChain, ...] = ()


def read_universe(text: bytes | str) -> UniverseFile:
    """Read the form of `universe.json`.

    Raises:
        ValueError: If it is not of that form; the message names the place.
    """
    raw = msgspec.json.decode(text, type=_RawFile)
    rules = {
        rule: tuple(PriceBand(edge, step) for edge, step in bands)
        for rule, bands in raw.rules.items()
    }
    return UniverseFile(rules=rules, stocks=raw.stocks, cash=raw.cash, options=raw.options)


class Universe:
    """Every listed instrument."""

    def __init__(
        self, instruments: Iterable[Instrument], rules: dict[int, tuple[PriceBand, ...]]
    ) -> None:
        self._by_id = {instrument.con_id: instrument for instrument in instruments}
        self._rules = rules
        self._by_symbol: dict[str, list[Instrument]] = {}
        self._by_local: dict[str, list[Instrument]] = {}
        self._options: dict[int, list[Instrument]] = {}
        self._gone: set[int] = set()
        for instrument in self._by_id.values():
            self._by_symbol.setdefault(instrument.symbol, []).append(instrument)
            self._by_local.setdefault(instrument.local_symbol, []).append(instrument)
            if instrument.underlying_con_id:
                self._options.setdefault(instrument.underlying_con_id, []).append(instrument)

    def __getitem__(self, con_id: int) -> Instrument:
        return self._by_id[con_id]

    def __contains__(self, con_id: object) -> bool:
        return con_id in self._by_id and con_id not in self._gone

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._by_id.values())

    def get(self, con_id: int) -> Instrument | None:
        """Return an instrument, or None if there is no such one."""
        return self._by_id.get(con_id) if con_id in self else None

    def find(self, query: ContractQuery) -> tuple[Instrument, ...]:
        """Return every match: none is TWS's error 200, more than one is ambiguous."""
        if query.con_id:
            found = self.get(query.con_id)
            return (found,) if found is not None else ()
        if query.local_symbol:
            pool = self._by_local.get(query.local_symbol, [])
        else:
            pool = self._by_symbol.get(query.symbol, [])
        return tuple(instrument for instrument in pool if _matches(instrument, query))

    def search(self, pattern: str) -> tuple[Instrument, ...]:
        """Return at most 16 matches of a symbol's beginning or a word of a name (no options)."""
        wanted = pattern.strip().upper()
        everything = self._by_id.values() if wanted else ()
        listed = [i for i in everything if i.sec_type != "OPT" and i.con_id in self]
        exact = [i for i in listed if i.symbol == wanted]
        begins = [i for i in listed if i.symbol.startswith(wanted) and i not in exact]
        words = [
            i
            for i in listed
            if any(word.startswith(wanted) for word in i.long_name.upper().split())
            and i not in exact
            and i not in begins
        ]
        return tuple((exact + begins + words)[:_SEARCH_LIMIT])

    def relist(self, con_id: int, symbol: str = "") -> None:
        """Give an instrument another ticker, or (without one) let nobody find it any more.

        Who asks by the old ticker finds nothing; what is held of it keeps its terms.
        """
        instrument = self._by_id[con_id]
        if con_id in self:
            self._by_symbol[instrument.symbol].remove(instrument)
            self._by_local[instrument.local_symbol].remove(instrument)
        if not symbol:
            self._gone.add(con_id)
            return
        self._gone.discard(con_id)
        renamed = msgspec.structs.replace(instrument, symbol=symbol, local_symbol=symbol)
        self._by_id[con_id] = renamed
        self._by_symbol.setdefault(symbol, []).append(renamed)
        self._by_local.setdefault(symbol, []).append(renamed)

    def options_of(self, con_id: int) -> tuple[Instrument, ...]:
        """Return the options of an underlying."""
        return tuple(self._options.get(con_id, ()))

    def market_rule(self, rule_id: int) -> tuple[PriceBand, ...] | None:
        """Return the price increments of a rule, or None if there is no such rule."""
        return self._rules.get(rule_id)

    def hours(self, instrument: Instrument, now: datetime, *, liquid: bool) -> str:
        """Return tradingHours or liquidHours as contractDetails says them, from today on."""
        today = local_date(now)
        days = (today + timedelta(days=n) for n in range(_HOURS_DAYS))
        return ";".join(_hours_of(instrument.sec_type, day, liquid=liquid) for day in days)


def _matches(instrument: Instrument, query: ContractQuery) -> bool:
    wanted = (
        (query.symbol, instrument.symbol),
        (query.sec_type, instrument.sec_type),
        (query.currency, instrument.currency),
        (query.trading_class, instrument.trading_class),
    )
    if any(asked and asked != has for asked, has in wanted):
        return False
    primary = "NASDAQ" if query.primary_exchange == "ISLAND" else query.primary_exchange
    if primary and primary != instrument.primary_exchange:
        return False
    exchange = "NASDAQ" if query.exchange == "ISLAND" else query.exchange
    if exchange and exchange not in instrument.exchanges:
        return False
    return instrument.sec_type != "OPT" or _option_matches(instrument, query)


def _option_matches(instrument: Instrument, query: ContractQuery) -> bool:
    if query.expiry and not instrument.expiry.startswith(query.expiry):
        return False
    if query.strike and query.strike != instrument.strike:
        return False
    if query.right and query.right[:1].upper() != instrument.right:
        return False
    return not query.multiplier or Decimal(query.multiplier) == instrument.multiplier


def _hours_of(sec_type: str, day: date, *, liquid: bool) -> str:
    found = market_day(sec_type, day)
    if found is None:
        return f"{day:%Y%m%d}:CLOSED"
    session: Session = found.regular if liquid else found.trading
    opens, closes = (t.astimezone(NEW_YORK) for t in (session.opens, session.closes))
    return f"{opens:%Y%m%d:%H%M}-{closes:%Y%m%d:%H%M}"


def load_universe(listed_on: date, overrides: bytes | str | None = None) -> Universe:
    """Return the packaged universe, as of the day its exchange opens.

    Args:
        listed_on: Options are listed for the months after this day.
        overrides: The text of a user's `data/universe.json`.

    Raises:
        ValueError: If `overrides` is not of the file's form.
    """
    return Universe(*_listed(listed_on, overrides))


@lru_cache(maxsize=2)  # a drill, or a test, opens one exchange after the other on the same day
def _listed(
    listed_on: date, overrides: bytes | str | None
) -> tuple[tuple[Instrument, ...], dict[int, tuple[PriceBand, ...]]]:
    text = files("ibkr_trader.sim").joinpath("universe.json").read_bytes()
    parts = [read_universe(text)]
    if overrides is not None:
        parts.append(read_universe(overrides))
    rules = {rule: bands for part in parts for rule, bands in part.rules.items()}
    listed: dict[int, Instrument] = {}
    for part in parts:
        for listing in (*part.stocks, *part.cash):
            listed[listing.con_id] = _instrument(listing, rules)
    stocks = {i.symbol: i for i in listed.values() if i.sec_type == "STK"}
    for part in parts:
        for chain in part.options:
            model = _option_model(chain, stocks[chain.underlying], rules)
            for option in _options(chain, model, listed_on):
                listed[option.con_id] = option
    return tuple(listed.values()), rules


def _instrument(listing: Listing, rules: dict[int, tuple[PriceBand, ...]]) -> Instrument:
    is_cash = listing.sec_type == "CASH"
    primary = listing.primary_exchange or ("IDEALPRO" if is_cash else "NASDAQ")
    venues: tuple[str, ...] = ("IDEALPRO",) if is_cash else ("SMART", primary)
    if listing.currency == "USD" and primary in {"NYSE", "NASDAQ", "ARCA"}:
        venues += tuple(v for v in ("NYSE", "NASDAQ", "ARCA", "BATS", "IEX") if v not in venues)
    rule = listing.market_rule_id or (_CASH_RULE if is_cash else _STOCK_RULE)
    return Instrument(
        **(msgspec.structs.asdict(listing) | {"market_rule_id": rule}),
        exchanges=venues,
        bands=rules[rule],
        local_symbol=f"{listing.symbol}.{listing.currency}" if is_cash else listing.symbol,
        trading_class=f"{listing.symbol}.{listing.currency}" if is_cash else _class(primary),
    )


def _class(primary: str) -> str:
    return "NMS" if primary == "NASDAQ" else primary


def _options(chain: OptionChain, model: Instrument, listed_on: date) -> Iterator[Instrument]:
    con_id = chain.first_con_id
    months = listed_on.year * 12 + listed_on.month - 1
    if third_friday(listed_on.year, listed_on.month) <= listed_on + timedelta(days=7):
        months += 1  # never list what is about to expire
    for month in chain.months:
        year, index = divmod(months + month, 12)
        expiry = third_friday(year, index + 1)
        for strike in chain.strikes:
            for right in "CP":
                con_id += 1
                occ = f"{model.symbol:<6}{expiry:%y%m%d}{right}{int(strike * 1000):08d}"
                yield msgspec.structs.replace(
                    model,
                    con_id=con_id,
                    local_symbol=occ,
                    expiry=f"{expiry:%Y%m%d}",
                    strike=strike,
                    right=right,
                )


def _option_model(
    chain: OptionChain, underlying: Instrument, rules: dict[int, tuple[PriceBand, ...]]
) -> Instrument:
    """What all options of a chain have in common."""
    return Instrument(
        con_id=0,
        symbol=underlying.symbol,
        sec_type="OPT",
        currency=underlying.currency,
        primary_exchange="",
        long_name=underlying.long_name,
        opening_price=Decimal(0),  # follows from the underlying's
        exchanges=("SMART", "CBOE", "AMEX", "ISE"),
        trading_class=underlying.symbol,
        sector=underlying.sector,
        category=underlying.category,
        market_rule_id=_OPTION_RULE,
        bands=rules[_OPTION_RULE],
        multiplier=Decimal(100),
        volatility=chain.volatility,
        spread_ticks=2,
        lot=30,
        daily_volume=2000,
        underlying_con_id=underlying.con_id,
    )
