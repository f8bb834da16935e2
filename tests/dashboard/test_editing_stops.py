"""`t` on a position with a stop: it only ever gets tighter."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.inputs import Pasted
from ibkr_trader.dashboard.model import Model
from tests.dashboard.play import (
    changing,
    desk,
    editing,
    glimpse,
    guarded,
    looking,
    play,
    press,
    stop,
    the_act,
    typed,
    weight,
)


def weighing(model: Model, *keys: str) -> tuple[Model, Act]:
    """Return the model after these keys, and the last question that they led to."""
    model, effects = play(model, *keys)
    assert not changing(effects)
    return model, looking(effects)[-1]


def tighten(*keys: str, **changes: Any) -> Model:
    rows = desk(stop(), positions=(guarded(**changes),))
    return press(rows, "t", *keys)


def test_a_stop_is_tightened_from_either_panel() -> None:
    for keys in (("t",), ("backtab", "t"), (*typed("117"), "t")):
        dialog = editing(press(desk(stop(), positions=(guarded(),)), *keys))
        assert dialog.title == "Tighten 17-stop  AAPL stop 145.00"
        assert (dialog.before, dialog.position) == (stop(), guarded())
    assert press(desk(), "t").dialog is None


def test_a_tighter_price_goes_out() -> None:
    model, act = weighing(tighten(), *typed("147"))
    model, act = weighing(play(model, weight(act))[0], "backspace", "8")
    assert act.options == {"order": stop().order_id, "quantity": "", "limit": "", "stop": "148"}
    sent = the_act(play(model, weight(act), "enter")[1])
    assert sent.options == {"order": stop().order_id, "stop": "148"}


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ((), "nothing is changed"),
        (typed("144"), "144.00 is no tighter than 145.00; m on the order can loosen it"),
        (typed("145"), "145.00 is no tighter than 145.00; m on the order can loosen it"),
        (typed("1.."), "'1..' is no price"),
        (typed("%"), "'%' is no share of the price"),
    ],
)
def test_a_stop_that_would_loosen_is_refused_in_place(keys: tuple[str, ...], fault: str) -> None:
    model, effects = play(tighten(*keys), "enter")
    assert editing(model).fault == fault
    assert not changing(effects)


def test_a_share_lets_the_stop_follow_the_market() -> None:
    """The trader keeps it there from now on; it only ever gets tighter, so it goes at once."""
    model, effects = play(tighten(*typed("2%")), "enter")
    act = the_act(effects)
    wanted = {"order": stop().order_id, "trail_percent": "2"}
    assert (act.command, act.options, act.words) == ("trail.trail", wanted, "trail 17-stop by 2%")
    assert model.dialog is None


def test_a_stop_that_has_moved_is_weighed_again_by_itself() -> None:
    """Tightening asks for no second Enter: it is still tighter than what now works."""
    model, effects = play(tighten(), Pasted("147"))
    model, _ = play(model, weight(looking(effects)[0]))
    moved = stop(stop=Decimal(146), terms="146.00")
    model, effects = play(model, glimpse(moved, positions=(guarded(stop=Decimal(146)),)), "enter")
    assert not changing(effects)
    act = the_act(play(model, weight(looking(effects)[0]))[1])
    assert act.options["stop"] == "147"


def test_a_stop_that_has_moved_further_is_left_alone() -> None:
    model, effects = play(tighten(), Pasted("147"))
    model, _ = play(model, weight(looking(effects)[0]))
    moved = stop(stop=Decimal(149), terms="149.00")
    after = glimpse(moved, positions=(guarded(stop=Decimal(149)),))
    model, effects = play(model, after, "enter")
    assert not effects
    assert editing(model).fault.startswith("147.00 is no tighter than 149.00")


def test_a_share_of_a_stop_that_is_gone_goes_nowhere() -> None:
    model = tighten(*typed("2%"))
    gone = glimpse(positions=(guarded(),), gone=(stop().order_id,))
    model, effects = play(model, gone, "enter")
    assert not changing(effects)
    assert model.dialog is None


def test_a_position_that_is_gone_while_its_stop_still_works() -> None:
    model, effects = play(tighten(), Pasted("147"))
    model, effects = play(model, weight(looking(effects)[0]), glimpse(stop(terms="x")), "enter")
    assert not changing(effects)
    assert looking(effects)


def test_the_first_key_replaces_what_holds() -> None:
    model = press(desk(stop()), "m", *typed("145.009"))
    assert editing(model).fields[1].text == "145.009"
