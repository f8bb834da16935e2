"""A gateway that restarts is waited for in silence, until its window is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ibkr_trader.adapters.ibkr.absence import Absence

NIGHT = datetime(2026, 11, 21, 4, 45, tzinfo=UTC)  # 23:45 in New York
END = datetime(2026, 11, 21, 5, 20, tzinfo=UTC)


def test_within_its_window_a_loss_is_expected_and_attempts_say_nothing() -> None:
    absence = Absence("23:40-00:20")
    assert absence.begin(NIGHT) == END
    assert absence.words("refused", NIGHT + timedelta(minutes=30)) == ("", False)


def test_whoever_is_not_back_by_its_end_is_told_of_aloud_once() -> None:
    absence = Absence("23:40-00:20")
    absence.begin(NIGHT)
    over = "still not connected, and the gateway's restart window is over: refused"
    assert absence.words("refused", END) == (over, True)
    assert absence.words("refused", END) == ("still not connected: refused", False)


def test_at_any_other_hour_it_is_a_loss() -> None:
    for absence, at in ((Absence("23:40-00:20"), END), (Absence(""), NIGHT)):
        assert absence.begin(at) is None
        assert absence.words("refused", at) == ("still not connected: refused", False)


def test_a_window_is_new_yorks_in_summer_too() -> None:
    assert Absence("23:40-00:20").begin(datetime(2026, 7, 2, 3, 45, tzinfo=UTC)) == datetime(
        2026, 7, 2, 4, 20, tzinfo=UTC
    )
    assert Absence("23:40-00:20").begin(datetime(2026, 7, 2, 4, 45, tzinfo=UTC)) is None
