"""From the words on the command line to an exit code: the one place where errors end.

No traceback reaches the terminal. Every error is one line with its code, all reasons
below it, and what to do next; with `--json` it is the same in one document.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer

from ibkr_trader import __version__
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, UsageFault, Verdict
from ibkr_trader.cli.face import FAMILIES, DataDirOption, JsonOption, ProfileOption, UtcOption
from ibkr_trader.cli.help import HelpfulGroup
from ibkr_trader.cli.stop_signals import ends
from ibkr_trader.cli.tree import grown

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "ibkr-trader"


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    for number in ends():
        if number is not signal.SIGINT:  # Python's own is a KeyboardInterrupt
            signal.signal(number, _terminate)
    _steady_streams()
    try:
        return _dispatch(list(arguments))
    except BrokenPipeError:
        _silence(sys.stdout)
        return Exit.DONE
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        _silence(sys.stdout, sys.stderr)  # the terminal has gone: nobody reads what became of it
        return Exit.HUNG_UP
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()


def build() -> Any:
    """Return the command tree, every family in its place; each command grows as it is asked for."""
    app = typer.Typer(
        name=PROGRAM,
        help="An order desk for Interactive Brokers. Orders go to the bundled simulator unless "
        "you say otherwise (--profile paper).",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        cls=HelpfulGroup,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="First steps:  ibkr-trader demo",
    )

    @app.callback()
    def _common(
        ctx: typer.Context,
        *,
        profile: ProfileOption = "",
        data_dir: DataDirOption = "",
        json: JsonOption = False,
        utc: UtcOption = False,
        _version: bool = typer.Option(
            False,
            "--version",
            "-V",
            help="Print the version.",
            is_eager=True,
            callback=_print_version,
        ),
    ) -> None:
        given = {"profile": profile, "data_dir": data_dir, "json": json, "utc": utc}
        ctx.obj = {**given, "arguments": ctx.obj}

    for name in FAMILIES:
        app.add_typer(FAMILIES[name])
    return grown(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        raise typer.Exit


def _steady_streams() -> None:
    """See to it that words never stand in the way: what cannot be shown is not worth failing for.

    A stream may be closed, or know only ASCII; the order is placed all the same, and the
    exit code must speak of it.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - it lasts as long as we
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _refuse_empty(arguments: list[str]) -> None:
    """Refuse `--limit ""`: a variable that was not set must not turn a limit into a market order.

    Raises:
        UsageFault: Naming the option.
    """
    for before, value in zip(["", *arguments], arguments, strict=False):
        if value == "" or (value.startswith("--") and value.endswith("=")):
            option = before if value == "" else value[:-1]
            raise UsageFault(
                f"{option or 'an argument'} has an empty value",
                hint=f"give {option or 'it'} a value, or leave it out",
            )


def _dispatch(arguments: list[str]) -> int:
    try:
        _refuse_empty(arguments)
        words = tuple(arguments)
        result = build().main(args=arguments, prog_name=PROGRAM, standalone_mode=False, obj=words)
    except typer.Abort:
        return Exit.INTERRUPTED
    except Verdict as found:
        return found.exit
    except (KeyboardInterrupt, SystemExit) as stop:
        return _stopped(stop)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost edge: whatever it is, it ends here
        return report(error, arguments)
    except BaseException as error:
        if (number := getattr(error, "number", None)) is None:
            raise
        try:
            output.note("stopped; what was sent stays at the broker: ibkr-trader orders")
        except OSError:  # a terminal that was closed takes no word
            _silence(sys.stdout, sys.stderr)
        return 128 + int(number)
    return result if isinstance(result, int) else Exit.DONE


def report(error: Exception, arguments: list[str]) -> int:
    """Show `error` as this command line asks for, and return its exit code."""
    from ibkr_trader.cli import failure  # noqa: PLC0415 - only when something is wrong

    return failure.report(error, arguments)


def _stopped(stop: BaseException) -> int:
    if isinstance(stop, SystemExit) and isinstance(stop.code, int):
        # Only rich leaves with 1: when the reader of its output has gone.
        return Exit.DONE if stop.code == 1 else stop.code
    return Exit.INTERRUPTED


def _terminate(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


def _silence(*streams: TextIO) -> None:
    """Let nobody complain, at the end of the process, that the reader has gone."""
    for stream in streams:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
