"""Carries out, at a running trader, the commands that others typed.

Only what is declared with `@command` can be called, with the options that it declares; the
body then reads them as strictly as anywhere. What goes wrong in a body is its client's
business: nothing but a projection that raised ends the trader, and that by its own way.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.control import Done, Failed
from ibkr_trader.adapters.control_server import HungUp
from ibkr_trader.cli import failure, values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import DESK_COMMANDS
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.remote import pack_reply
from ibkr_trader.cli.remote_face import RemoteFace
from ibkr_trader.config import Profile, refusal
from ibkr_trader.config.model import SettingsModel, validate
from ibkr_trader.config.sources import Value
from ibkr_trader.core.errors import AccountLocked, ConfigError, RiskCheckError
from ibkr_trader.core.events import OperatorEvent
from ibkr_trader.core.text import plain
from ibkr_trader.risk.guard import READONLY

if TYPE_CHECKING:
    from ibkr_trader.adapters.control import Call
    from ibkr_trader.adapters.control_server import Client
    from ibkr_trader.cli.face import DeskCommand
    from ibkr_trader.cli.trader_card import TraderCard
    from ibkr_trader.config import Settings
    from ibkr_trader.execution.desk import Desk

logger = logging.getLogger(__name__)
# What says whose orders they are: there a wish is not passed over.
_IDENTITY = ("host", "port", "client_id", "account")
FRESH = 2.0  # seconds: what the broker told earlier is asked for again, for a command
TURN_PATIENCE = 10.0  # seconds, as for the account lock
_LONGEST_WORDS = 200  # of what an act is called


class Clerk:
    """Runs calls on the trader's desk."""

    def __init__(self, desk: Desk, settings: Settings, trader: TraderCard) -> None:
        self._desk = desk
        self._settings = settings
        self._trader = trader
        self._turn = asyncio.Lock()

    async def serve(self, call: Call, client: Client) -> Done | Failed:
        """Run one call, and return its reply or its error as the client will show it.

        Raises:
            HungUp: If the client was gone when it was needed.
        """
        logger.info("command: %s", " ".join(call.arguments))
        try:
            values.operator(call.operator)
            command, options = _find(call)
            face = RemoteFace(
                call,
                client,
                settings=self._agreed(call, client, changes=command.changes),
                desk=self._desk,
                trader=self._trader,
            )
            face.changes = command.changes
            if call.operator and command.does(options, dry_run=call.dry_run):
                self._note(call)
            reply = await self._run(command, face, options)
            return pack_reply(reply, json=call.json, both=call.both)
        except HungUp:
            raise
        except Exception as error:  # noqa: BLE001 - a command's edge: here it ends as at `entry`
            told = failure.describe(error, call.arguments)
            return Failed(failure=msgspec.Raw(msgspec.json.encode(told, enc_hook=str)))

    def watches(self, call: Call) -> bool:
        """Whether `call` is of somebody who only watches, until they hang up."""
        return call.command in DESK_COMMANDS and DESK_COMMANDS[call.command].streams

    def _note(self, call: Call) -> None:
        """Put on record who acts, before anything is done.

        If the disk refuses, it is owed, and the desk opens nothing until it is written; what
        lowers risk goes on. So the way out never depends on this line.
        """
        trader = self._desk.trader
        pressed = OperatorEvent(
            at=trader.clock.now(),
            operator=call.operator,
            action=plain(call.words, limit=_LONGEST_WORDS) or call.command,
            command=call.command,
        )
        trader.record.witness([pressed])

    async def _run(self, command: DeskCommand, face: RemoteFace, options: dict[str, Any]) -> Reply:
        if not command.believes:  # a screen shows what is known, also while the broker is slow
            await self._desk.trader.drift.freshen(FRESH)  # a command of its own would have asked
        if not command.is_alone or face.dry_run:
            reply = await command.body(face, **options)
        else:
            try:
                async with asyncio.timeout(TURN_PATIENCE):
                    await self._turn.acquire()
            except TimeoutError:
                message = "another command is changing this account, at the same trader"
                raise AccountLocked(message, hint="wait until it has ended") from None
            try:
                reply = await command.body(face, **options)
            finally:
                self._turn.release()
        if not isinstance(reply, Reply):
            raise TypeError(f"{command.name} replied with nothing")
        return reply

    def _agreed(self, call: Call, client: Client, *, changes: bool) -> Settings:
        """The trader's settings, unless the client's name another account or forbid it.

        Raises:
            ConfigError: If they contradict, or cannot be read.
            RiskCheckError: If the client's settings are read-only, and the command is not.
        """
        ours, given = self._settings, {n: Value(*value) for n, value in call.settings.items()}
        texts = {name: value.raw for name, value in given.items()}
        found = validate(texts | {"data_dir": str(ours.data_dir)})
        if not isinstance(found, SettingsModel):
            raise refusal(found, given)
        for name in (one for one in _IDENTITY if one in given):
            where, wish, fact = given[name].origin, getattr(found, name), getattr(ours, name)
            if ours.profile is Profile.SIM and name in {"host", "port"}:
                client.tell(f"warning: {where} is ignored by the profile sim", is_note=True)
            elif wish != fact:
                raise ConfigError(
                    f"{where}: {name} is {wish}, and the running trader's is {fact}",
                    hint="leave it out, or start the trader again with it",
                )
        if found.readonly and changes and not call.dry_run:
            raise RiskCheckError(READONLY.message, breaches=(READONLY,), hint=READONLY.hint)
        patience = found if "timeout_seconds" in given else ours
        return msgspec.structs.replace(ours, timeout_seconds=patience.timeout_seconds)


def _find(call: Call) -> tuple[DeskCommand, dict[str, Any]]:
    """Return the command with its options.

    Raises:
        UsageFault: If there is no such command, or it takes other options.
    """
    if call.command not in DESK_COMMANDS:
        message = f"the running trader knows no command {call.command!r}"
        raise UsageFault(message, hint="start the trader again: it may be of another version")
    command = DESK_COMMANDS[call.command]
    return command, _options(command, call)


def _options(command: DeskCommand, call: Call) -> dict[str, Any]:
    """The options as the body takes them: each one declared, and of its type."""
    given = call.options
    if not (command.required <= given.keys() <= command.options.keys()):
        odd = sorted((given.keys() ^ command.options.keys()) - {""})
        message = f"the running trader takes other options for {command.name}: {', '.join(odd)}"
        raise UsageFault(message, hint="start the trader again: it may be of another version")
    try:
        return {
            name: msgspec.convert(value, command.options[name]) for name, value in given.items()
        }
    except msgspec.ValidationError as error:
        raise UsageFault(f"{command.name}: {error}") from error
