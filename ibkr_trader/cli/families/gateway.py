"""The bundled gateway simulator: `gateway start|stop|status|reset|inject`."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.help import HelpfulGroup
from ibkr_trader.cli.output import Reply
from ibkr_trader.core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.sim.gateway.background import GatewayInfo

PANEL = "Simulate"
app = FAMILIES.register("gateway")(typer.Typer())
gateway_app = typer.Typer(help="The bundled gateway simulator.", cls=HelpfulGroup)
app.add_typer(gateway_app, name="gateway", rich_help_panel=PANEL)

_LAST_PORT = 65_535
_PORTS_OF_TWS = frozenset({7496, 7497, 4001, 4002})
_SHUT = "nobody can connect to its port, as its script may want: ibkr-trader gateway inject look"
_LOCAL_NOTE = "simulated: no account, no money"


@command(gateway_app, "start", panel=PANEL, example="ibkr-trader gateway start --port 41873")
def start(
    face: Face,
    *,
    port: Annotated[
        str, typer.Option(metavar="N", help="Listen here; by default on any free port.")
    ] = "",
    seed: Annotated[
        str, typer.Option(metavar="N", help="Of the price model; for a new account only.")
    ] = "",
    speed: Annotated[
        str, typer.Option(metavar="X", help="Of the exchange's clock; 1 is wall speed.")
    ] = "",
    bars: Annotated[
        str, typer.Option(metavar="PATH", help="A folder of bar files to trade instead.")
    ] = "",
    wire_log: Annotated[
        bool, typer.Option("--wire-log", help="Write every message to wire.jsonl in its folder.")
    ] = False,
    script: Annotated[
        str, typer.Option(metavar="FILE", help="Do what it says first: one `inject` a line.")
    ] = "",
    chaos: Annotated[
        str, typer.Option(metavar="SEED", help="Let faults be drawn for orders, by this seed.")
    ] = "",
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay until Ctrl-C instead of going away.")
    ] = False,
) -> Reply | None:
    """Start the simulator in the background, or say where it already runs."""
    folder = face.place().simulator
    chosen = _port(face, port)
    wanted: dict[str, Any] = {
        "port": chosen,
        "seed": _whole(seed, "--seed") if seed else None,
        "speed": _pace(speed) if speed else None,
        "bars": _bars(bars),
        "wire": wire_log,
        "script": _script(script),
        "chaos": _whole(chaos, "--chaos") if chaos else None,
    }
    if foreground:
        _serve(folder, **wanted)
        return None
    from ibkr_trader.sim.gateway import background  # noqa: PLC0415 - only this command needs it

    was_running = background.living(folder) is not None
    if was_running and (seed or speed or bars or wire_log or script or chaos):
        message = (
            "the simulator runs already: --seed, --speed, --bars, --wire-log, --script and --chaos "
            "take a new start"
        )
        raise UsageFault(message, hint="ibkr-trader gateway stop, then start it again")
    with _told(folder):
        _private(folder)
        info = background.start_background(state_dir=folder, **wanted)
    if was_running and chosen not in {0, info.port}:
        message = f"the simulator already runs on port {info.port}"
        raise UsageFault(message, hint="ibkr-trader gateway stop, then start it again")
    what = "already runs" if was_running else "started"
    reply = _reply(info, folder, f"gateway {what} on 127.0.0.1:{info.port}")
    if background.status(folder) is None:
        reply.blocks.append(_SHUT)
    return reply


@command(gateway_app, "stop", panel=PANEL, example="ibkr-trader gateway stop")
def stop(face: Face) -> Reply:
    """Stop the simulator; its account stays as it is."""
    from ibkr_trader.sim.gateway import background  # noqa: PLC0415 - only this command needs it

    folder, killed = face.place().simulator, list[int]()
    with _told(folder):
        was_running = background.stop(folder, on_force=killed.append)
    text = "gateway stopped; its account is kept" if was_running else "no gateway was running"
    if killed:
        text = f"gateway killed (process {killed[0]}): it did not answer; its account is kept"
    data = {"running": False, "stopped": was_running, "was_killed": bool(killed)}
    return Reply(
        schema="gateway/1",
        data={**data, "state_dir": str(folder)},
        blocks=[text],
    )


@command(gateway_app, "status", panel=PANEL, example="ibkr-trader gateway status --json")
def status(face: Face) -> Reply:
    """Say whether the simulator runs, and where."""
    from ibkr_trader.sim.gateway import background  # noqa: PLC0415 - only this command needs it

    folder = face.place().simulator
    info = background.status(folder)
    lost = background.deaf(folder) if info is None else None
    if lost is not None:
        return _deaf(lost, folder)
    if info is None:
        text = "gateway is not running; the next order starts it, or: ibkr-trader gateway start"
        data = {"running": False, "state_dir": str(folder)}
        return Reply(schema="gateway/1", data=data, blocks=[text])
    return _reply(info, folder, f"gateway runs on 127.0.0.1:{info.port}")


@command(gateway_app, "reset", panel=PANEL, example="ibkr-trader gateway reset --yes", changes=True)
def reset(face: Face) -> Reply:
    """Forget every simulated order, position and execution, and begin with fresh money."""
    from ibkr_trader.sim.gateway import background  # noqa: PLC0415 - only this command needs it

    folder = face.place().simulator
    data = {"state_dir": str(folder), "reset": not face.dry_run}
    if face.dry_run:
        text = f"would forget the simulated account in {folder}"
        return Reply(schema="gateway-reset/1", data=data, blocks=[text])
    face.confirm(f"Forget the simulated account in {folder}?")
    with _told(folder):
        background.stop(folder)
        background.reset(folder)
    return Reply(schema="gateway-reset/1", data=data, blocks=["the simulated account begins anew"])


@command(
    gateway_app,
    "inject",
    panel=PANEL,
    example="ibkr-trader gateway inject gap AAPL -20%",
)
def inject(
    face: Face,
    *,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WHAT", help="Such as price AAPL 150.20; without any, all are listed."
        ),
    ] = None,
    script: Annotated[
        str, typer.Option(metavar="FILE", help="Do what a file says: one WHAT a line.")
    ] = "",
) -> Reply:
    """Make something happen at the simulator: a price, a halt, a hand at TWS, a lost message."""
    from ibkr_trader.cli import injecting  # noqa: PLC0415 - only this command needs it

    folder = face.place().simulator
    if not script:
        return injecting.inject(folder, words or ())
    if words:
        message = f"--script {script} says what to do; {' '.join(words)} does, too"
        raise UsageFault(message, hint="put it into the file, or leave --script out")
    return injecting.inject_script(folder, Path(script).expanduser())


# What an act's words mean is for the simulator to say: `-20%` and `--stop` among them.
gateway_app.registered_commands[-1].context_settings = {"ignore_unknown_options": True}


def _deaf(info: GatewayInfo, folder: Path) -> Reply:
    from ibkr_trader.sim.gateway import background  # noqa: PLC0415 - only this command needs it

    text = f"gateway runs (process {info.pid}), and nobody can connect to its port {info.port}"
    data = {
        "running": False,
        "is_deaf": True,
        "pid": info.pid,
        "port": info.port,
        "state_dir": str(folder),
    }
    blocks: list[str | output.Table] = [text, f"Next: {background.HEAR_AGAIN}"]
    return Reply(schema="gateway/1", data=data, blocks=blocks, exit=Exit.INCOMPLETE)


def _reply(info: GatewayInfo, folder: Path, text: str) -> Reply:
    return Reply(
        schema="gateway/1",
        data={
            "running": True,
            "host": "127.0.0.1",
            "port": info.port,
            "pid": info.pid,
            "account": info.account,
            "started_at": info.started_at,
            "state_dir": str(folder),
        },
        blocks=[f"{text}  account {info.account} ({_LOCAL_NOTE})  process {info.pid}"],
    )


def _serve(
    folder: Path,
    *,
    port: int,
    seed: int | None,
    speed: float | None,
    bars: Path | None,
    wire: bool,
    script: Path | None,
    chaos: int | None,
) -> None:
    import asyncio  # noqa: PLC0415 - only the foreground needs it

    from ibkr_trader.sim.gateway import daemon  # noqa: PLC0415 - as above
    from ibkr_trader.sim.gateway.scripts import first_acts  # noqa: PLC0415 - as above

    output.note(f"gateway in the foreground ({_LOCAL_NOTE}); Ctrl-C ends it, state in {folder}")
    with _told(folder):
        _private(folder)
        asyncio.run(
            daemon.serve(
                state_dir=folder,
                port=port,
                seed=seed,
                speed=speed,
                bars=bars,
                at=None,
                wire=wire,
                acts=first_acts([script] if script is not None else [], chaos),
            )
        )


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn the simulator's own errors into ours."""
    from ibkr_trader.sim.gateway.background import GatewayError  # noqa: PLC0415 - as its callers
    from ibkr_trader.sim.gateway.store import StoreError  # noqa: PLC0415 - as its callers

    try:
        yield
    except (GatewayError, StoreError, OSError) as error:
        hint = getattr(error, "hint", "") or f"see {folder}/gateway.log"
        raise BrokerUnavailable(str(error), hint=hint) from error


