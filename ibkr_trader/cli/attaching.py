"""A dashboard's port to a running trader: it watches on one line, and each act has its own.

An act is a command of the command line, run by the trader; the trader puts on record who
asked. Nothing is ever repeated here: if the line breaks in the middle of an act, the outcome
is unknown, and it is said so.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ibkr_trader.adapters.control import Alive, Asked, Call, Done, Failed, Seen, Started, Told
from ibkr_trader.adapters.control_client import LineLost
from ibkr_trader.adapters.control_line import open_line
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.failure import Failure, describe
from ibkr_trader.cli.logs import redact
from ibkr_trader.cli.remote import Relayed, Sent, in_the_middle
from ibkr_trader.cli.stopping import raise_flag
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.text import SENTENCES, plain
from ibkr_trader.dashboard.inputs import Outcome
from ibkr_trader.dashboard.scene import Glimpse
from ibkr_trader.dashboard.steps import HALT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
    from pathlib import Path

    from ibkr_trader.adapters.control import FromTrader
    from ibkr_trader.adapters.control_line import ControlLine
    from ibkr_trader.adapters.kill_flag import HaltFile
    from ibkr_trader.dashboard.effects import Act

    Answer = Callable[[str, bool], Awaitable[str | None]]

T = TypeVar("T")
WATCH = "screen.watch"
_MOST_TOLD = 200  # lines of news that an act's outcome keeps
_LOST = "trader_lost"


class TraderLink:
    """What a dashboard does at the trader of one folder.

    Args:
        folder: The profile's.
        operator: Who sits at the dashboard; the trader puts it on record with each act.
        settings: Of whoever started the dashboard: see `remote.wishes`.
        utc: How times are written in what a command replies.
        flag: The file that halts, which works without any trader.
    """

    def __init__(
        self,
        folder: Path,
        *,
        operator: str,
        settings: Mapping[str, tuple[str, str]] | None = None,
        utc: bool = False,
        flag: HaltFile | None = None,
    ) -> None:
        self._folder = folder
        self._flag = flag
        self._operator = operator
        self._settings = dict(settings or {})
        self._utc = utc

    async def watch(self) -> AsyncGenerator[Glimpse]:
        """Yield how things stand, until the trader ends or the generator is closed.

        Close it with `contextlib.aclosing`: the line hangs up with it.

        Raises:
            LineLost: If no trader runs, or it is gone, or silent.
            TraderError: If it does not let anybody watch.
        """
        async with open_line(self._folder) as line:
            if line is None:
                raise _nobody()
            await line.call(self._call(WATCH))
            async for message in line.messages():
                match message:
                    case Seen(glimpse=glimpse):
                        yield _read(line, glimpse, Glimpse)
                    case Failed(failure=failure):
                        raise Relayed(failure)
                    case Started() | Alive() | Told() | Done():
                        pass
                    case _:
                        raise line.puzzled("a screen is asked something")

    async def act(self, act: Act, *, answer: Answer) -> Outcome:
        """Have the trader carry out `act`, and return how it ended, whatever happens.

        Args:
            act: What is to be done.
            answer: Asks the person a question, and whether the answer is typed; None is a no.
        """
        flag = await self._raised(act)
        outcome = await self._carried_out(act, answer)
        return outcome if flag is None else _halted(outcome, flag)

    async def _carried_out(self, act: Act, answer: Answer) -> Outcome:
        try:
            async with open_line(self._folder) as line:
                if line is None:
                    raise _nobody()
                await line.call(self._call_for(act))
                ended = await _Talk(line, answer).follow()
                if isinstance(ended, TraderError):
                    raise ended
                return ended
        except LineLost as lost:
            return _lost(lost, is_harmless=_is_harmless(act))
        except TraderError as error:
            return _failed(describe(error, [_name(act)]))

    async def _raised(self, act: Act) -> str | None:
        """Halt by the file before anybody is asked, as the command line does.

        Returns:
            What kept the file from being there; None if this is no halt of everything.
        """
        if act.command != HALT or act.looks or act.options.get("symbol") or self._flag is None:
            return None
        raised = functools.partial(raise_flag, self._flag, act.options, by=self._operator)
        return await asyncio.to_thread(raised)  # in `run` this is the trader's own loop

    def _call_for(self, act: Act) -> Call:
        return msgspec.structs.replace(
            self._call(act.command),
            options=act.options,
            both=True,
            # What only looks is held to that, as far as the command knows how.
            dry_run=act.looks and not act.options.get("preview"),
            is_attended=True,
            words=act.words,
            arguments=[_name(act)],
        )

    def _call(self, command: str) -> Call:
        return Call(
            command=command,
            json=True,
            utc=self._utc,
            operator=self._operator,
            settings=self._settings,
        )


class _Talk:
    """What is said on the line of one act, until it has ended.

    While a person thinks, the line is listened to all the same: if it breaks, they are not
    kept waiting for nothing.
    """

    def __init__(self, line: ControlLine, answer: Answer) -> None:
        self._line = line
        self._answer = answer
        self._told: deque[str] = deque(maxlen=_MOST_TOLD)
        self._asking: list[asyncio.Task[None]] = []
        self._is_refused = False

    async def follow(self) -> Outcome | TraderError:
        """Return how the command ended, or why nobody knows: a group would wrap what is raised."""
        async with asyncio.TaskGroup() as group:
            try:
                async for message in self._line.messages():
                    ended = self._hear(message, group)
                    if ended is not None:
                        return ended
            except TraderError as error:
                return _refused(self._told) if self._is_refused else error
            finally:
                for task in self._asking:
                    task.cancel()
        raise AssertionError("messages end with an answer, or with an error")

    def _hear(self, message: FromTrader, group: asyncio.TaskGroup) -> Outcome | None:
        match message:
            case Done() | Failed():
                return _outcome(self._line, message, self._told)
            case Told(text=text):
                self._told.append(_shown(text))
            case Asked():
                self._asking.append(group.create_task(self._ask(message)))
            case Started() | Alive():
                pass
            case _:
                raise self._line.puzzled("that was not asked")
        return None

    async def _ask(self, asked: Asked) -> None:
        typed = await self._answer(_shown(asked.question), asked.is_typed)
        if typed is None:
            self._is_refused = True
            await self._line.hang_up()
            return
        with contextlib.suppress(LineLost):  # whoever listens hears of it, too
            await self._line.answer(typed)


def _outcome(line: ControlLine, message: Done | Failed, told: Iterable[str]) -> Outcome:
    if isinstance(message, Failed):
        return _failed(_read(line, message.failure, Failure), told)
    sent = _read(line, message.reply, Sent)
    is_done = sent.exit is Exit.DONE
    return Outcome(
        is_done=is_done,
        code="" if is_done else sent.exit.name.lower(),
        lines=(*told, *_lines(sent.blocks)),
        is_unknown=sent.exit is Exit.UNKNOWN,
        data=_read(line, sent.data, dict[str, Any]),
    )


def _shown(text: str) -> str:
    """Text for a screen: nothing in it steers a terminal, and no account's id is in full."""
    return plain(redact(text), limit=SENTENCES)


