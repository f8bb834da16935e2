from __future__ import annotations

import pytest

from ibkr_trader.dashboard.inputs import Pasted
from ibkr_trader.dashboard.model import Model, Panel, Sorting
from ibkr_trader.dashboard.rows import chosen
from tests.dashboard.play import (
    changing,
    desk,
    entry,
    filtering,
    glimpse,
    held,
    play,
    press,
    stop,
    text_of,
    typed,
)
from tests.dashboard.scenes import GAUGES, feed

MANY = tuple(stop(group) for group in range(1, 31))


def cursor(model: Model, panel: Panel = Panel.ORDERS) -> str:
    return model.selected.get(panel, "")


def order_ids(*groups: int) -> list[str]:
    return [stop(group).order_id for group in groups]


@pytest.mark.parametrize(
    ("keys", "group"),
    [
        ((), 1),
        (("j",), 2),
        (("down", "down"), 3),
        (("j", "k"), 1),
        (("k",), 1),
        (("up",), 1),
        (("pagedown",), 11),
        (("pagedown", "pageup"), 1),
        (("G",), 30),
        (("end", "j"), 30),
        (("G", "g"), 1),
        (("end", "home"), 1),
        (("end", "pagedown"), 30),
    ],
)
def test_the_cursor_moves(keys: tuple[str, ...], group: int) -> None:
    assert cursor(press(desk(*MANY), *keys)) == stop(group).order_id


def test_there_is_nothing_to_move_to() -> None:
    model = press(desk(), "j")
    assert not cursor(model)


def test_panels_go_round() -> None:
    model = desk()
    assert model.panel is Panel.ORDERS
    seen = [press(model, *["tab"] * count).panel for count in range(6)]
    assert seen[:5] == [Panel.ORDERS, Panel.RISK, Panel.SIGNALS, Panel.FEED, Panel.POSITIONS]
    assert seen[5] is Panel.ORDERS
    assert press(model, "backtab").panel is Panel.POSITIONS
    assert press(model, "right").panel is Panel.RISK
    assert press(model, "left").panel is Panel.POSITIONS


def test_a_cursor_stays_on_its_order_while_others_come_and_go() -> None:
    model = press(desk(stop(1), stop(2), stop(3)), "j")
    model, _ = play(model, glimpse(stop(4), gone=(stop(1).order_id,)))
    assert cursor(model) == stop(2).order_id
    assert not model.lost


def test_a_cursor_that_was_never_moved_stays_too() -> None:
    """A new order that is sorted in above it must not be the one that the next key is about."""
    model = press(desk(stop(5, "NVDA")), "o")
    model, effects = play(model, glimpse(stop(6, "AAPL")), "c")
    (act,) = changing(effects)
    assert act.options == {"orders": order_ids(5)}


@pytest.mark.parametrize("key", ["c", "m", "x", "t"])
@pytest.mark.parametrize("row", [1, 2, 3])
def test_no_key_acts_on_the_neighbour_of_a_row_that_is_gone(key: str, row: int) -> None:
    rows = (stop(1), stop(2), stop(3))
    model = press(desk(*rows, positions=(held(),)), *["j"] * (row - 1))
    model, effects = play(model, glimpse(gone=tuple(order_ids(row)), positions=(held(),)), key)
    assert not effects
    assert model.dialog is None
    assert text_of(model) == (
        f"{row}-stop is not in the list any more: move with j or k to choose another row first"
    )


@pytest.mark.parametrize(("row", "near"), [(1, 2), (2, 3), (3, 2)])
def test_a_neighbour_is_shown_and_one_move_chooses(row: int, near: int) -> None:
    rows = (stop(1), stop(2), stop(3))
    model = press(desk(*rows), *["j"] * (row - 1))
    model, _ = play(model, glimpse(gone=tuple(order_ids(row))))
    assert cursor(model) == stop(near).order_id
    model, effects = play(model, "j", "c")
    assert changing(effects)[0].options == {"orders": [cursor(model)]}


def test_the_other_panels_cursor_needs_no_move() -> None:
    model = desk(stop(1), stop(2), positions=(held(), held("NVDA")))
    model, _ = play(model, glimpse(gone=tuple(order_ids(1)), positions=(held("NVDA"),)))
    assert set(model.lost) == {Panel.ORDERS, Panel.POSITIONS}
    assert set(press(model, "j").lost) == {Panel.POSITIONS}


def test_the_last_row_that_is_gone_is_not_forgotten() -> None:
    """The list was empty for a moment; what came after it nobody has chosen."""
    model, _ = play(desk(stop(1)), glimpse(gone=tuple(order_ids(1))))
    assert cursor(model) == ""
    assert not changing(play(model, "c")[1])
    model, _ = play(model, glimpse(stop(2)))
    assert cursor(model) == stop(2).order_id
    assert not changing(play(model, "c")[1])
    assert changing(play(model, "j", "c")[1])


def test_moving_in_an_empty_list_forgets_the_row_that_is_gone() -> None:
    model, _ = play(desk(stop(1)), glimpse(gone=tuple(order_ids(1))), "j")
    assert not model.lost


def test_two_rows_gone_one_after_the_other() -> None:
    model, _ = play(
        desk(stop(1), stop(2), stop(3)),
        glimpse(gone=tuple(order_ids(1))),
        glimpse(gone=tuple(order_ids(2))),
        "c",
    )
    assert text_of(model).startswith("2-stop is not in the list any more")


