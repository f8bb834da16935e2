"""The words of rules: every name that a condition may use, its kind, its meaning, its value.

One table says all of it, so what a strategy file is checked against, what the documentation
lists and what a rule sees cannot differ. A getter returns None for what nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import TradingState
from ibkr_trader.portfolio.positions import opened_at
from ibkr_trader.rules.expression_kinds import (
    UNKNOWN,
    Function,
    Kind,
    Name,
    Unknown,
    Value,
    Vocabulary,
)
from ibkr_trader.rules.indicator import INDICATORS, key_of
from ibkr_trader.rules.rule import DAYS

if TYPE_CHECKING:
    from datetime import timedelta

    from ibkr_trader.core.models import Bar
    from ibkr_trader.rules.moment import Moment

_MINUTE = 60
_PER_CENT = 100
_DAY = 24 * _MINUTE  # minutes
Bounds = tuple[Decimal | None, Decimal | None]
_ANY: Bounds = (None, None)
_NOT_NEGATIVE: Bounds = (Decimal(0), None)
_OF_A_DAY: Bounds = (Decimal(0), Decimal(_DAY))
Getter = Callable[["Moment"], Value | None]


class Word(NamedTuple):
    """A name: what kind of value it has, what it means, how a moment tells it, and its range."""

    kind: Kind
    doc: str
    get: Getter
    values: tuple[str, ...] = ()
    bounds: Bounds = _ANY


def _side(moment: Moment) -> str | None:
    held = _held(moment)
    if held is None:
        return None
    return "flat" if not held else ("long" if held > 0 else "short")


def _held(moment: Moment) -> Decimal | None:
    return moment.holding.quantity if moment.holding.is_known else None


def _gain(moment: Moment) -> Decimal | None:
    """The open gain as a fraction of what was paid, on either side."""
    position, mark = moment.holding.position, moment.mark
    if not _held(moment) or position is None or mark is None or not position.average_cost:
        return None
    sign = 1 if position.quantity > 0 else -1
    return (mark - position.average_cost) * sign / position.average_cost


def _percent(fraction: Decimal | None) -> Decimal | None:
    return fraction * _PER_CENT if fraction is not None else None


def _profit(moment: Moment) -> Decimal | None:
    position, mark = moment.holding.position, moment.mark
    if not _held(moment) or position is None or mark is None:
        return None
    return position.quantity * (mark - position.average_cost) * position.contract.multiplier


def _minutes(span: timedelta) -> Decimal:
    return Decimal(int(span.total_seconds())) / _MINUTE


def _minutes_held(moment: Moment) -> Decimal | None:
    book = moment.holding.book
    since = opened_at(book) if book is not None and _held(moment) else None
    return _minutes(moment.now - since) if since is not None else None


def _age(moment: Moment) -> Decimal | None:
    signal = moment.signal
    if signal is None:
        return None
    return Decimal(str((moment.now - signal.made_at).total_seconds()))


def _spread(moment: Moment) -> Decimal | None:
    quote = moment.quote
    if quote is None or not quote.is_two_sided or quote.bid is None or quote.ask is None:
        return None
    return quote.ask - quote.bid


def _change(moment: Moment) -> Decimal | None:
    quote, mark = moment.quote, moment.mark
    if quote is None or mark is None or not quote.close:
        return None
    return (mark - quote.close) / quote.close * _PER_CENT


def _is_open(moment: Moment) -> bool | None:
    session = moment.session
    return session.opens <= moment.now < session.closes if session is not None else None


def _to_close(moment: Moment) -> Decimal | None:
    session = moment.session
    if session is None or not _is_open(moment):
        return None
    return _minutes(session.closes - moment.now)


def _since_open(moment: Moment) -> Decimal | None:
    session = moment.session
    if session is None or not _is_open(moment):
        return None
    return _minutes(moment.now - session.opens)


def _quoted(name: str) -> Getter:
    def get(moment: Moment) -> Value | None:
        value: Decimal | None = getattr(moment.quote, name) if moment.quote is not None else None
        return value

    return get


def _barred(name: str) -> Getter:
    def get(moment: Moment) -> Value | None:
        return _of_bar(moment.study.bar if moment.study is not None else None, name)

    return get


def _of_bar(bar: Bar | None, name: str) -> Decimal | None:
    value: Decimal | None = getattr(bar, name) if bar is not None else None
    return value


def _number(doc: str, get: Getter, bounds: Bounds = _ANY) -> Word:
    return Word(Kind.NUMBER, doc, get, bounds=bounds)


def _truth(doc: str, get: Getter) -> Word:
    return Word(Kind.TRUTH, doc, get)


def _is(side: str) -> Getter:
    def get(moment: Moment) -> Value | None:
        found = _side(moment)
        return found == side if found is not None else None

    return get


_SIGNAL: Mapping[str, Word] = {
    "signal.action": Word(
        Kind.TEXT,
        "what it wishes: BUY is be long, SELL is be out of a long, SHORT is be short",
        lambda m: m.signal.signal if m.signal is not None else None,
        ("BUY", "SELL", "SHORT"),
    ),
    "signal.confidence": _number(
        "from 0 to 1",
        lambda m: m.signal.confidence if m.signal is not None else None,
        (Decimal(0), Decimal(1)),
    ),
    "signal.price": _number(
        "what its producer saw", lambda m: m.signal.price if m.signal is not None else None
    ),
    "signal.age": _number("in seconds, by its producer's time", _age),
    "signal.source": Word(
        Kind.TEXT,
        "who it came from",
        lambda m: m.signal.source if m.signal is not None else None,
    ),
    "flow.measure": Word(
        Kind.TEXT,
        "which measure of the options flow crossed its threshold",
        lambda m: m.flow.measure if m.flow is not None else None,
    ),
    "flow.value": _number("what it came to", lambda m: m.flow.value if m.flow else None),
    "flow.threshold": _number("what it crossed", lambda m: m.flow.threshold if m.flow else None),
}
_POSITION: Mapping[str, Word] = {
    "position.quantity": _number("what is held, negative if short, 0 if flat", _held),
    "position.side": Word(Kind.TEXT, "which way", _side, ("long", "short", "flat")),
    "position.is_long": _truth("something is held long", _is("long")),
    "position.is_short": _truth("something is held short", _is("short")),
    "position.is_flat": _truth("nothing is held", _is("flat")),
    "position.is_entering": _truth(
        "an order that opens or adds works",
        lambda m: m.holding.is_entering if m.holding.is_known else None,
    ),
    "position.profit": _number("the open gain in money", _profit),
    "position.profit_pct": _number("the open gain in per cent", lambda m: _percent(_gain(m))),
    "position.unrealized_profit_pct": _number(
        "the same as a fraction: 0.05 is five per cent", _gain
    ),
    "position.r": _number(
        "the open gain in units of what the stop would cost",
        lambda m: m.holding.r if _held(m) else None,
    ),
    "position.cost": _number(
        "what one cost on average",
        lambda m: m.holding.position.average_cost if m.holding.position and _held(m) else None,
    ),
    "position.stop": _number(
        "where the nearest stop stands", lambda m: m.holding.stop if _held(m) else None
    ),
    "position.minutes": _number("how long it has been held", _minutes_held, _NOT_NEGATIVE),
}
_MARKET: Mapping[str, Word] = {
    "price.last": _number("the last trade", _quoted("last")),
    "price.bid": _number("the best bid", _quoted("bid")),
    "price.ask": _number("the best ask", _quoted("ask")),
    "price.mark": _number("what one is worth: the last, within bid and ask", lambda m: m.mark),
    "price.spread": _number("from bid to ask", _spread),
    "price.change_pct": _number("since the last session's close, in per cent", _change),
    **{
        f"bar.{name}": _number(f"{doc} of the last complete bar", _barred(name))
        for name, doc in {
            "open": "the first price", "high": "the highest", "low": "the lowest",
            "close": "the last price", "volume": "the volume",
        }.items()
    },
    "market.is_open": _truth("the exchange's regular hours", _is_open),
    "market.state": Word(
        Kind.TEXT,
        "what the desk allows",
        lambda m: m.state.value,
        tuple(state.value for state in TradingState),
    ),
    "time.now": Word(
        Kind.TIME,
        "the exchange's clock",
        lambda m: m.now.astimezone(m.zone).time().replace(second=0, microsecond=0),
    ),
    "time.weekday": Word(
        Kind.TEXT, "the day", lambda m: DAYS[m.now.astimezone(m.zone).weekday()], DAYS
    ),
    "time.minutes_to_close": _number("of the session; unknown outside it", _to_close, _OF_A_DAY),
    "time.minutes_since_open": _number(
        "of the session; unknown outside it", _since_open, _OF_A_DAY
    ),
}  # fmt: skip
_ACCOUNT: Mapping[str, Word] = {
    "account.equity": _number("what it is worth", lambda m: m.account.equity),
    "account.available": _number("what may still be used", lambda m: m.account.available),
    "account.day_pnl": _number("the day's result", lambda m: m.account.day_pnl),
    "account.positions": _number(
        "how many are open",
        lambda m: Decimal(m.account.positions) if m.holding.is_known else None,
        _NOT_NEGATIVE,
    ),
    "symbol": Word(Kind.TEXT, "what the rule is asked about", lambda m: m.symbol),
}

WORDS: Mapping[str, Word] = {**_SIGNAL, **_POSITION, **_MARKET, **_ACCOUNT}


@cache
def vocabulary() -> Vocabulary:
    """Return all that a condition may name: the words, and every indicator."""
    functions = {
        name: Function(
            parameters=tuple(parameter.name for parameter in family.parameters),
            doc=family.doc,
            optional=sum(1 for one in family.parameters if one.default is not None),
            fill=partial(_filled, name),
        )
        for _, family in INDICATORS.items()
        for name in family.names
    }
    names = {
        word: Name(kind=one.kind, doc=one.doc, values=one.values) for word, one in WORDS.items()
    }
    return Vocabulary(names=names, functions=functions)


def _filled(name: str, numbers: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    return key_of(name, numbers)[1]


class Looking:
    """A moment as an expression asks it; `before` is the same a bar earlier."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, name: str) -> Value | Unknown:
        """Return what a word stands for."""
        value = WORDS[name].get(self._moment)
        return UNKNOWN if value is None else value

    def call(self, function: str, arguments: tuple[Decimal, ...]) -> Value | Unknown:
        """Return an indicator's value."""
        value = self._moment.indicator(function, arguments)
        return UNKNOWN if value is None else value

    def before(self) -> LookingBack | None:
        """Return what is kept of the bar before the last."""
        return LookingBack(self._moment)


class LookingBack:
    """The bar before the last one: its figures and the indicators as they stood then."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, name: str) -> Value | Unknown:
        """Return a figure of that bar; of nothing else is the past kept."""
        group, _, field = name.partition(".")
        study = self._moment.study
        if name == "symbol":
            return self._moment.symbol
        if group != "bar" or study is None:
            return UNKNOWN
        value = _of_bar(study.earlier_bar, field)
        return UNKNOWN if value is None else value

    def call(self, function: str, arguments: tuple[Decimal, ...]) -> Value | Unknown:
        """Return an indicator's value as of that bar."""
        study = self._moment.study
        value = study.previous((function, arguments)) if study is not None else None
        return UNKNOWN if value is None else value

    def before(self) -> None:
        """Further back nothing is kept."""
        return
