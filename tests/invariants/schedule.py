"""A day as data: the acts of one seed, drawn before any of them is done.

A schedule is what a failure is reported as, cut down, checked in and done again. So an act names
what it is about by its place (`pick`: the n-th order that works then), never by what only one run
has; done where it makes no sense, it is skipped. `playing.py` carries schedules out.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from ibkr_trader.sim.families import BracketMode
from tests.invariants.fault_menu import FAULTS, HALTS, HANDS, OUTAGES, WEATHER

Arguments = dict[str, Any]
Draw = Callable[[random.Random], Arguments]
ACTS = 18  # drawn a day; what ends an outage comes on top
SYMBOLS = ("AAPL", "AAPL", "MSFT")
SIZES = (3, 10_000, 10_000)  # a thin market fills in parts
ON_DISK = 10  # of so many seeds, one has the journal of the product, with its files
LATEST = 3  # seconds that an order may lie in the gateway: an absence is proven after five
_RARE, _HALF = 0.3, 0.5
WAITS = (0.01, 0.1, 0.5, 1.2, 3.0, 8.0)
CHECKPOINTS = ("CP1", "CP2", "CP8", "CP9", "CP11")
HOURS = ("10:00", *["10:00"] * 7, "15:58", "09:29", "15:44", "23:44")


class Act(msgspec.Struct, frozen=True):
    """One thing that happens, by its name in `playing.py`, and with what."""

    name: str
    arguments: Arguments = {}

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.arguments.items())])


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A day: how it begins, and what happens in it.

    Attributes:
        seed: Of the network's delays and the pauses between dials.
        hour: When it begins, in New York; a Friday.
        on_disk: Whether the journal is the real one; else its records are kept in memory.
        why: What it broke when it was checked in.
    """

    seed: int
    mode: BracketMode = BracketMode.RESIZED
    hour: str = "10:00"
    on_disk: bool = False
    acts: tuple[Act, ...] = ()
    why: str = ""

    def to_json(self) -> bytes:
        """Return it as a file to check in."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


_A_MOMENT = Act("wait", {"seconds": 1.2})


def read(data: bytes) -> Schedule:
    """Return the schedule that a file holds.

    Raises:
        msgspec.ValidationError: It holds none.
    """
    return msgspec.json.decode(data, type=Schedule, strict=True)


class _Line(NamedTuple):
    """What may be drawn, how often, and what puts an end to it a few acts later."""

    name: str
    weight: int
    draw: Draw
    end: str = ""


def _symbol(dice: random.Random, **more: Any) -> Arguments:
    return {"symbol": dice.choice(SYMBOLS), **more}


def _bracket(dice: random.Random) -> Arguments:
    return _symbol(
        dice,
        side=dice.choice(["BUY", "BUY", "SELL"]),
        quantity=dice.randint(1, 20),
        away=dice.randint(1, 4),
        limit=dice.choice([None, None, None, 0, 1]),
    )


def _words(menu: tuple[str, ...]) -> Draw:
    def draw(dice: random.Random) -> Arguments:
        symbol, pick = dice.choice(SYMBOLS), dice.randint(0, 5)
        number, seconds = dice.choice([1, 2, 5]), dice.choice([0.3, 2, 7])
        line = dice.choice(menu)
        words = line.replace("SYMBOL", symbol).replace("{N}", str(number))
        words = words.replace("{S}", str(seconds)).replace("{s}", str(min(seconds, LATEST)))
        return {"words": words, "pick": pick}

    return draw


def _pick(dice: random.Random) -> Arguments:
    return {"pick": dice.randint(0, 9)}


def _nothing(_: random.Random) -> Arguments:
    return {}


def _chance(name: str, share: float) -> Draw:
    return lambda dice: {name: dice.random() < share}


LINES = (
    _Line("bracket", 8, _bracket),
    _Line("oco_entries", 1, lambda d: _symbol(d, quantity=d.randint(1, 20), away=d.randint(1, 3))),
    _Line("oco_exits", 1, lambda d: _symbol(d, away=d.randint(1, 3))),
    _Line("trail", 2, lambda d: _symbol(d, percent=d.randint(1, 3), **_chance("managed", 0.6)(d))),
    _Line("scale_in", 2, lambda d: _symbol(d, quantity=d.randint(1, 10))),
    _Line("close", 2, _symbol),
    _Line("cancel", 2, _pick),
    _Line("tighten", 2, _pick),
    _Line(
        "halt",
        1,
        lambda d: {"symbol": d.choice(["", "AAPL"]), "keeps": d.random() < _RARE},
        "resume",
    ),
    _Line("flatten", 1, _nothing, "resume"),
    _Line("move", 7, lambda d: _symbol(d, tenths=d.randint(-30, 30), size=d.choice(SIZES))),
    _Line("wait", 9, lambda d: {"seconds": d.choice(WAITS)}),
    _Line("wait", 1, lambda _: {"seconds": 61.0}),
    _Line("inject", 8, _words(FAULTS)),
    _Line("inject", 4, _words(HANDS)),
    _Line("inject", 1, _words(HALTS), "inject"),
    _Line("inject", 3, _words(WEATHER)),
    _Line("inject", 1, _words(OUTAGES), "inject"),
    _Line("cut_link", 1, lambda d: {"side": d.choice([0, 1, 1]), "reset": d.random() < _HALF}),
    _Line("stop_gateway", 1, _chance("crash", 0.6), "start_gateway"),
    _Line("fill_disk", 1, _nothing, "free_disk"),
    _Line("lift", 1, _nothing),
    _Line("die", 1, _nothing, "rise"),
    _Line(
        "die_at", 1, lambda d: {"checkpoint": d.choice(CHECKPOINTS), "nth": d.randint(1, 4)}, "rise"
    ),
)


def draw(seed: int, *, acts: int = ACTS) -> Schedule:
    """Return the schedule of a seed: it begins with an entry, and every outage has its end."""
    dice = random.Random(seed)  # noqa: S311 - a day, not a secret
    placed: list[tuple[float, Act]] = [(-2, Act("bracket", _bracket(dice))), (-1, _A_MOMENT)]
    for place, line in enumerate(dice.choices(LINES, [line.weight for line in LINES], k=acts)):
        act = Act(line.name, line.draw(dice))
        placed.append((place, act))
        if line.end:
            end = Act(line.end, _ending(act))
            placed.append((place + dice.randint(1, 4) + _HALF, end))
    placed.sort(key=lambda one: one[0])
    return Schedule(
        seed=seed,
        mode=dice.choice(list(BracketMode)),
        hour=dice.choice(HOURS),
        on_disk=seed % ON_DISK == 0,
        acts=tuple(act for _, act in placed),
    )


def _ending(act: Act) -> Arguments:
    if act.name != "inject":
        return {}
    verb, *rest = str(act.arguments["words"]).split()
    back = "1101" if act.arguments["pick"] % 2 else "1102"  # with subscriptions, or without
    undoing = {"halt": f"unhalt {rest[0]}"} if rest else {}
    undoing |= {"1100": back, "2110": back, "readonly": "precaution off"}
    undoing |= {"precaution": "precaution off", "slow-oca": "slow-oca"}
    return {"words": undoing[verb], "pick": 0}
