"""Faults of the session in words: `1100`, `restart lose 60`, `next-valid-id huge`."""

from typing import Any

from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import named_faults as named
from ibkr_trader.sim.gateway import session_faults as faults
from ibkr_trader.sim.gateway.fault_rules import Fault
from ibkr_trader.sim.gateway.words import (
    Form,
    Read,
    Words,
    armed,
    chosen,
    count_in,
    lasting_in,
    seconds_in,
)
from ibkr_trader.sim.register import LOGGED

_LAST_PORT = 65_535
_MODES = {
    "full-size": BracketMode.FULL_SIZE,
    "resized": BracketMode.RESIZED,
    "held": BracketMode.HELD,
}
# Placeholders: several accounts, another one, one that real money is in.
_ACCOUNTS = {
    "several": ("SIM0000001", "SIM0000002"),
    "other": ("SIM0000002",),
    "live": ("U0000000",),
    "paper": ("DU0000000",),
    "none": (),
}


def _outage(code: Any) -> Read:
    def read(words: Words) -> acts.Act:
        orders: Any = chosen(words.word("ORDERS", "work"), "ORDERS", ("work", "sit"))
        return acts.Arm(session=(faults.Outage(code=code, orders=orders),))

    return read


def _lasting(
    kind: type[faults.CompetingSession | faults.Stale | faults.DelayedData],
) -> Read:
    return lambda words: acts.Arm(session=(kind(seconds=lasting_in(words)),))


def _port(words: Words) -> acts.Act:
    port = count_in(words.word("PORT", "0"), "PORT", least=0)
    if port > _LAST_PORT:
        message = f"PORT is {_LAST_PORT} at most"
        raise ValueError(message)
    return acts.MovePort(port=port)


def _executions(words: Words) -> acts.Act:
    whose: Any = chosen(words.word("WHOSE"), "WHOSE", ("own", "all"))
    return acts.Executions(whose=whose)


def _trade_log(words: Words) -> acts.Act:
    days = count_in(words.word("DAYS"), "DAYS")
    if days > LOGGED.days:
        message = f"DAYS is {LOGGED.days} at most"
        raise ValueError(message)
    return acts.TradeLog(days=days)


def _restart(words: Words) -> acts.Act:
    what: Any = chosen(words.word("WHAT", "lose"), "WHAT", ("keep", "lose"))
    return acts.Restart(untransmitted=what, seconds=seconds_in(words.word("SECONDS", "30")))


def _next_id(words: Words) -> tuple[Fault, ...]:
    how: Any = chosen(words.word("HOW"), "HOW", ("lower", "same", "huge"))
    return named.next_valid_id(how, times=count_in(words.option("times", "1"), "--times", least=0))


def _accounts(words: Words) -> tuple[Fault, ...]:
    text = words.word("WHICH")
    return named.accounts(*_ACCOUNTS.get(text, tuple(text.split(","))))


def _mode(words: Words) -> acts.Act:
    return acts.Brackets(mode=_MODES[chosen(words.word("MODE"), "MODE", tuple(_MODES))])


SESSION_FORMS: dict[str, Form] = {
    "326-then-close": Form(
        "326-then-close [TIMES]",
        "who starts the API is told that the client id is taken, and dropped",
        armed(lambda w: named.taken_id(count_in(w.word("TIMES", "1"), "TIMES"))),
    ),
    "1100": Form(
        "1100 [work|sit]", "the broker is out of reach; orders work, or sit", _outage(1100)
    ),
    "1101": Form(
        "1101",
        "the broker is back, and subscriptions are lost",
        lambda _: acts.Restore(code=1101),
    ),
    "1102": Form(
        "1102",
        "the broker is back, and subscriptions go on",
        lambda _: acts.Restore(code=1102),
    ),
    "2110": Form("2110 [work|sit]", "the same as 1100, in other words", _outage(2110)),
    "1300": Form("1300 [PORT]", "the port moves, and everybody is dropped", _port),
    "restart": Form(
        "restart [keep|lose] [SECONDS]",
        "everybody is dropped, and nobody accepted for a while",
        _restart,
    ),
    "next-valid-id": Form(
        "next-valid-id lower|same|huge [--times N]",
        "the next order id is told wrong",
        armed(_next_id),
    ),
    "midnight-rollover": Form(
        "midnight-rollover",
        "executions and completed orders of today are told no more",
        lambda _: acts.RollOver(),
    ),
    "executions": Form(
        "executions own|all",
        "whoever asks for executions is told its own alone, or everybody's",
        _executions,
    ),
    "trade-log": Form(
        "trade-log DAYS",
        "whoever asks for executions is told those of so many days, as TWS does if set so",
        _trade_log,
    ),
    "competing-session": Form(
        "competing-session [SECONDS]",
        "market data goes to somebody else (10197)",
        _lasting(faults.CompetingSession),
    ),
    "stale": Form("stale [SECONDS]", "market data stands still", _lasting(faults.Stale)),
    "delayed-data": Form(
        "delayed-data [SECONDS]", "market data comes delayed (10167)", _lasting(faults.DelayedData)
    ),
    "readonly": Form(
        "readonly",
        "TWS takes no orders of the API (321)",
        lambda _: acts.Precaution(kind="read-only"),
    ),
    "never-end": Form(
        "never-end MESSAGE…",
        "answers do not end: openOrderEnd, positionEnd, execDetailsEnd …",
        armed(lambda w: named.never_end(*w.rest())),
    ),
    "accounts": Form(
        "accounts several|other|live|paper|none|NAME,NAME",
        "other accounts are told",
        armed(_accounts),
    ),
    "bracket-mode": Form(
        "bracket-mode full-size|resized|held",
        "what exits do while their entry is partly filled",
        _mode,
    ),
}
