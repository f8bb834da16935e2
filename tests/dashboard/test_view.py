"""The whole screen. `python -m tests.dashboard.stored` writes the stored ones anew."""

from __future__ import annotations

import msgspec
import pyte
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ibkr_trader.dashboard.inputs import Questioned
from ibkr_trader.dashboard.model import Line as LineState
from ibkr_trader.dashboard.model import Lost, Model, Notice, Panel, Tone
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.spans import Line, width
from ibkr_trader.dashboard.view import view
from tests.dashboard.garbled import NASTY, garbled, texts
from tests.dashboard.scenes import head, model, order, scene
from tests.dashboard.stored import DESK, FOLDER, SCREENS, drawn, plainly

SIZES = st.tuples(st.integers(1, 220), st.integers(1, 70))
MODELS = [stored.model for stored in SCREENS.values()]
FIXED = frozenset({"filter"})  # it would leave no rows to look at; everything else is any text


def is_sound(lines: tuple[Line, ...], columns: int, rows: int) -> None:
    assert len(lines) == rows
    for line in lines:
        assert width(line) == columns
        assert all(text.isprintable() for text, _ in line)


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_is_stored(name: str) -> None:
    assert drawn(SCREENS[name]) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_nothing_else_is_stored() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(SCREENS)


@given(st.sampled_from(MODELS), SIZES, st.sampled_from(list(Panel)))
def test_every_screen_is_exactly_as_large_as_asked(
    shown: Model, size: tuple[int, int], panel: Panel
) -> None:
    shown = msgspec.structs.replace(shown, panel=panel)
    is_sound(view(shown, *size, RowCache()), *size)


@settings(max_examples=100)
@given(
    st.sampled_from(MODELS),
    st.lists(texts(), min_size=1, max_size=7),
    st.sampled_from([(40, 8), (60, 15), (80, 24), (120, 40), (200, 60)]),
)
@example(MODELS[0], list(NASTY), (200, 60))
def test_no_foreign_text_steers_the_terminal(
    shown: Model, words: list[str], size: tuple[int, int]
) -> None:
    is_sound(view(garbled(shown, words, keep=FIXED), *size, RowCache()), *size)


@pytest.mark.parametrize("name", SCREENS)
def test_a_terminal_puts_each_line_where_we_think(name: str) -> None:
    shown, columns, rows = SCREENS[name]
    screen = pyte.Screen(columns + 1, rows)
    stream = pyte.Stream(screen)
    for row, line in enumerate(view(shown, columns, rows, RowCache()), start=1):
        stream.feed(f"\x1b[{row};1H" + "".join(text for text, _ in line) + "X")
    assert {screen.buffer[row][columns].data for row in range(rows)} == {"X"}


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(MODELS), SIZES), min_size=2, max_size=6))
@example([(one, size) for one in MODELS for size in ((120, 40), (80, 24), (200, 60))])
def test_a_used_cache_changes_nothing(steps: list[tuple[Model, tuple[int, int]]]) -> None:
    used = RowCache()
    for shown, size in steps:
        assert view(shown, *size, used) == view(shown, *size, RowCache())


@pytest.mark.parametrize("count", [0, 1, 500])
@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40), (200, 60)])
def test_any_number_of_rows_can_be_shown(count: int, size: tuple[int, int]) -> None:
    is_sound(view(model(scene(count, count)), *size, RowCache()), *size)


def test_only_the_rows_in_sight_are_formatted() -> None:
    cache = RowCache()
    view(model(scene(500, 500)), 120, 40, cache)
    assert len(cache) < 40


@pytest.mark.parametrize("size", [(40, 8), (60, 15), (80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize(
    ("profile", "role"), [("live", Role.LIVE), ("paper", Role.PAPER), ("sim", Role.SIM)]
)
def test_the_profile_is_told_by_word_and_colour(
    profile: str, role: Role, size: tuple[int, int]
) -> None:
    first = view(model(scene(head=head(profile=profile))), *size, RowCache())[0]
    assert first[0].role == role
    assert f" {profile.upper()} " in first[0].text
    assert "ACTIVE" in "".join(text for text, _ in first)


def test_unknown_figures_are_shown_as_such() -> None:
    unknown = head(day_net=None, heat=None, heat_limit=None, is_open=None, net_liquidation=None)
    text = plainly(view(model(scene(head=unknown)), 120, 40, RowCache()))
    assert "day –" in text
    assert "session unknown" in text


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_a_stale_picture_is_marked(size: tuple[int, int]) -> None:
    gone = LineState(is_up=False, words="its socket is closed")
    lines = view(model(scene(), line=gone), *size, RowCache())
    text = plainly(lines)
    assert "STALE since the trader is gone: its socket is closed" in text
    assert "last heard 10:01:31 EST" in text
    assert text.count(" STALE ") >= 4  # the head, and each panel
    assert Role.STALE in {role for line in lines for _, role in line}
    assert "STALE" not in plainly(view(model(scene()), *size, RowCache()))


def test_before_the_first_glimpse_it_says_whom_it_waits_for() -> None:
    shown = Model(line=LineState(is_up=False, words="no trader runs here"))
    text = plainly(view(shown, 80, 24, RowCache()))
    assert "no trader runs here …" in text
    assert "q quit" in text
    assert "c cancel" not in text


def test_a_dialog_that_has_no_room_is_named() -> None:
    text = plainly(view(SCREENS["halt-120x40"].model, 40, 8, RowCache()))
    assert "esc closes: Halt?" in text
    staged = plainly(view(SCREENS["staged-80x24"].model, 40, 8, RowCache()))
    assert "any key stops it" in staged


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40), (200, 60)])
def test_no_filter_hides_what_is_naked_or_unknown(size: tuple[int, int]) -> None:
    orders = {"a": order(1, order_id="a", is_unknown=True)}
    shown = model(scene(0, 3, orders=orders), filter="nothing has this")
    lines = view(shown, *size, RowCache())
    assert " 1 NAKED " in plainly(lines)
    assert " 1 order UNKNOWN " in plainly(lines)
    assert (" 1 NAKED ", Role.NAKED) in lines[2]


