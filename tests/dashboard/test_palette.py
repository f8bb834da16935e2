from __future__ import annotations

import pytest
from rich.color import Color, ColorType
from rich.style import Style

from ibkr_trader.dashboard.palette import Colours, Role, palette

COLOURS: tuple[Colours, ...] = ("truecolor", "256", "standard")
KINDS: dict[Colours, set[ColorType]] = {
    "truecolor": {ColorType.TRUECOLOR},
    "256": {ColorType.EIGHT_BIT},
    "standard": {ColorType.STANDARD},
}
ALARMS = (Role.LIVE, Role.HALTED, Role.REDUCING, Role.NAKED, Role.UNKNOWN, Role.STALE)


def luminance(color: Color) -> float:
    """Return the relative luminance as WCAG has it."""
    parts = [part / 255 for part in color.get_truecolor()]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@pytest.mark.parametrize("is_light", [False, True])
@pytest.mark.parametrize("role", list(Role))
def test_without_colours_only_attributes_are_left(role: Role, is_light: bool) -> None:
    style = palette(is_light=is_light, colours=None)(role)
    assert style.color is None
    assert style.bgcolor is None


@pytest.mark.parametrize("role", ALARMS)
def test_alarms_stand_out_without_colours(role: Role) -> None:
    assert palette(is_light=False, colours=None)(role).reverse


@pytest.mark.parametrize("is_light", [False, True])
@pytest.mark.parametrize("colours", COLOURS)
def test_no_more_colours_are_used_than_there_are(colours: Colours, is_light: bool) -> None:
    styles = [palette(is_light=is_light, colours=colours)(role) for role in Role]
    used = {one.type for style in styles for one in (style.color, style.bgcolor) if one}
    assert used == KINDS[colours]


@pytest.mark.parametrize("is_light", [False, True])
@pytest.mark.parametrize("colours", ["truecolor", "256"])
@pytest.mark.parametrize("role", list(Role))
def test_every_role_can_be_read(role: Role, colours: Colours, is_light: bool) -> None:
    style = palette(is_light=is_light, colours=colours)(role)
    ground = luminance(style.bgcolor) if style.bgcolor else float(is_light)
    front = luminance(style.color) if style.color else 1 - float(is_light)
    assert contrast(ground, front) >= 4.5


@pytest.mark.parametrize("is_light", [False, True])
@pytest.mark.parametrize("colours", COLOURS)
def test_the_profiles_are_red_green_and_cyan(colours: Colours, is_light: bool) -> None:
    style = palette(is_light=is_light, colours=colours)

    def ground(role: Role) -> tuple[int, int, int]:
        color = style(role).bgcolor
        assert color is not None
        red, green, blue = color.get_truecolor()
        return red, green, blue

    red, green, cyan = ground(Role.LIVE), ground(Role.PAPER), ground(Role.SIM)
    assert red[0] > 2 * max(red[1], red[2])
    assert green[1] > 2 * max(green[0], green[2]) - 10
    assert min(cyan[1], cyan[2]) > 2 * cyan[0]


def test_roles_add_up() -> None:
    style = palette(is_light=False, colours="truecolor")
    row = style(f"{Role.LOSS} {Role.CURSOR}")
    assert row.reverse
    assert row.color == style(Role.LOSS).color


def test_an_unknown_role_is_plain() -> None:
    assert palette(is_light=False, colours="256")("nobody knows") == Style.null()