def _lines(blocks: Iterable[str | output.Table]) -> list[str]:
    """The blocks as lines; a table's columns stay under each other."""
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, str):
            lines.append(_shown(block))
        else:
            lines += redact(output.aligned(block)).splitlines()  # its cells are made plain there
    return lines


def _failed(failure: Failure, told: Iterable[str] = ()) -> Outcome:
    """The error first, as it is what counts; then what had been told before."""
    lines = [failure.message]
    lines += [f"{one.get('check', '')}: {one.get('message', '')}" for one in failure.reasons]
    hints = dict.fromkeys([failure.hint, *failure.other_hints])
    lines += [f"fix: {hint}" for hint in hints if hint]
    return Outcome(
        is_done=False,
        code=failure.code,
        lines=(*(_shown(line) for line in lines), *told),
        is_unknown=failure.exit_code == Exit.UNKNOWN,
    )


def _lost(lost: LineLost, *, is_harmless: bool) -> Outcome:
    if lost.has_started and not is_harmless:
        return _failed(describe(in_the_middle(lost), ()))
    hint = lost.hint or "ibkr-trader status"
    return _failed(Failure(code=_LOST, message=lost.message, exit_code=Exit.LOCKED, hint=hint))


def _halted(outcome: Outcome, trouble: str) -> Outcome:
    """Say of a halt that did not end well what holds all the same: its file does."""
    if outcome.is_done:
        return outcome
    what = "HALTED by its file: nothing more is opened. The rest was not done"
    if trouble:
        what = f"the halt's file could not be written: {trouble}"
    return msgspec.structs.replace(outcome, lines=(_shown(what), *outcome.lines))


def _refused(told: Iterable[str]) -> Outcome:
    message = "Not agreed to: it did not go on"
    code, number = "confirmation_needed", Exit.UNCONFIRMED
    return _failed(Failure(code=code, message=message, exit_code=number), told)


def _nobody() -> LineLost:
    message, hint = "no trader runs here", "start one: ibkr-trader run"
    return LineLost(message, has_started=False, is_silent=False, hint=hint)


def _is_harmless(act: Act) -> bool:
    return act.looks or bool(act.options.get("preview"))


def _name(act: Act) -> str:
    """The command as it would be typed, for the hints of its errors."""
    return act.command.rpartition(".")[2]


def _read(line: ControlLine, raw: msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise line.puzzled(str(error)) from error
