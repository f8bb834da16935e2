"""The screen of a running trader: `dashboard`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command

PANEL = "Run"
app = FAMILIES.register("dashboard")(typer.Typer())
OperatorOption = Annotated[
    str,
    typer.Option(
        "--operator", metavar="NAME", help="Who sits here, for the journal (the rule: the user)."
    ),
]
BackgroundOption = Annotated[
    str,
    typer.Option(
        "--background", metavar="HOW", help="The terminal's: dark, light, or auto (the rule)."
    ),
]
_BACKGROUNDS = {"auto": None, "dark": False, "light": True}


def background(text: str) -> bool | None:
    """Return whether the background is light; None to find out.

    Raises:
        UsageFault: If it is none of the three.
    """
    if text.lower() not in _BACKGROUNDS:
        message = f"--background {text!r} must be dark, light or auto"
        raise UsageFault(message, option="--background", typed=text, better="dark")
    return _BACKGROUNDS[text.lower()]


@command(app, "dashboard", panel=PANEL, example="ibkr-trader dashboard", local=True)
def dashboard(
    face: Face, *, operator: OperatorOption = "", background_is: BackgroundOption = "auto"
) -> None:
    """Watch a running trader and act on its orders from the keyboard; ? shows the keys."""
    is_light, name = background(background_is), values.operator(operator)
    if face.json:
        message = "the dashboard is for people: --json has no screen"
        raise UsageFault(message, hint="ibkr-trader status --json")

    from ibkr_trader.cli import screening  # noqa: PLC0415 - brings the screen's libraries

    screening.dashboard(face, screening.Look(operator=name, is_light=is_light))
