"""A command's side of a running trader: the work is done there, and shown here.

The trader has the account, so it runs the command's own body; what it tells, asks and
replies is rendered here as if it had been done here. Nothing heavy is imported: through a
trader an order costs little more than the start of the program.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.control import Alive, Asked, Call, Done, Failed, Started, Told
from ibkr_trader.adapters.control_client import LineLost, knock
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, Stopped
from ibkr_trader.cli.face import only_looks
from ibkr_trader.cli.terminal import typed
from ibkr_trader.core.errors import AccountLocked, OutcomeUnknown, TraderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ibkr_trader.adapters.control import FromTrader
    from ibkr_trader.adapters.control_client import TraderLine
    from ibkr_trader.cli.face import DeskCommand, Face

_WHICH_DESK = frozenset({"profile", "data_dir", "allow_live"})
_INTERRUPT = 2  # SIGINT


class Relayed(TraderError):
    """An error of a command that ran at the trader, in the form in which it is shown."""

    def __init__(self, failure: msgspec.Raw) -> None:
        told = msgspec.json.decode(failure, type=_Told)
        super().__init__(told.message, hint=told.hint)
        self.failure = failure
        self.code = told.code


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    message: str
    code: str = ""
    hint: str = ""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A `Reply` on its way: the document as it was written there, or the blocks, or both."""

    schema: str
    exit: Exit
    data: msgspec.Raw = msgspec.Raw(b"{}")
    blocks: list[str | output.Table] = []


def pack_reply(reply: output.Reply, *, json: bool, both: bool = False) -> Done:
    """Return `reply` for the line: what the other side will show, and not more."""
    has_data, has_blocks = json or both, both or not json
    sent = Sent(
        schema=reply.schema,
        exit=reply.exit,
        data=output.encode(reply.data) if has_data else msgspec.Raw(b"{}"),
        blocks=reply.blocks if has_blocks else [],
    )
    return Done(reply=msgspec.Raw(msgspec.json.encode(sent)))


def unpack_reply(done: Done) -> output.Reply:
    """Return the reply that `pack_reply` packed; its figures stay as they were written."""
    sent = msgspec.json.decode(done.reply, type=Sent)
    data = msgspec.json.decode(sent.data, type=dict[str, msgspec.Raw])
    return output.Reply(schema=sent.schema, data=data, blocks=sent.blocks, exit=sent.exit)


def at_the_trader(face: Face, command: DeskCommand, options: dict[str, Any]) -> output.Reply | None:
    """Run `command` at the trader of the face's profile; None if none runs.

    Raises:
        TraderError: Whatever the command raises there, or `AccountLocked` if the trader
            does not answer, or `OutcomeUnknown` if it is lost while the command runs.
        Stopped: If a signal ended the wait; the command is cancelled at the trader.
    """
    folder = _folder(face)
    line = knock(folder) if folder is not None else None
    if line is None:
        return None
    with line, _signals():
        try:
            line.call(_call(face, command, options))
            return _follow(line, face)
        except LineLost as lost:
            if (
                lost.has_started
                and command.changes
                and not only_looks(options, dry_run=face.dry_run)
            ):
                raise in_the_middle(lost) from lost
            if lost.is_silent:
                raise AccountLocked(lost.message, hint="ibkr-trader status") from lost
            return None  # it has ended, and did nothing: the account is free again


def in_the_middle(lost: LineLost) -> OutcomeUnknown:
    """Return what it means that the trader was lost while a command ran that changes something."""
    message = f"{lost.message}, in the middle of this: it may have been sent"
    return OutcomeUnknown(message, order_ids=())


def _folder(face: Face) -> Path | None:
    """The profile's folder, if settings can be read at all: else the command says why not."""
    try:
        return face.place().folder
    except TraderError:
        return None


def wishes(face: Face) -> dict[str, tuple[str, str]]:
    """Return the settings of whoever calls, for `Call.settings`; what is odd in them is told."""
    from ibkr_trader.config import sources  # noqa: PLC0415 - only when a trader runs

    found = sources.gather(face.flags)
    for warning in found.warnings:
        output.note(f"warning: {warning}")
    return {
        name: (str(value.raw), value.origin)
        for name, value in found.values.items()
        # The tables of the file are the trader's own: its rules hold for all.
        if name not in _WHICH_DESK and name not in sources.TABLES
    }


def _call(face: Face, command: DeskCommand, options: dict[str, Any]) -> Call:
    return Call(
        command=command.name,
        options=options,
        json=face.json,
        utc=face.utc,
        yes=face.yes,
        dry_run=face.dry_run,
        is_attended=face.is_attended,
        settings=wishes(face),
        arguments=list(face.arguments),
    )


def _follow(line: TraderLine, face: Face) -> output.Reply:
    while True:
        message: FromTrader = line.hear()
        match message:
            case Told(text=text, is_note=True):
                output.note(text)
            case Told(text=text):
                face.tell(text)
            case Asked(question=question, is_typed=True):
                line.agree(typed=typed(question))
            case Asked(question=question):
                face.confirm(question)
                line.agree()
            case Done():
                return unpack_reply(message)
            case Failed(failure=failure):
                raise Relayed(failure)
            case Started() | Alive():
                pass
            case _:
                raise AccountLocked(f"{line.name} says what this command does not expect")


@contextmanager
def _signals() -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and a hangup into the end of the wait."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(_INTERRUPT) from None
    except SystemExit as stop:  # what `entry` makes of the other two
        if isinstance(stop.code, int) and stop.code > Exit.INTERRUPTED - _INTERRUPT:
            raise Stopped(stop.code - (Exit.INTERRUPTED - _INTERRUPT)) from None
        raise
