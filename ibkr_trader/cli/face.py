"""One run of one command: its common options, and what it needs from the outside.

`command` turns a function into a Typer command: it adds the options that every command
has, runs the body, and shows its reply. Errors travel up to `entry.run`.

An async body works on a desk, so where a trader runs it is run there, with a face whose
desk is the running one; `local=True` keeps it here.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, Unconfirmed, Verdict
from ibkr_trader.cli.help import EXAMPLE, HelpfulCommand
from ibkr_trader.cli.terminal import is_attended, require, typed
from ibkr_trader.core.errors import AccountLocked
from ibkr_trader.core.registry import Registry
from ibkr_trader.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ibkr_trader.cli.trader_card import TraderCard
    from ibkr_trader.config import Place, Settings
    from ibkr_trader.execution.desk import Desk

Body = Any  # a function of (Face, **options), plain or async, that returns a Reply


class DeskCommand(NamedTuple):
    """A command that a running trader carries out for others.

    Attributes:
        name: Its family and its name: `orders.bracket-order`.
        options: Its own options, each with its type.
        required: Those without which it cannot run.
        changes: Whether it sends orders, or changes what may be sent.
        is_alone: Whether two of its kind must not run at the same time.
        acts: Whether it does something all the same, though it is no command that `changes`.
        has_dry_run: Whether its body heeds `--dry-run`.
        acts_with: The option without which it only looks; empty if it needs none.
        streams: Whether it shows how things stand until its client hangs up.
        believes: Whether what the trader has been told will do, and nobody is asked first.
    """

    name: str
    body: Body
    options: dict[str, Any]
    required: frozenset[str]
    changes: bool
    is_alone: bool
    acts: bool = False
    has_dry_run: bool = False
    acts_with: str = ""
    streams: bool = False
    believes: bool = False

    def does(self, options: Mapping[str, Any], *, dry_run: bool) -> bool:
        """Whether a call with these options may do something, so that it is on record who asked.

        A dry run counts as one only where the body knows of it.
        """
        is_dry = dry_run and (self.changes or self.has_dry_run)
        if only_looks(options, dry_run=is_dry):
            return False
        if self.acts_with:
            return bool(options.get(self.acts_with))
        return self.changes or self.acts


def only_looks(options: Mapping[str, Any], *, dry_run: bool) -> bool:
    """Whether a call sends nothing, though others of its command do."""
    return dry_run or bool(options.get("preview"))


FAMILIES: Registry[typer.Typer] = Registry("command family", "ibkr_trader.cli.families")
DESK_COMMANDS: Registry[DeskCommand] = Registry("desk command", "ibkr_trader.cli.families")

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
    """What the body of a command sees of the outside.

    Attributes:
        desk: The desk of the trader that runs the command; None where it opens its own.
        trader: What there is to say of that trader.
        arguments: The command line.
        operator: Who sits at the screen that asks; empty if none does.
        changes: Whether it is a command that changes something.
    """

    desk: Desk | None = None
    changes = False
    operator = ""
    trader: TraderCard | None = None

    def __init__(
        self,
        *,
        profile: str = "",
        data_dir: str = "",
        json: bool = False,
        utc: bool = False,
        yes: bool = False,
        dry_run: bool = False,
        arguments: Sequence[str] = (),
    ) -> None:
        self.arguments = tuple(arguments)
        self.flags: dict[str, object] = {"profile": profile or None, "data_dir": data_dir or None}
        self.json, self.utc, self.yes, self.dry_run = json, utc, yes, dry_run
        self._settings: Settings | None = None

    @property
    def is_attended(self) -> bool:
        """Whether a person sits at the terminal of this command."""
        return is_attended()

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

    async def ask(self, question: str) -> None:
        """Ask as `confirm` does, from an async body: at a trader, the person is elsewhere.

        Raises:
            Unconfirmed: If the answer is no, or there is nobody to ask.
        """
        self.confirm(question)

    async def ask_typed(self, question: str, expected: str) -> None:
        """Ask for `expected` to be typed: a yes is too quick for what this is about.

        Raises:
            Unconfirmed: If something else is typed, or there is nobody to ask; `--yes` is no
                answer.
        """
        require(typed(question), expected)

    def confirm(self, question: str) -> None:
        """Ask before something that cannot be undone; `--yes` answers.

        Raises:
            Unconfirmed: If the answer is no, or there is nobody to ask.
        """
        if self.yes:
            return
        if not self.is_attended:
            message = f"{question} There is no terminal to ask on"
            raise Unconfirmed(message, hint="repeat the command with --yes")
        sys.stderr.write(f"{plain(question)} [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise Unconfirmed("Nothing was done", hint="answer y, or repeat with --yes")


def command(
    app: typer.Typer,
    name: str,
    *,
    panel: str,
    example: str,
    changes: bool = False,
    local: bool = False,
    together: bool = False,
    acts: bool = False,
    acts_with: str = "",
) -> Callable[[Body], Body]:
    """Return a decorator that enters a function as the command `name`.

    `changes` adds what every command has that changes something: `--dry-run`, `--yes`.
    `local` keeps an async body from being run at a trader. `together` says that a trader may
    run it beside others that change something: each of its steps is whole in itself.
    `acts` and `acts_with` say what else is an act that a trader puts on record: see
    `DeskCommand`.
    """
    manner = {"acts": acts, "acts_with": acts_with}

    def enter(body: Body) -> Body:
        signature = inspect.signature(body, eval_str=True)
        common = _common_options(changes=changes)
        own = list(signature.parameters.values())[1:]
        names = {parameter.name for parameter in common}
        relayed = (
            None
            if local
            else _desk_command(
                name, body, own, changes=changes, is_alone=changes and not together, **manner
            )
        )

        @functools.wraps(body)
        def run(ctx: typer.Context, **options: Any) -> None:
            chosen = {key: options.pop(key) for key in names}
            for key, value in (ctx.obj or {}).items():
                chosen[key] = chosen.get(key) or value
            face = Face(**chosen)
            face.changes = changes
            _run(body, face, options, relayed=relayed)

        context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in [*own, *common]
        ]
        _wear(run, [context, *parameters])
        epilog = f"{EXAMPLE}  {example}"
        app.command(name, rich_help_panel=panel, epilog=epilog, cls=HelpfulCommand)(run)
        return run

    return enter


def desk_part(
    name: str,
    *,
    acts: bool = False,
    has_dry_run: bool = False,
    streams: bool = False,
    believes: bool = False,
) -> Callable[[Body], Body]:
    """Return a decorator for what a trader does for others, and is no command line by itself.

    It is what a local command leaves to a trader where one runs, or what a dashboard asks for.
    `acts`, `has_dry_run`, `streams` and `believes` are those of `DeskCommand`.
    """
    manner = {
        "acts": acts,
        "has_dry_run": has_dry_run,
        "streams": streams,
        "believes": believes,
    }

    def enter(body: Body) -> Body:
        own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
        _desk_command(name, body, own, changes=False, is_alone=False, **manner)
        return body

    return enter


def _common_options(*, changes: bool) -> list[inspect.Parameter]:
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
    return common


def _option(name: str, annotation: Any, *, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def _wear(run: Any, parameters: list[inspect.Parameter]) -> None:
    """Show Typer the parameters that the command really has."""
    run.__signature__ = inspect.Signature(parameters)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del run.__wrapped__


def _desk_command(
    name: str,
    body: Body,
    own: list[inspect.Parameter],
    *,
    changes: bool,
    is_alone: bool,
    **manner: Any,
) -> DeskCommand | None:
    """Enter an async body among the commands that a trader carries out."""
    if not inspect.iscoroutinefunction(body):
        return None
    made = DeskCommand(
        name=f"{body.__module__.rpartition('.')[2]}.{name}",
        body=body,
        options={one.name: getattr(one.annotation, "__origin__", one.annotation) for one in own},
        required=frozenset(one.name for one in own if one.default is inspect.Parameter.empty),
        changes=changes,
        is_alone=is_alone,
        **manner,
    )
    return DESK_COMMANDS.register(made.name)(made)


def _run(body: Body, face: Face, options: dict[str, Any], *, relayed: DeskCommand | None) -> None:
    reply = _relay(face, relayed, options)
    if reply is None:
        try:
            reply = _here(body, face, options)
        except AccountLocked:  # a trader may have started in the meantime
            reply = _relay(face, relayed, options)
            if reply is None:
                raise
    if isinstance(reply, output.Reply):
        face.show(reply)


def _relay(face: Face, relayed: DeskCommand | None, options: dict[str, Any]) -> output.Reply | None:
    if relayed is None:
        return None
    from ibkr_trader.cli.remote import at_the_trader  # noqa: PLC0415 - only for a desk's commands

    return at_the_trader(face, relayed, options)


def _here(body: Body, face: Face, options: dict[str, Any]) -> Any:
    reply = body(face, **options)
    if inspect.isawaitable(reply):
        from ibkr_trader.cli.waiting import run_async  # noqa: PLC0415 - asyncio takes time

        return run_async(reply)
    return reply
