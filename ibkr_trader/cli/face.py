"""One run of one command: its common options, and what it needs from the outside.

`command` turns a function into a Typer command: it adds the options that every command
has, runs the body, and shows its reply. Errors travel up to `entry.run`.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, Unconfirmed, Verdict
from ibkr_trader.cli.help import EXAMPLE, HelpfulCommand
from ibkr_trader.core.registry import Registry
from ibkr_trader.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.config import Place, Settings

FAMILIES: Registry[typer.Typer] = Registry("command family", "ibkr_trader.cli.families")

_COMMON = "Common options"
ProfileOption = Annotated[
    str,
    typer.Option("--profile", metavar="NAME", help="sim, paper or live.", rich_help_panel=_COMMON),
]
DataDirOption = Annotated[
    str,
    typer.Option(
        "--data-dir", metavar="PATH", help="Where state is kept.", rich_help_panel=_COMMON
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document instead of text.", rich_help_panel=_COMMON
    ),
]
UtcOption = Annotated[
    bool,
    typer.Option(
        "--utc", help="Show times in UTC, not in the exchange's zone.", rich_help_panel=_COMMON
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything and send nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")]


class Face:
    """What the body of a command sees of the outside."""

    def __init__(
        self,
        *,
        profile: str = "",
        data_dir: str = "",
        json: bool = False,
        utc: bool = False,
        yes: bool = False,
        dry_run: bool = False,
    ) -> None:
        self.flags: dict[str, object] = {"profile": profile or None, "data_dir": data_dir or None}
        self.json, self.utc, self.yes, self.dry_run = json, utc, yes, dry_run
        self._settings: Settings | None = None

    def place(self) -> Place:
        """Return profile and data folder, without reading the other settings."""
        from ibkr_trader import config  # noqa: PLC0415 - only when asked

        return config.locate(self.flags)

    def settings(self) -> Settings:
        """Return the effective settings; what is odd about them goes to standard error."""
        from ibkr_trader import config  # noqa: PLC0415 - pydantic is slow to import

        if self._settings is None:
            self._settings = config.load(self.flags)
            for warning in self._settings.warnings:
                output.note(f"warning: {warning}")
        return self._settings

    def tell(self, text: str) -> None:
        """Show a line at once: news while a command waits. Scripts get it on standard error."""
        if self.json:
            output.note(text)
        else:
            output.print_block(text)

    def show(self, reply: output.Reply) -> None:
        """Show the reply: to people or to a script, never both on standard output.

        Raises:
            Verdict: If the reply's code is not `DONE`.
        """
        try:
            self._print(reply)
        except BrokenPipeError:
            raise
        except OSError as error:  # a full disk behind `>`: what was done is done
            output.give_up(f"the answer could not be written: {error.strerror}")
        if reply.exit is not Exit.DONE:
            raise Verdict(reply.exit)

    def _print(self, reply: output.Reply) -> None:
        if self.json:
            output.print_json(reply.schema, reply.data, ok=reply.exit is Exit.DONE)
            return
        for block in reply.blocks:
            output.print_block(block)

    def confirm(self, question: str) -> None:
        """Ask before something that cannot be undone; `--yes` answers.

        Raises:
            Unconfirmed: If the answer is no, or there is nobody to ask.
        """
        if self.yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            message = f"{question} There is no terminal to ask on"
            raise Unconfirmed(message, hint="repeat the command with --yes")
        sys.stderr.write(f"{plain(question)} [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise Unconfirmed("Nothing was done", hint="answer y, or repeat with --yes")


Body = Any  # a function of (Face, **options), plain or async, that returns a Reply


def command(
    app: typer.Typer, name: str, *, panel: str, example: str, changes: bool = False
) -> Callable[[Body], Body]:
    """Return a decorator that enters a function as the command `name`.

    `changes` adds what every command has that changes something: `--dry-run`, `--yes`.
    """

    def enter(body: Body) -> Body:
        signature = inspect.signature(body, eval_str=True)
        common = [
            _option("profile", ProfileOption, default=""),
            _option("data_dir", DataDirOption, default=""),
            _option("json", JsonOption, default=False),
            _option("utc", UtcOption, default=False),
        ]
        if changes:
            common += [
                _option("dry_run", DryRunOption, default=False),
                _option("yes", YesOption, default=False),
            ]
        own = list(signature.parameters.values())[1:]
        names = {parameter.name for parameter in common}

        @functools.wraps(body)
        def run(ctx: typer.Context, **options: Any) -> None:
            chosen = {key: options.pop(key) for key in names}
            for key, value in (ctx.obj or {}).items():
                chosen[key] = chosen.get(key) or value
            _run(body, Face(**chosen), options)

        context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in [*own, *common]
        ]
        _wear(run, [context, *parameters])
        epilog = f"{EXAMPLE}  {example}"
        app.command(name, rich_help_panel=panel, epilog=epilog, cls=HelpfulCommand)(run)
        return run

    return enter


def _option(name: str, annotation: Any, *, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def _wear(run: Any, parameters: list[inspect.Parameter]) -> None:
    """Show Typer the parameters that the command really has."""
    run.__signature__ = inspect.Signature(parameters)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del run.__wrapped__


def _run(body: Body, face: Face, options: dict[str, Any]) -> None:
    reply = body(face, **options)
    if inspect.isawaitable(reply):
        from ibkr_trader.cli.waiting import run_async  # noqa: PLC0415 - asyncio takes time

        reply = run_async(reply)
    if isinstance(reply, output.Reply):
        face.show(reply)
