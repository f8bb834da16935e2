from __future__ import annotations

import pytest

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.signals import signals_panel
from ibkr_trader.dashboard.panels.times import zone_of
from ibkr_trader.dashboard.scene import Came, Decision
from tests.dashboard.panels.drawing import frame, is_sized, shown
from tests.dashboard.scenes import NOW, decisions

ZONE = zone_of("America/New_York")


@pytest.mark.parametrize("size", [(40, 3), (80, 5), (120, 30)])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_it_has_the_size_it_is_given(size: tuple[int, int], count: int) -> None:
    assert is_sized(signals_panel(decisions(count), frame(*size), zone=ZONE), *size)


def test_a_decision_has_its_time_its_maker_and_its_reason() -> None:
    lines = shown(signals_panel(decisions(3), frame(), zone=ZONE))
    assert lines[1].startswith("  09:59:31 tighten    acted   stop of MSFT to 147.50: 1.0 R")
    assert "guard      REFUSED" in lines[3]


def test_the_newest_is_seen_at_whichever_end_it_is() -> None:
    last = shown(signals_panel(decisions(50), frame(rows=4), zone=ZONE))
    assert "10:01:31" in last[3]
    first = shown(signals_panel(decisions(50)[::-1], frame(rows=4), zone=ZONE))
    assert "10:01:31" in first[1]


def test_a_cursor_shows_older_ones() -> None:
    here = frame(rows=4, place=0, is_focused=True)
    lines = shown(signals_panel(decisions(50), here, zone=ZONE))
    assert lines[1].startswith("▶ 09:12:31")
    assert "↓47" in lines[0]


@pytest.mark.parametrize("came", Came)
def test_every_outcome_is_told_and_only_an_act_is_good(came: Came) -> None:
    row = Decision(at=NOW, source="mine", text="long AAPL", came=came)
    line = signals_panel([row], frame(), zone=ZONE)[1]
    (told,) = [span for span in line if span.text.strip().lower() == came.value]
    assert (told.role == Role.GOOD) is (came is Came.ACTED)


def test_on_a_narrow_screen_the_reason_has_what_room_there_is() -> None:
    row = Decision(at=NOW, source="a-strategy-of-a-long-name", text="x" * 100)
    line = shown(signals_panel([row], frame(80, 5), zone=ZONE))[1]
    assert line.count("x") >= 49