def test_an_order_that_comes_back_is_not_chosen_by_itself() -> None:
    model, effects = play(
        desk(stop(1), stop(2)), glimpse(gone=tuple(order_ids(1))), glimpse(stop(1)), "c"
    )
    assert cursor(model) == stop(2).order_id
    assert not effects


def test_a_new_trader_that_has_other_orders() -> None:
    model, effects = play(desk(stop(1)), glimpse(stop(2), is_first=True), "c")
    assert not effects
    assert cursor(model) == stop(2).order_id


def test_a_cursor_of_nobody() -> None:
    """A model that was never settled: its cursor points at what is not there."""
    model = Model(scene=desk(stop(1)).scene, selected={Panel.ORDERS: "nobody"})
    assert text_of(press(model, "c")).startswith("nobody is not in the list any more")
    after, _ = play(model, glimpse(stop(2)))
    assert after.lost[Panel.ORDERS].name == "nobody"


def test_a_position_that_is_gone_is_not_replaced() -> None:
    model = press(desk(positions=(held(), held("NVDA"))), "backtab")
    model, effects = play(model, glimpse(positions=(held("NVDA"),)), "x")
    assert (effects, model.dialog) == ([], None)
    assert text_of(model).startswith("AAPL is not in the list any more")


# -- the filter


def test_the_filter_holds_as_it_is_typed() -> None:
    model = press(desk(stop(), entry()), "/", *typed("ms"))
    assert (filtering(model).text, model.filter) == ("ms", "ms")
    assert chosen(model, Panel.ORDERS) == entry()
    model = press(model, "backspace", "backspace", "tab", "\x07")
    assert (filtering(model).text, model.filter) == ("", "")
    model = press(model, *typed("aapl"), "ctrl-u", *typed("x" * 60))
    assert model.filter == "x" * 40


def test_escape_takes_back_what_was_typed() -> None:
    model = press(desk(stop(), entry()), "/", *typed("ms"), "enter", "/", *typed("ft"))
    assert model.filter == "msft"
    model = press(model, "escape")
    assert (model.dialog, model.filter) == (None, "ms")
    assert press(model, "escape").filter == ""


def test_pasted_text_is_a_filter_without_control_characters() -> None:
    model, effects = play(desk(stop(), entry()), "/", Pasted("m\x1b[2Js\nft" + "x" * 60))
    assert model.filter == ("m[2Js ft" + "x" * 60)[:40]
    assert not effects


def test_enter_chooses_what_the_filter_shows() -> None:
    model, effects = play(desk(stop(), entry()), "/", *typed("msft"), "enter", "c")
    assert changing(effects)[0].options == {"orders": [entry().order_id]}
    assert not model.lost


def test_without_enter_what_the_filter_shows_is_not_chosen() -> None:
    model = press(desk(stop(), entry()), "/", *typed("msft"))
    assert model.lost[Panel.ORDERS].name == "17-stop"


def test_a_row_that_was_only_hidden_is_chosen_again() -> None:
    model = press(desk(stop(), entry()), "/", *typed("msft"), "escape")
    assert chosen(model, Panel.ORDERS) == stop()
    assert not model.lost
    model = press(desk(stop(), entry()), "/", *typed("msftx"), "backspace", "enter", "escape")
    assert chosen(model, Panel.ORDERS) == entry()


def test_enter_does_not_choose_for_a_row_that_is_gone() -> None:
    model = press(desk(stop(), entry(), entry(19)), "/", *typed("msft"))
    model, effects = play(model, glimpse(gone=(entry().order_id,)), "enter", "c")
    assert not effects
    assert text_of(model).startswith("18-entry is not in the list any more")


def test_a_filter_without_a_trader() -> None:
    assert press(Model(), "/", "a", "enter").filter == "a"


# -- sorting


def test_sorting_goes_through_the_columns_and_back() -> None:
    model = desk(stop())
    seen = [model.sorting.get(Panel.ORDERS, Sorting())]
    for _ in range(7):
        model = press(model, "o")
        seen.append(model.sorting[Panel.ORDERS])
    assert seen[0] == seen[-1] == Sorting()
    assert seen[1:3] == [Sorting("Symbol"), Sorting("Symbol", is_descending=True)]
    assert len(set(seen)) == 7


def test_what_happens_has_its_own_order() -> None:
    assert text_of(press(desk(), "tab", "o")) == "Risk has an order of its own"


# -- the panels that are only read


def test_lines_can_be_walked_through() -> None:
    model = press(desk(feed=feed(20)), "tab", "tab", "tab")
    assert not cursor(model, Panel.FEED)
    model = press(model, "k")
    assert cursor(model, Panel.FEED) == "20"
    model = press(model, "k", "k", "j")
    assert cursor(model, Panel.FEED) == "19"
    assert cursor(press(model, "g"), Panel.FEED) == "1"
    assert not cursor(press(model, "G"), Panel.FEED)


def test_gauges_can_be_walked_through() -> None:
    model = press(desk(gauges=GAUGES), "tab", "j")
    assert cursor(model, Panel.RISK) == GAUGES[0].name
    assert cursor(press(model, "j"), Panel.RISK) == GAUGES[1].name
    assert cursor(press(model, "G"), Panel.RISK) == GAUGES[-1].name


def test_a_line_that_has_left_the_feed_is_no_loss() -> None:
    model = press(desk(stop(), feed=feed(5)), "tab", "tab", "tab", "g")
    model, _ = play(model, glimpse(is_first=True, feed=feed(20)[10:]))
    assert not model.lost.get(Panel.FEED)
