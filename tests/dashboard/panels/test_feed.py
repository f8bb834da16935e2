from __future__ import annotations

from datetime import UTC

import pytest

from ibkr_trader.dashboard.panels.feed import feed_panel
from ibkr_trader.dashboard.panels.times import zone_of
from ibkr_trader.dashboard.scene import FeedKind, FeedLine
from tests.dashboard.panels.drawing import frame, is_sized, shown
from tests.dashboard.scenes import NOW, feed

ZONE = zone_of("America/New_York")


@pytest.mark.parametrize("size", [(40, 3), (80, 5), (120, 30)])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_it_has_the_size_it_is_given(size: tuple[int, int], count: int) -> None:
    assert is_sized(feed_panel(feed(count), frame(*size), zone=ZONE), *size)


def test_it_follows_what_happens() -> None:
    lines = shown(feed_panel(feed(500), frame(rows=4), zone=ZONE))
    assert lines[3].startswith("  10:01:31 REFUSED 500-stop")
    assert "↑497" in lines[0]


def test_a_cursor_stays_where_it_is() -> None:
    lines = shown(feed_panel(feed(500), frame(rows=4, place=100), zone=ZONE))
    assert lines[2].startswith("▷ ")
    assert "101-stop" in lines[2]


@pytest.mark.parametrize("kind", list(FeedKind))
def test_every_kind_has_a_word(kind: FeedKind) -> None:
    line = FeedLine(number=1, at=NOW, kind=kind, text="x")
    words = shown(feed_panel([line], frame(), zone=ZONE))[1].split()
    assert words[0] == "10:01:31"
    assert words[1].casefold() in {kind.value, "refused"}


def test_times_change_with_the_zone() -> None:
    here = frame()
    assert "10:01:31" in shown(feed_panel(feed(1), here, zone=ZONE))[1]
    assert "15:01:31" in shown(feed_panel(feed(1), here, zone=UTC))[1]