def _private(folder: Path) -> None:
    from ibkr_trader.adapters.private_files import private_folder  # noqa: PLC0415 - as its callers

    private_folder(folder)


def _port(face: Face, text: str) -> int:
    if not text:
        return face.settings().sim_port or 0
    number = _whole(text, "--port")
    if not 1 <= number <= _LAST_PORT or number in _PORTS_OF_TWS:
        message = (
            f"--port {text} must be from 1 to 65535, and none of TWS's (7496, 7497, 4001, 4002)"
        )
        raise UsageFault(message, option="--port", typed=text, better="41873")
    return number


def _whole(text: str, option: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 9:  # noqa: PLR2004 - fits every integer
        return int(text)
    message = f"{option} {text!r} must be a whole number"
    raise UsageFault(message, option=option, typed=text, better="1")


def _pace(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) and float(text) > 0:
        return float(text)
    message = f"--speed {text!r} must be a number above 0, such as 10 or 0.5"
    raise UsageFault(message, option="--speed", typed=text, better="1")


def _script(text: str) -> Path | None:
    """Return the script's file, read once to see that every line makes sense."""
    if not text:
        return None
    from ibkr_trader.cli.injecting import script_at  # noqa: PLC0415 - only with a script

    path = Path(text).expanduser().resolve()
    script_at(path)
    return path


def _bars(text: str) -> Path | None:
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_dir():
        message = f"--bars {text} is not a folder: want one of files such as AAPL.csv"
        raise UsageFault(message, hint=f"ls {path.parent}")
    return path.resolve()
