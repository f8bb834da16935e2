"""What a terminal can show, and who sits at it."""

from __future__ import annotations

import pytest

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.families.dashboard import background
from ibkr_trader.cli.screening import colours, is_light, is_terminal


@pytest.mark.parametrize(
    ("environ", "depth"),
    [
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "screen-256color"}, "256"),
        ({"TERM": "xterm"}, "standard"),
        ({"TERM": "linux"}, "standard"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "vt100"}, None),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, None),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "256"),
    ],
)
def test_how_many_colours_there_are(environ: dict[str, str], depth: str | None) -> None:
    assert colours(environ) == depth


@pytest.mark.parametrize(
    ("said", "light"),
    [("", False), ("15;0", False), ("0;15", True), ("0;default;7", True), ("7", True)],
)
def test_how_light_it_is(said: str, *, light: bool) -> None:
    assert is_light({"COLORFGBG": said}) is light


@pytest.mark.parametrize("term", ["", "dumb", "unknown"])
def test_a_terminal_that_cannot_be_drawn_on_is_none(term: str) -> None:
    assert not is_terminal({"TERM": term})


def test_what_the_background_is() -> None:
    assert [background(text) for text in ("auto", "dark", "LIGHT")] == [None, False, True]
    with pytest.raises(UsageFault, match="dark, light or auto"):
        background("grey")
