from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.dashboard.model import Line as LineState
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.head import head_lines
from ibkr_trader.dashboard.panels.times import zone_of
from ibkr_trader.dashboard.scene import Light
from ibkr_trader.dashboard.spans import Line
from tests.dashboard.panels.drawing import is_sized, roles_of, shown
from tests.dashboard.scenes import NOW, head, scene

ZONE = zone_of("America/New_York")
UP = LineState(is_up=True, words="")


def lines_of(columns: int = 120, line: LineState = UP, **changes: Any) -> list[Line]:
    return head_lines(scene(0, 0, head=head(**changes)), columns, line=line, zone=ZONE)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_it_has_three_exact_lines(columns: int) -> None:
    assert is_sized(lines_of(columns), columns, 3)
    assert is_sized(lines_of(columns, reason="x" * 99, trouble="y" * 99), columns, 3)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
@pytest.mark.parametrize("profile", ["live", "paper", "sim"])
def test_profile_account_state_and_clock_are_always_there(columns: int, profile: str) -> None:
    first = shown(lines_of(columns, profile=profile, state="HALTED", reason="because " * 20))[0]
    assert first.startswith(f" {profile.upper()} SIM0000001   HALTED   because ")
    assert first.endswith(" 10:01:31 EST ")


def test_a_profile_that_nobody_knows_looks_like_live() -> None:
    assert lines_of(profile="prod")[0][0].role == Role.LIVE


@pytest.mark.parametrize(
    ("state", "role"),
    [
        ("ACTIVE", Role.ACTIVE),
        ("REDUCING", Role.REDUCING),
        ("HALTED", Role.HALTED),
        ("?", Role.HALTED),
    ],
)
def test_the_state_is_a_word_with_a_look(state: str, role: Role) -> None:
    assert role in roles_of(lines_of(state=state)[:1], f" {state} ")


def test_a_reason_without_room_goes_on_below() -> None:
    reason = "the day's loss of 1,002.50 is over its limit of 1,000.00"
    assert reason in shown(lines_of(state="HALTED", reason=reason))[0]
    lines = shown(lines_of(80, state="HALTED", reason=reason))
    assert reason not in lines[0]
    assert f"HALTED: {reason}" in lines[2]


@pytest.mark.parametrize(
    ("light", "words", "role"),
    [
        (Light.UP, "● data ", Role.UP),
        (Light.WAITING, "◐ data waits", Role.WAITING),
        (Light.DOWN, "○ data DOWN", Role.DOWN),
        (Light.UNKNOWN, "? data unknown", Role.WAITING),
    ],
)
def test_a_light_has_a_sign_and_a_word(light: Light, words: str, role: Role) -> None:
    lines = lines_of(data=light)
    assert words in shown(lines)[1]
    assert role in roles_of(lines[1:2], words.strip())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "closes in 5h 58m"),
        ({"turns_at": NOW + timedelta(minutes=4)}, "closes in 4 min"),
        ({"is_open": False, "turns_at": NOW + timedelta(hours=17)}, "closed, opens in 17h 00m"),
        ({"is_open": None}, "session unknown"),
        ({"turns_at": None}, "open"),
        ({"is_open": False, "turns_at": None}, "closed"),
    ],
)
def test_the_session_and_when_it_turns(changes: dict[str, Any], words: str) -> None:
    assert f"  {words}  " in shown(lines_of(**changes))[1]


def test_the_last_minutes_are_a_warning() -> None:
    lines = lines_of(turns_at=NOW + timedelta(minutes=4))
    assert roles_of(lines, "closes in") == {Role.WARNING}
    assert roles_of(lines_of(), "closes in") == {Role.PLAIN}


def test_day_and_heat_stand_beside_their_limits() -> None:
    second = shown(lines_of(130, day_net=Decimal("-1002.5"), heat=Decimal(1200)))[1]
    assert "day -1,002.50 (limit 1,000.00)" in second
    assert "heat 1,200.00 of 1,000.00 ████████ 120 % OVER" in second


def test_eighty_columns_keep_heat_and_day_when_all_is_wrong() -> None:
    second = shown(
        lines_of(
            80, link=Light.WAITING, data=Light.DOWN, day_net=Decimal("-1002.5"), heat=Decimal(1200)
        )
    )[1]
    assert "day -1,002.50" in second
    assert "heat 120 %" in second


def test_heat_without_a_limit_is_an_amount() -> None:
    assert "heat 300.00 " in shown(lines_of(heat_limit=None))[1]
    assert "heat – " in shown(lines_of(heat=None))[1]
    assert "heat" not in shown(lines_of(heat=None, heat_limit=None))[1]
    assert "heat 300.00 " in shown(lines_of(heat_limit=Decimal(0)))[1]


def test_a_live_desk_says_whether_it_is_armed() -> None:
    assert "not armed" in shown(lines_of(profile="live"))[2]
    later = NOW + timedelta(hours=1)
    assert "armed until 11:01:31 EST" in shown(lines_of(profile="live", armed_until=later))[2]
    assert "not armed" in shown(lines_of(profile="live", armed_until=NOW))[2]
    assert "armed" not in "".join(shown(lines_of(profile="paper")))


def test_readonly_and_halted_symbols_are_named() -> None:
    lines = shown(lines_of(is_readonly=True, halts=("AAPL", "MSFT")))
    assert " READ-ONLY " in lines[0]
    assert "halted: AAPL, MSFT" in lines[2]


def test_trouble_takes_the_place_of_the_curve() -> None:
    assert "equity ▁" in shown(lines_of())[2]
    lines = shown(lines_of(trouble="no market data for 12 s"))
    assert "! no market data for 12 s" in lines[2]
    assert "equity" not in lines[2]


@pytest.mark.parametrize("columns", [80, 120])
def test_a_trader_that_is_gone_takes_the_third_line(columns: int) -> None:
    gone = LineState(is_up=False, words="why " * 40)
    third = lines_of(columns, line=gone)[2]
    text = shown([third])[0]
    assert text.startswith(" STALE since the trader is gone: why why")
    assert text.endswith("… (last heard 10:01:31 EST) ")
    assert {role for _, role in third} == {Role.STALE}


def test_a_narrow_screen_says_why_rather_than_since_when() -> None:
    gone = LineState(is_up=False, words="its socket is closed")
    text = shown(lines_of(60, line=gone))[2]
    assert text == " STALE since the trader is gone: its socket is closed       "