def test_times_are_in_utc_where_that_is_asked_for() -> None:
    text = plainly(view(msgspec.structs.replace(DESK, is_utc=True), 80, 24, RowCache()))
    assert "15:01:31 UTC" in text
    assert "15:01:30 " in text


def test_a_zone_that_nobody_knows_is_utc() -> None:
    shown = model(scene(head=head(zone="../../etc/passwd")))
    assert "15:01:31 UTC" in plainly(view(shown, 80, 24, RowCache()))


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)])
def test_dropped_frames_are_shown(size: tuple[int, int]) -> None:
    shown = model(scene(skipped=3), frames=2)
    assert "2 frames dropped, 3 glimpses skipped" in plainly(view(shown, *size, RowCache()))


def test_the_row_under_the_cursor_is_marked_by_sign_and_look() -> None:
    shown = model(scene(8, 3), selected={Panel.ORDERS: "k7qav-2-stop"})
    lines = view(shown, 80, 24, RowCache())
    marked = [line for line in lines if line[0].text.startswith("▶")]
    assert len(marked) == 1
    assert "2-stop" in "".join(text for text, _ in marked[0])
    assert all(Role.CURSOR in role.split() for _, role in marked[0])


def test_a_notice_says_how_it_is_meant() -> None:
    notice = Notice(text="17-stop: outcome unknown", tone=Tone.WARNING, until=9.0)
    shown = model(scene(), notice=notice)
    assert "warning: 17-stop: outcome unknown" in plainly(view(shown, 80, 24, RowCache()))
    later = msgspec.structs.replace(shown, now=10.0)
    assert "outcome unknown" not in plainly(view(later, 80, 24, RowCache()))


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40), (200, 60)])
def test_a_row_that_went_away_under_the_cursor_is_not_replaced(size: tuple[int, int]) -> None:
    lost = {Panel.ORDERS: Lost("k7qav-9-stop", "9-stop")}
    shown = model(scene(8, 3), selected={Panel.ORDERS: "k7qav-2-stop"}, lost=lost)
    lines = view(shown, *size, RowCache())
    text = plainly(lines)
    assert " 9-stop is gone " in text
    assert "9-stop is not in the list any more: j or k" in text
    assert "▷ 2-stop" in text
    assert "▶ " not in text
    assert not any(Role.CURSOR in role.split() for line in lines for _, role in line)
    assert "2-stop (No." not in text


def test_a_row_that_the_filter_hides_is_not_gone() -> None:
    lost = {Panel.ORDERS: Lost("k7qav-1-stop", "1-stop")}
    shown = model(
        scene(8, 3), selected={Panel.ORDERS: "k7qav-2-stop"}, lost=lost, filter=order(2).symbol
    )
    text = plainly(view(shown, 80, 24, RowCache()))
    assert " 1-stop is hidden " in text
    assert "the filter hides 1-stop: Esc shows all" in text
    assert "is gone" not in text


def test_a_chosen_row_that_is_not_there_is_not_replaced_either() -> None:
    shown = model(scene(8, 3), selected={Panel.ORDERS: "k7qav-99-stop"})
    text = plainly(view(shown, 80, 24, RowCache()))
    assert " k7qav-99-stop is gone " in text
    assert "▶ " not in text


def test_an_order_that_was_asked_to_go_says_so_at_once() -> None:
    shown = model(scene(8, 3), cancelling={"k7qav-1-stop": 1.0})
    text = plainly(view(shown, 80, 24, RowCache()))
    assert "140.07 CANCEL ASKED" in text
    assert "GTC, CANCEL ASKED" in text  # in the sentence below, too
    assert "140.07 PRESUBMITTED" in plainly(view(model(scene(8, 3)), 80, 24, RowCache()))


def test_a_question_that_waits_is_announced() -> None:
    shown = model(scene(8, 3), waiting=Questioned(call=1, question="really?"))
    assert "the trader asks something: close this first" in plainly(view(shown, 80, 24, RowCache()))
