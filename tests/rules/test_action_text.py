from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.risk.sizing import FixedQuantity, FixedRisk
from ibkr_trader.rules.action_text import read_action
from ibkr_trader.rules.actions.adjust_stop import AdjustStop
from ibkr_trader.rules.actions.close_all import CloseAll
from ibkr_trader.rules.actions.notify import Notify
from ibkr_trader.rules.actions.open_position import OpenPosition
from ibkr_trader.rules.actions.scale_in import ScaleIn
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.rule import ACTIONS, Action
from tests.rules.moments import D

THREE = Distance.of("3%")


@pytest.mark.parametrize(
    ("name", "table", "action"),
    [
        ("open", {"side": "long", "stop_loss": "3%"}, OpenPosition(side="long", stop_loss=THREE)),
        (
            "open",
            {"side": "short", "stop_loss": "3%", "size": 10, "take_profit": "9%"},
            OpenPosition(
                side="short",
                stop_loss=THREE,
                size=FixedQuantity(D(10)),
                take_profit=(Distance.of("9%"),),
            ),
        ),
        (
            "open",
            {"side": "long", "stop_loss": D("1.5"), "size": "risk:2%", "take_profit": ["9%", "3R"]},
            OpenPosition(
                side="long",
                stop_loss=Distance.of("1.5"),
                size=FixedRisk(fraction=D("0.02")),
                take_profit=(Distance.of("9%"), Distance.of("3R")),
            ),
        ),
        ("scale_in", {"fraction": D("0.5"), "up_to": 20}, ScaleIn(fraction=D("0.5"), up_to=D(20))),
        ("close_all", {}, CloseAll()),
        ("close_all", {"only": "long"}, CloseAll(only="long")),
        ("adjust_stop", {"to": "cost"}, AdjustStop(to="cost")),
        ("notify", {"message": "x", "serious": True}, Notify(message="x", serious=True)),
    ],
)
def test_an_action_is_read_from_its_table(name: str, table: dict[str, Any], action: Action) -> None:
    assert read_action(name, table) == (action, [])


@pytest.mark.parametrize(
    ("name", "table", "troubles"),
    [
        ("open", 5, [("", "must be a table: [rule.open]")]),
        ("open", [{}], [("", "must be a table: [rule.open]")]),
        ("open", {}, [("side", "is missing")]),
        (
            "open",
            {"side": "long"},
            [("", 'stop_loss is missing: give it, or a size such as "atr:2"')],
        ),
        (
            "open",
            {"side": "lnog", "stop_los": "3%"},
            [
                ("stop_los", "is unknown; did you mean stop_loss?"),
                ("side", "'lnog' is none of 'long', 'short'; did you mean 'long'?"),
            ],
        ),
        ("close_all", {"only": 5}, [("only", "5 is none of 'long', 'short', 'both'")]),
        ("adjust_stop", {"to": "xxx"}, [("to", "'xxx' is none of 'cost'")]),
        (
            "scale_in",
            {"quantity": True, "up_to": D("NaN")},
            [("quantity", "true is no number"), ("up_to", "NaN is no number that can be meant")],
        ),
        (
            "notify",
            {"message": 5, "serious": "yes"},
            [
                ("message", "5 is no text: write it in quotes"),
                ("serious", "'yes' is neither true nor false"),
            ],
        ),
    ],
)
def test_everything_that_is_wrong_is_told_at_once(
    name: str, table: object, troubles: list[tuple[str, str]]
) -> None:
    assert read_action(name, table) == (None, troubles)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("size", "half", "'half' is no size; it is one of 10, risk:1%"),
        ("size", D("1.5"), "1.5 is no size"),
        ("size", "risk:x", "'risk:x' has 'x', which is no number; it is one of"),
        ("size", {}, "a table is no number"),
        ("size", D("1E+999999999"), "is no number that can be meant"),
        ("stop_loss", "half", "'half' is no distance; write 3%"),
        ("stop_loss", [], "a list is no number"),
        ("take_profit", [], "must not be empty: leave it out"),
        ("take_profit", ["9%", "x"], "'x' is no distance"),
        ("take_profit", [["9%"]], "a list is no number"),
        ("exit_tif", "gtc", "'gtc' is none of 'DAY', 'GTC'; did you mean 'GTC'?"),
    ],
)
def test_a_field_that_is_wrong_says_what_to_write(field: str, value: object, why: str) -> None:
    table = {"side": "long", "stop_loss": "3%", field: value}
    (key, message), *rest = read_action("open", table)[1]
    assert (key, rest) == (field, [])
    assert why in message


def test_no_action_takes_what_it_does_not_know() -> None:
    for name in ACTIONS:
        action, troubles = read_action(name, {"sdie": Side.BUY})
        assert action is None
        assert troubles[0][0] == "sdie"
