"""Setting up: `config show`, `doctor`, `demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command, desk_part
from ibkr_trader.cli.help import HelpfulGroup
from ibkr_trader.cli.output import Reply, Table

PANEL = "Set up"
app = FAMILIES.register("setup")(typer.Typer())
config_app = typer.Typer(help="The settings.", no_args_is_help=True, cls=HelpfulGroup)
app.add_typer(config_app, name="config", rich_help_panel=PANEL)


@command(config_app, "show", panel=PANEL, example="ibkr-trader config show --profile paper")
def config_show(face: Face) -> Reply:
    """Show the effective settings and where each came from."""
    settings = face.settings()
    rows = [(one.name, one.value, one.origin) for one in settings.effective]
    return Reply(
        schema="config/1",
        data={
            "file": str(settings.config_file or ""),
            "settings": [
                {"name": name, "value": value, "origin": origin} for name, value, origin in rows
            ],
            "warnings": list(settings.warnings),
        },
        blocks=[Table(("SETTING", "VALUE", "FROM"), tuple(rows))],
    )


@command(app, "doctor", panel=PANEL, example="ibkr-trader doctor --profile paper", local=True)
async def doctor(
    face: Face,
    *,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Ask about orders at your limits, too; none is placed."),
    ] = False,
) -> Reply:
    """Try everything that an order needs, and say how to mend what is missing."""
    from ibkr_trader.cli import checkup  # noqa: PLC0415 - brings the client library

    return await checkup.examine(face, deep=deep)


@desk_part("desk-check")
async def desk_check(face: Face) -> Reply:
    """Look at what only the holder of the account can look at: the doctor's part at a trader."""
    from ibkr_trader.cli import checkup  # noqa: PLC0415 - brings the client library

    return await checkup.examine_desk(face)


@desk_part("deep-desk-check")
async def deep_desk_check(face: Face) -> Reply:
    """Look deeper: the doctor's part at a trader, with what the broker says of orders."""
    from ibkr_trader.cli import checkup  # noqa: PLC0415 - brings the client library

    return await checkup.examine_desk(face, deep=True)


@command(app, "demo", panel=PANEL, example="ibkr-trader demo", local=True)
async def demo(
    face: Face,
    *,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Show the dashboard there, to try its keys.")
    ] = False,
) -> Reply | None:
    """Place a bracket order on a simulator of its own, and show what becomes of it."""
    given = [f"--{name.replace('_', '-')}" for name, value in face.flags.items() if value]
    if given and face.flags != {"profile": "sim", "data_dir": None}:
        message = (
            f"demo takes no {' and no '.join(given)}: it uses a simulator and a data folder of "
            "its own, and touches nothing of yours"
        )
        raise UsageFault(message, hint="ibkr-trader demo")
    from ibkr_trader.cli import demonstration  # noqa: PLC0415 - brings the client library
    from ibkr_trader.cli.screening import Look  # noqa: PLC0415 - as above

    if dashboard:
        await demonstration.show(face, Look())
        return None
    return await demonstration.demonstrate(face)
