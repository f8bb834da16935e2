"""Words that people type, read strictly: a misspelt option or a word too many is an error."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from ibkr_trader.sim.calendar import NEW_YORK
from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When

WHICH = "[--order NAME] [--nth N] [--times N]"  # the options of `striking`
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
FLAGS = frozenset({"standing", "framed"})  # options without a value
_DIGITS = 9  # before the point or behind it: beyond, sums and dates would run over


class BadWords(ValueError):
    """Words that make no act.

    Attributes:
        form: How it is written; empty if no such act is known.
    """

    def __init__(self, message: str, form: str = "") -> None:
        super().__init__(message)
        self.form = form


class Words:
    """The words behind an act's name, taken one by one."""

    def __init__(self, words: Iterable[str]) -> None:
        self._plain: list[str] = []
        self._options: dict[str, str] = {}
        source = iter(words)
        for word in source:
            if not re.match(r"--[a-z]", word):
                self._plain.append(word)
                continue
            name, given, value = word[2:].partition("=")
            needs = not given and name not in FLAGS
            self._options[name] = next(source, "") if needs else value

    def word(self, what: str, default: str | None = None) -> str:
        """Take the next word; without one `default` stands, if there is any."""
        if self._plain:
            return self._plain.pop(0)
        if default is None:
            message = f"{what} is missing"
            raise BadWords(message)
        return default

    @property
    def next(self) -> str:
        """The next word; empty without one."""
        return self._plain[0] if self._plain else ""

    def rest(self, default: Iterable[str] = ()) -> tuple[str, ...]:
        """Take all words that are left."""
        taken, self._plain = tuple(self._plain), []
        return taken or tuple(default)

    def option(self, name: str, default: str = "") -> str:
        """Take an option's value."""
        return self._options.pop(name, default)

    def peek(self, name: str) -> str:
        """Look at an option's value, and leave it there."""
        return self._options.get(name, "")

    def flag(self, name: str) -> bool:
        """Take an option that has no value."""
        return self._options.pop(name, None) is not None

    def figure(self, name: str) -> Decimal | None:
        """Take an option's value as a number; None if it is not given."""
        text = self.option(name)
        return number_in(text, f"--{name}") if text else None

    def finish(self, *spare: str) -> None:
        """Refuse what nobody has taken; options of these names have been read already."""
        for name in spare:
            self._options.pop(name, None)
        left = [*self._plain, *(f"--{name}" for name in self._options)]
        if left:
            message = f"what does {' '.join(left)} mean here?"
            raise BadWords(message)


def number_of(words: Words, what: str, default: str | None = None) -> Decimal:
    """Take the next word as a number; a percent sign behind it says nothing."""
    return number_in(words.word(what, default), what)


def number_in(text: str, what: str) -> Decimal:
    """Return the number that a word says; a percent sign behind it says nothing.

    Raises:
        BadWords: It says none.
    """
    try:
        number = Decimal(text.removesuffix("%").replace("−", "-"))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        message = f"{what} is a number, not {text!r}"
        raise BadWords(message)
    if not -_DIGITS <= number.adjusted() < _DIGITS:
        message = f"{what} has at most {_DIGITS} digits, unlike {text!r}"
        raise BadWords(message)
    return number


def real_in(text: str, what: str) -> float:
    """Return the rate, or the factor, that a word says.

    Raises:
        BadWords: It says none.
    """
    return float(number_in(text, what))


def price_in(text: str) -> Decimal:
    """Return the price that a word says; `nan` is one that is none.

    Raises:
        BadWords: It says nothing like it.
    """
    return Decimal("NaN") if text.lower() == "nan" else number_in(text, "PRICE")


def count_in(text: str, what: str, *, least: int = 1) -> int:
    """Return the whole number that a word says.

    Raises:
        BadWords: It says none, or less than `least`.
    """
    if not re.fullmatch(rf"\d{{1,{_DIGITS}}}", text) or int(text) < least:
        message = f"{what} is a whole number from {least} on, not {text!r}"
        raise BadWords(message)
    return int(text)


def seconds_in(text: str) -> float:
    """Return the seconds that a word such as 30, 5m, 2h or 1d says.

    Raises:
        BadWords: It says none.
    """
    found = re.fullmatch(r"(\d{1,7}(?:\.\d{1,3})?)([smhd]?)", text)
    if found is None:
        message = f"a time is like 30, 5m, 2h or 1d, not {text!r}"
        raise BadWords(message)
    return float(found[1]) * _UNITS[found[2]]


def lasting_in(words: Words) -> float | None:
    """Take the next word as how long something lasts, in seconds; None is until it is lifted."""
    text = words.word("SECONDS", "")
    return seconds_in(text) if text else None


def moment_in(text: str, like: str) -> datetime:
    """Return the moment that a word says, New York's if it names no zone.

    Raises:
        BadWords: It says none; `like` shows what would.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{like} (New York's time), not {text!r}"
        raise BadWords(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


def time_in(text: str, like: str) -> time | datetime:
    """Return the time of day that a word says, New York's, or else the moment.

    Raises:
        BadWords: It says neither; `like` shows what would.
    """
    try:
        return time.fromisoformat(text)
    except ValueError:
        return moment_in(text, like)


def client_of(words: Words) -> int | None:
    """Read the option that names a client, and leave it there; None is everybody."""
    text = words.peek("client")
    return count_in(text, "--client", least=0) if text else None


def client_in(words: Words) -> int | None:
    """Take the option that names a client; None is everybody."""
    client = client_of(words)
    words.option("client")
    return client


def chosen(text: str, what: str, choices: tuple[str, ...]) -> str:
    """Return a word that must be one of `choices`.

    Raises:
        BadWords: It is none of them.
    """
    if text not in choices:
        message = f"{what} is one of {', '.join(choices)}, not {text!r}"
        raise BadWords(message)
    return text


class Form(NamedTuple):
    """How an act is written, what it does, and how its words are read."""

    text: str
    what: str
    read: Callable[[Words], acts.Act]


Read = Callable[[Words], acts.Act]


def armed(make: Callable[[Words], tuple[Fault, ...]]) -> Read:
    """Return what reads the words of named faults, and puts them in force."""
    return lambda words: acts.Arm(faults=make(words))


def about_order(make: Callable[..., tuple[Fault, ...]], *figures: Callable[[Words], Any]) -> Read:
    """Return what reads a named fault: its figures, if any, and which orders it is about."""
    return armed(
        lambda words: make(*[one(words) for one in figures], order=words.option("order", "*"))
    )


def striking(
    act: Callable[[Words], rules.Act], names: tuple[str, ...] = (), *, answers: bool = False
) -> Read:
    """Return what reads an act on messages: of these names, unless the words give others."""

    def read(words: Words) -> tuple[Fault, ...]:
        done = act(words)
        when = When(
            names=words.rest(names),
            order=words.option("order", "*"),
            nth=count_in(words.option("nth", "1"), "--nth"),
            times=count_in(words.option("times", "1"), "--times", least=0),
            answers=answers,
        )
        return (Fault(when=when, act=done),)

    return armed(read)
