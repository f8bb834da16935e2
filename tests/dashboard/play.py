"""A desk to press keys at: rows that fit each other, and what comes of a few inputs in a row."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from ibkr_trader.dashboard import inputs
from ibkr_trader.dashboard.effects import Act, Effect
from ibkr_trader.dashboard.model import (
    ConfirmDialog,
    EditDialog,
    FilterLine,
    Model,
    Notice,
    Page,
    TypedDialog,
)
from ibkr_trader.dashboard.scene import (
    Glimpse,
    Head,
    OrderRow,
    PositionRow,
    Scene,
)
from ibkr_trader.dashboard.state import update
from ibkr_trader.dashboard.steps import READ
from tests.dashboard import scenes

D = TypeVar("D")

CON_IDS = {"AAPL": 1, "MSFT": 2, "NVDA": 3, "BRK B": 4}
Given = inputs.Input | str  # a string is a key


def head(**changes: Any) -> Head:
    return scenes.head(**changes)


def stop(group: int = 17, symbol: str = "AAPL", **changes: Any) -> OrderRow:
    """Return the stop of a long position: its broker's number is its group's and 100."""
    return _order(
        f"{group}-stop",
        symbol,
        {
            "number": 100 + group,
            "side": "SELL",
            "kind": "STOP",
            "terms": "145.00",
            "stop": Decimal("145.00"),
            "can_stop": True,
            "role": "stop",
            "group": str(group),
            "is_protective": True,
        }
        | changes,
    )


def entry(group: int = 18, symbol: str = "MSFT", **changes: Any) -> OrderRow:
    """Return a limit order to buy."""
    return _order(
        f"{group}-entry",
        symbol,
        {
            "number": 200 + group,
            "side": "BUY",
            "kind": "LIMIT",
            "terms": "150.00",
            "limit": Decimal("150.00"),
            "can_limit": True,
            "role": "entry",
            "group": str(group),
        }
        | changes,
    )


def _order(short: str, symbol: str, changes: dict[str, Any]) -> OrderRow:
    known: dict[str, Any] = {
        "order_id": f"k7qav-{short}",
        "short": short,
        "con_id": CON_IDS[symbol],
        "symbol": symbol,
        "ticker": symbol.replace(" ", "."),
        "quantity": Decimal(10),
        "tif": "GTC",
        "status": "SUBMITTED",
    }
    return OrderRow(**(known | changes))


def held(symbol: str = "AAPL", quantity: int | str = 10, **changes: Any) -> PositionRow:
    """Return a position without a stop; the last price is 150."""
    known: dict[str, Any] = {
        "con_id": CON_IDS.get(symbol, 99),
        "symbol": symbol,
        "ticker": symbol.replace(" ", "."),
        "quantity": Decimal(quantity),
        "average": Decimal("148.00"),
        "last": Decimal("150.00"),
        "tick": Decimal("0.01"),
    }
    return PositionRow(**(known | changes))


def guarded(group: int = 17, symbol: str = "AAPL", **changes: Any) -> PositionRow:
    """Return a position whose whole is covered by `stop(group)`."""
    known: dict[str, Any] = {
        "stop_id": f"k7qav-{group}-stop",
        "stop": Decimal("145.00"),
        "covered": Decimal(10),
        "coverage": Decimal(1),
    }
    return held(symbol, **(known | changes))


def glimpse(
    *orders: OrderRow, positions: tuple[PositionRow, ...] = (), **changes: Any
) -> inputs.Saw:
    """Return a picture: the positions whole, of the orders what has changed."""
    known: dict[str, Any] = {"head": head(), "orders": orders, "positions": positions}
    return inputs.Saw(Glimpse(**(known | changes)))


def desk(*orders: OrderRow, positions: tuple[PositionRow, ...] = (), **changes: Any) -> Model:
    """Return a dashboard that has just seen these orders and positions."""
    first = glimpse(*orders, positions=positions, is_first=True, **changes)
    return play(Model(operator="ann"), inputs.Ticked(100.0), first)[0]


def play(model: Model, *given: Given) -> tuple[Model, list[Effect]]:
    """Return what comes of these inputs, one after the other."""
    done: list[Effect] = []
    for one in given:
        model, effects = update(model, inputs.Pressed(one) if isinstance(one, str) else one)
        done += effects
    return model, done


def press(model: Model, *keys: str) -> Model:
    """Return the model after these keys, pressed by somebody who reads what comes up."""
    for key in keys:
        model, _ = play(model, key)
        if isinstance(model.dialog, ConfirmDialog) and model.dialog.ready > model.now:
            model, _ = wait(model, READ)
    return model


def typed(text: str) -> tuple[str, ...]:
    """Return a text as keys."""
    return tuple(text)


def wait(model: Model, seconds: float) -> tuple[Model, list[Effect]]:
    """Let time pass as a shell does: a tick every twentieth of a second."""
    steps = round(seconds / 0.05)
    return play(model, *(inputs.Ticked(model.now + 0.05 * (one + 1)) for one in range(steps)))


def changing(effects: list[Effect]) -> list[Act]:
    """Return the acts that are no mere questions of the screen's."""
    return [one for one in effects if isinstance(one, Act) and not one.looks]


def looking(effects: list[Effect]) -> list[Act]:
    """Return the questions of the screen's own."""
    return [one for one in effects if isinstance(one, Act) and one.looks]


def the_act(effects: list[Effect]) -> Act:
    """Return the one effect, which is an act."""
    (found,) = effects
    assert isinstance(found, Act), found
    return found


def answer(act: Act | int, **outcome: Any) -> inputs.Answered:
    """Return the trader's answer: done, unless it says something else."""
    call = act if isinstance(act, int) else act.call
    return inputs.Answered(call, inputs.Outcome(**({"is_done": True} | outcome)))


def weight(act: Act, *, reduces: bool | None = True, fault: str = "") -> inputs.Answered:
    """Return what the trader says of terms."""
    return answer(act, data={"reduces": reduces, "fault": fault, "notes": ["tick 0.01"]})


def text_of(model: Model) -> str:
    """Return what the last key led to, in words."""
    return told(model).text


def told(model: Model) -> Notice:
    assert model.notice is not None
    return model.notice


def scene_of(model: Model) -> Scene:
    assert model.scene is not None
    return model.scene


def showing(model: Model, kind: type[D]) -> D:
    """The dialog that is open, which is one of this kind."""
    assert isinstance(model.dialog, kind), model.dialog
    return model.dialog


editing = partial(showing, kind=EditDialog)
asking = partial(showing, kind=ConfirmDialog)
typing = partial(showing, kind=TypedDialog)
reading = partial(showing, kind=Page)
filtering = partial(showing, kind=FilterLine)


def at(minute: int) -> datetime:
    return scenes.NOW.replace(minute=minute)
