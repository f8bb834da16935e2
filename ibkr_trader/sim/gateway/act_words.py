"""Acts in words, as people type them: `gap AAPL -20%`, `hand close AAPL`, `dup orderStatus`.

One table of forms says how each act is written; the faults' are in `fault_words.py`.
"""

from collections.abc import Callable, Iterable
from datetime import time

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway.fault_words import FAULT_FORMS
from ibkr_trader.sim.gateway.order_words import ORDER_FORMS
from ibkr_trader.sim.gateway.session_words import SESSION_FORMS
from ibkr_trader.sim.gateway.transport_words import TRANSPORT_FORMS
from ibkr_trader.sim.gateway.trigger_words import SHARED, trigger_in
from ibkr_trader.sim.gateway.triggers import Byte
from ibkr_trader.sim.gateway.words import (
    BadWords,
    Form,
    Words,
    chosen,
    count_in,
    number_in,
    number_of,
    real_in,
    seconds_in,
    time_in,
)

_CUTS = frozenset({"rst", "fin"})


def read_act(words: Iterable[str]) -> acts.Act:
    """Return the act that `words` say.

    Raises:
        BadWords: They say none; its `form` shows how that act is written.
    """
    name, *rest = tuple(words) or ("",)
    if name == "hand":
        name = " ".join(["hand", *rest[:1]])
        rest = rest[1:]
    form = FORMS.get(name)
    if form is None:
        message = f"nothing is called {name!r}"
        raise BadWords(message)
    given = Words(rest)
    try:
        trigger = trigger_in(given, has_phases=name in _CUTS)
        if name in _CUTS and isinstance(trigger, Byte) and not given.next:
            given = Words(["now", *rest])
            trigger_in(given)
        act = form.read(given)
        given.finish(*(SHARED if trigger is not None else ()))
    except BadWords as error:
        raise BadWords(str(error), form.text) from None
    except ValueError as error:
        raise BadWords(str(error), form.text) from error
    return act if trigger is None else acts.Plan(trigger=trigger, act=act)


# -- markets and time --------------------------------------------------------------------------


def _advance(words: Words) -> acts.Act:
    to = words.option("to")
    if not to:
        return acts.Advance(seconds=seconds_in(words.word("TIME")))
    at = time_in(to, "--to is like 15:59 or 2026-11-20T15:59")
    return acts.Advance(clock=at) if isinstance(at, time) else acts.Advance(to=at)


def _split(words: Words) -> acts.Act:
    symbol = words.word("SYMBOL")
    new, old = number_of(words, "NEW"), number_of(words, "OLD", "1")
    if any(number < 1 or number != int(number) for number in (new, old)):
        message = "a split is of whole numbers: 4 (for 1), or 1 10 (1 for 10)"
        raise BadWords(message)
    return acts.Split(symbol=symbol, new=int(new), old=int(old))


def _locate(words: Words) -> acts.Act:
    symbol, wait = words.word("SYMBOL"), words.word("SECONDS")
    seconds = {"never": None, "now": 0}
    found = seconds[wait] if wait in seconds else count_in(wait, "SECONDS", least=0)
    return acts.Locate(symbol=symbol, seconds=found)


# -- by hand ----------------------------------------------------------------------------------


def _hand(action: str) -> Callable[[Words], acts.Act]:
    def read(words: Words) -> acts.Act:
        return acts.HandOrder(
            action=action,
            symbol=words.word("SYMBOL"),
            quantity=number_of(words, "QUANTITY"),
            limit=words.figure("limit"),
            stop=words.figure("stop"),
        )

    return read


def _hand_close(words: Words) -> acts.Act:
    symbol, part = words.word("SYMBOL"), words.word("QUANTITY", "")
    return acts.HandClose(symbol=symbol, quantity=number_in(part, "QUANTITY") if part else None)


def _hand_modify(words: Words) -> acts.Act:
    act = acts.HandModify(
        order=words.word("ORDER"),
        quantity=words.figure("quantity"),
        limit=words.figure("limit"),
        stop=words.figure("stop"),
    )
    if act.quantity is act.limit is act.stop is None:
        message = "nothing is to be changed: give --quantity, --limit or --stop"
        raise BadWords(message)
    return act


# -- executions and orders ----------------------------------------------------------------------


def _correct(words: Words) -> acts.Act:
    act = acts.Correct(
        execution=words.word("EXECUTION"),
        price=words.figure("price"),
        quantity=words.figure("quantity"),
    )
    if act.price is act.quantity is None:
        message = "nothing is to be corrected: give --price or --quantity"
        raise BadWords(message)
    return act


def _trade(words: Words) -> acts.Act:
    order, part = words.word("ORDER"), words.word("QUANTITY", "")
    return acts.Trade(order=order, quantity=number_in(part, "QUANTITY") if part else None)


_BOUNDS = ("size-limit", "value-limit", "percentage")


def _precaution(words: Words) -> acts.Act:
    kind = chosen(words.word("KIND"), "KIND", (*_BOUNDS, "read-only", "off"))
    return acts.Precaution(kind=kind, figure=number_of(words, "N") if kind in _BOUNDS else None)


def _slow_oca(words: Words) -> acts.Act:
    types = tuple(chosen(word, "TYPE", ("1", "2", "3")) for word in words.rest())
    return acts.SlowOca(types=tuple(int(word) for word in types))


def _lift(words: Words) -> acts.Act:
    number = words.word("NUMBER", "")
    return acts.Lift(number=count_in(number, "NUMBER") if number else None)


def _chaos(words: Words) -> acts.Act:
    if words.next == "off":
        words.word("SEED")
        return acts.Chaos()
    seed = count_in(words.word("SEED"), "SEED", least=0)
    percent = number_of(words, "PERCENT", "10")
    if not 0 < percent <= 100:  # noqa: PLR2004 - percent
        message = f"PERCENT is a part of the requests, up to 100, not {percent:f}"
        raise BadWords(message)
    return acts.Chaos(seed=seed, percent=percent)


_FORMS: dict[str, Form] = {
    "price": Form(
        "price SYMBOL PRICE",
        "the market stands there from now on",
        lambda w: acts.SetPrice(symbol=w.word("SYMBOL"), price=number_of(w, "PRICE")),
    ),
    "gap": Form(
        "gap SYMBOL PERCENT",
        "the market leaps; nobody trades in between",
        lambda w: acts.Gap(symbol=w.word("SYMBOL"), percent=number_of(w, "PERCENT")),
    ),
    "halt": Form("halt SYMBOL", "trading stops", lambda w: acts.Halt(symbol=w.word("SYMBOL"))),
    "unhalt": Form(
        "unhalt SYMBOL",
        "trading goes on",
        lambda w: acts.Halt(symbol=w.word("SYMBOL"), halted=False),
    ),
    "split": Form("split SYMBOL NEW [OLD]", "shares become NEW for OLD (1)", _split),
    "cap": Form(
        "cap SYMBOL [--buy PRICE] [--sell PRICE]",
        "the broker bounds prices; without options it stops",
        lambda w: acts.Cap(symbol=w.word("SYMBOL"), buy=w.figure("buy"), sell=w.figure("sell")),
    ),
    "luld": Form(
        "luld SYMBOL [TIME]",
        "trading pauses at a limit, and goes on after five minutes",
        lambda w: acts.Halt(symbol=w.word("SYMBOL"), seconds=seconds_in(w.word("TIME", "5m"))),
    ),
    "speed": Form(
        "speed TIMES",
        "the exchange's clock runs so fast; 0 stops it",
        lambda w: acts.Speed(times=real_in(w.word("TIMES"), "TIMES")),
    ),
    "advance": Form(
        "advance TIME | --to MOMENT",
        "its clock goes forward: 30, 5m, 2h, 1d; to 15:59 or 2026-11-20T15:59, New York's time",
        _advance,
    ),
    "hand buy": Form(
        "hand buy SYMBOL QUANTITY [--limit P] [--stop P]", "somebody buys in TWS", _hand("BUY")
    ),
    "hand sell": Form(
        "hand sell SYMBOL QUANTITY [--limit P] [--stop P]", "somebody sells in TWS", _hand("SELL")
    ),
    "hand close": Form("hand close SYMBOL [QUANTITY]", "somebody closes in TWS", _hand_close),
    "hand modify": Form(
        "hand modify ORDER [--stop P] [--limit P] [--quantity N]",
        "somebody changes an order in TWS",
        _hand_modify,
    ),
    "hand cancel": Form(
        "hand cancel ORDER",
        "somebody cancels an order in TWS",
        lambda w: acts.HandCancel(order=w.word("ORDER")),
    ),
    "trade": Form("trade ORDER [QUANTITY]", "a working order trades now", _trade),
    "take": Form(
        "take ORDER [--reason TEXT]",
        "the broker cancels an order by itself",
        lambda w: acts.Take(
            order=w.word("ORDER"), reason=w.option("reason", "cancelled by the broker")
        ),
    ),
    "correct": Form(
        "correct EXECUTION [--price P] [--quantity N]", "an execution was different", _correct
    ),
    "bust": Form(
        "bust EXECUTION",
        "an execution never was",
        lambda w: acts.Bust(execution=w.word("EXECUTION")),
    ),
    "liquidate": Form(
        "liquidate SYMBOL",
        "the broker closes a position by itself",
        lambda w: acts.Liquidate(symbol=w.word("SYMBOL")),
    ),
    "locate": Form("locate SYMBOL SECONDS|never|now", "how long short sales wait", _locate),
    "slow-oca": Form("slow-oca [1] [2] [3]", "links of these OCA types work late", _slow_oca),
    "precaution": Form(
        "precaution size-limit|value-limit|percentage N | read-only | off",
        "TWS's own settings refuse orders of the API",
        _precaution,
    ),
    **FAULT_FORMS,
    **TRANSPORT_FORMS,
    **SESSION_FORMS,
    **ORDER_FORMS,
    "chaos": Form(
        "chaos SEED [PERCENT] | off", "a seed draws faults for orders, changes, cancels", _chaos
    ),
    "lift": Form("lift [NUMBER]", "a fault ends, or all", _lift),
    "wire": Form(
        "wire on|off",
        "every message is written to a file",
        lambda w: acts.Wire(on=chosen(w.word("on|off"), "on|off", ("on", "off")) == "on"),
    ),
    "look": Form("look", "the exchange's books, and the faults in force", lambda _: acts.Look()),
}
# Names of the catalogue's for what has a plainer one above.
_ALSO = {"price-capped": "cap", "held": "locate", "accept-no-ack": "unanswered"}
FORMS = _FORMS | {
    also: _FORMS[name]._replace(
        text=_FORMS[name].text.replace(name, also, 1), what=f"the same as {name}"
    )
    for also, name in _ALSO.items()
}
