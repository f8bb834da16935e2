"""The strategies of a running trader: from their files to the market, to the shadow, and back.

A file that is named at the start trades as it is, unless another version of it traded when the
last trader ended: then that one goes on. An edit is taken into the shadow, never into the
market, and a restart is no way round that: a person promotes it, and may take it back.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from ibkr_trader.adapters.strategy_file import StrategyFile, loaded
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.wording import counted
from ibkr_trader.core.enums import Stage
from ibkr_trader.core.errors import ConfigError, TraderError
from ibkr_trader.core.events import NoticeEvent, StageEvent
from ibkr_trader.rules.parity import MINIMUM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ibkr_trader.adapters.strategy_file import Loaded
    from ibkr_trader.execution.strategist import Strategist
    from ibkr_trader.execution.trader import Trader

logger = logging.getLogger(__name__)
LOOK = 1.0  # seconds between two looks at the files
_GONE = 2  # looks without it, and a file is said to be gone
RUN, EDITED = "run", "an edited file"


class CannotStage(UsageFault):
    """A strategy cannot be moved to where it is wished, and the message says why."""


class Read(NamedTuple):
    """A file as it was read, once: what was checked is what runs."""

    file: StrategyFile
    loaded: Loaded
    stage: Stage


def read(live: Iterable[Path], shadows: Iterable[Path]) -> tuple[Read, ...]:
    """Read every file, for the market or for the shadow. A Python strategy runs by that.

    Raises:
        ConfigError: If a file is no strategy, or two are called the same.
    """
    found: list[Read] = []
    for path, stage in (*((p, Stage.LIVE) for p in live), *((p, Stage.SHADOW) for p in shadows)):
        file = StrategyFile(path)
        one = file.load()
        name = one.strategy.name
        if any((other.loaded.strategy.name, other.stage) == (name, stage) for other in found):
            raise ConfigError(f"{path}: another strategy is called {name}, too")
        found.append(Read(file, one, stage))
    return tuple(found)


class StrategyShelf:
    """The strategies of one running trader, and the files that they come from.

    Args:
        trader: Whose they are.
        strategist: Runs them.
    """

    def __init__(self, trader: Trader, strategist: Strategist) -> None:
        self._trader = trader
        self._strategist = strategist
        self._files: list[StrategyFile] = []
        self._names: dict[Path, str] = {}  # of the strategy that a file was last taken for
        self._away: dict[Path, int] = {}  # at how many looks in a row a file was not there
        self._refused: dict[Path, str] = {}
        self._edits: dict[str, Path] = {}  # of which file the shadow of a name is an edit
        self._at_hand: dict[tuple[str, Stage], Loaded] = {}
        self._one_by_one = asyncio.Lock()  # an edit does not come between a promotion's steps

    async def open(
        self,
        wanted: Iterable[Read],
        *,
        as_edited: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> tuple[str, ...]:
        """Take in what `read` has found; from then on the files are looked at.

        What traded before and is another version than its file goes on in its place; returns a
        line for each such file.

        Args:
            wanted: What trades, and what only writes down what it would do.
            as_edited: The files trade as they are, whatever traded before.
            tell: Hears how it goes on.

        Raises:
            ConfigError: If what traded before cannot be read any more.
            TraderError: If a symbol cannot be had.
        """
        found: dict[tuple[str, Stage], Loaded] = {}
        paths: dict[str, Path] = {}
        for file, one, stage in wanted:
            name = one.strategy.name
            self._files.append(file)
            self._names[file.path] = name
            found[name, stage] = one
            paths.setdefault(name, file.path)
        remarks = {} if as_edited else self._as_before(found, paths)
        self._let_go({name for name, stage in found if stage is Stage.LIVE})
        in_shadow = [one.strategy for (_, stage), one in found.items() if stage is Stage.SHADOW]
        await self._strategist.rules.shadow.recall(in_shadow)
        for (name, stage), one in found.items():
            is_edit = stage is Stage.SHADOW and name in self._edits
            await self._admit(one, stage, origin=EDITED if is_edit else RUN, tell=tell)
        for name, remark in remarks.items():
            self._tell(name, remark)
        return tuple(f"{name}: {remark}" for name, remark in remarks.items())

    def _as_before(
        self, found: dict[tuple[str, Stage], Loaded], paths: dict[str, Path]
    ) -> dict[str, str]:
        """Let what traded before trade in `found`, and have the file in the shadow; say of which.

        Raises:
            ConfigError: If what traded cannot be read any more.
        """
        remarks: dict[str, str] = {}
        for (name, stage), one in list(found.items()):
            was = self._trader.remembered.stages.unlike(name, one.strategy.version)
            if stage is not Stage.LIVE:
                continue
            path = paths[name]
            if was is None and self._is_unpromoted(one):
                found[name, Stage.SHADOW] = found.pop((name, Stage.LIVE))
                self._edits[name] = path
                remarks[name] = (
                    f"{path.name} was edited into this while another traded, and never promoted: "
                    f"it stays in the shadow. To let it trade: ibkr-trader strategy promote {name}"
                )
            if was is None:
                continue
            found[name, Stage.LIVE] = _recorded(was, path)
            where = "is left out, for another file is in the shadow"
            if found.setdefault((name, Stage.SHADOW), one) is one:
                self._edits[name] = path
                where = f"is in the shadow. To let it trade: ibkr-trader strategy promote {name}"
            remarks[name] = (
                f"{was.version} trades as before the restart; {path.name} is another version by "
                f"now ({one.strategy.version}) and {where}, or start with --as-edited"
            )
        return remarks

    def _is_unpromoted(self, one: Loaded) -> bool:
        """Whether an edit gave it another name while its trader ran: nothing of it ever traded."""
        shadow = self._trader.remembered.stages.shadow.get(one.strategy.name)
        if shadow is None or shadow.origin != EDITED:
            return False
        return shadow.version == one.strategy.version

    def _let_go(self, names: set[str]) -> None:
        """Put on record that what this start does not name trades no more."""
        live = self._trader.remembered.stages.live.items()
        now = self._trader.clock.now()
        self._trader.record.write(
            [
                replace(one, at=now, stage=Stage.RETIRED, origin=RUN)
                for name, one in live
                if name not in names
            ]
        )

    async def work(self) -> None:
        """Look at the files now and then; never returns."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Take what was edited since the last look into the shadow."""
        async with self._one_by_one:
            for file in self._files:
                if file.has_changed:
                    await self._reload_fenced(file)
                self._miss(file)

    def not_taken(self, name: str) -> str:
        """Return which edited file of `name` is not taken, and why; empty if none is."""
        found = (why for path, why in self._refused.items() if self._names.get(path) == name)
        return next(found, "")

    def require_ready(self, name: str) -> None:
        """Refuse a shadow that has decided too little, or is not what its author wrote last.

        None at all is no matter here.

        Raises:
            CannotStage: If it is one, and says how to go on.
        """
        why = self.not_taken(name)
        if why and (name, Stage.SHADOW) in self._at_hand:
            message = f"the shadow of {name} is not what its file says: {why}"
            hint = "mend the file; to promote the older text all the same: --anyway"
            raise CannotStage(message, hint=hint)
        book = self._strategist.rules.shadow.books.get(name)
        if book is None and (name, Stage.SHADOW) in self._at_hand:
            message = f"the shadow of {name} broke and was ended: nobody knows what it would do"
            raise CannotStage(message, hint="see the log; to promote it all the same: --anyway")
        if book is not None and book.modelled < MINIMUM:
            made = counted(book.modelled, "decision")
            if book.modelled < book.decisions:
                made += f" that its model knows, of {book.decisions}"
            message = (
                f"the shadow of {name} has made {made}, and {MINIMUM} is the least to judge by"
            )
            hint = f"ibkr-trader strategy compare {name}; to promote it all the same: --anyway"
            raise CannotStage(message, hint=hint)

    async def promote(self, name: str, *, origin: str, version: str = "") -> Loaded:
        """Let what is in the shadow trade, in place of what trades under its name.

        Args:
            name: The strategy's.
            origin: Who wishes it.
            version: The one that is meant; its file may have been edited since it was looked
                at. Empty is whatever is there.

        Raises:
            CannotStage: If nothing of that name, or another version, is in the shadow.
            TraderError: If a symbol cannot be had.
        """
        async with self._one_by_one:
            return await self._promote(name, origin=origin, version=version)

    async def _promote(self, name: str, *, origin: str, version: str) -> Loaded:
        one = self._at_hand.get((name, Stage.SHADOW))
        if one is not None and version not in {"", one.strategy.version}:
            raise CannotStage(
                f"the shadow of {name} is {one.strategy.version} by now, and not {version}",
                hint="ibkr-trader strategy list",
            )
        if one is None:
            names = ", ".join(n for n, stage in self._at_hand if stage is Stage.SHADOW) or "none"
            why = self.not_taken(name)
            raise CannotStage(
                f"no strategy {name} is in the shadow (there: {names}){why and f'; {why}'}",
                hint="edit its file, or start with: ibkr-trader run --shadow FILE",
            )
        await self._admit(one, Stage.LIVE, origin=origin)
        self._strategist.rules.dismiss(name, Stage.SHADOW)
        del self._at_hand[name, Stage.SHADOW]
        return one

    async def roll_back(self, name: str, *, origin: str) -> Loaded:
        """Let the version trade that traded before, and what trades now go to the shadow.

        Raises:
            CannotStage: If no earlier version is on record, or it is none that can be read.
            TraderError: If a symbol cannot be had.
        """
        async with self._one_by_one:
            return await self._roll_back(name, origin=origin)

    async def _roll_back(self, name: str, *, origin: str) -> Loaded:
        now = self._at_hand.get((name, Stage.LIVE))
        earlier = self._trader.remembered.stages.earlier(name)
        if now is None or earlier is None:
            why = "does not trade here" if now is None else "had no earlier version"
            raise CannotStage(f"strategy {name} {why}", hint="ibkr-trader strategy list")
        try:
            one = loaded(earlier.content, earlier.suffix, where=f"{name} {earlier.version}")
        except ConfigError as error:
            raise CannotStage(f"the earlier version cannot be read: {error.message}") from error
        await self._admit(one, Stage.LIVE, origin=origin)
        await self._admit(now, Stage.SHADOW, origin=origin)
        return one

    async def _reload_fenced(self, file: StrategyFile) -> None:
        """As `_reload`; an edit costs only itself, and what trades and what is held goes on."""
        try:
            await self._reload(file)
        except Exception as error:
            why = f"the edited {file.path.name} is not taken: {type(error).__name__}: {error}"
            if self._refused.get(file.path) != why:  # one just saved is read more than once
                logger.exception("the edited %s is not taken", file.path)
                self._refused[file.path] = why
                self._tell(self._names[file.path], f"{why} (its traceback is in the log)")

    def _miss(self, file: StrategyFile) -> None:
        """Say once that a file is no more; an editor may have it away for a moment."""
        away = self._away.get(file.path, 0) + 1 if file.is_gone else 0
        self._away[file.path] = away
        if away == _GONE:
            name = file.path.name
            why = f"the file {name} is gone: what was loaded goes on, a start without it is refused"
            self._tell(self._names[file.path], why)

    async def _reload(self, file: StrategyFile) -> None:
        """Take an edited file into the shadow; one that is wrong is told once and left out."""
        try:
            one = file.load()
            name = one.strategy.name
            self._names[file.path] = name
            if one.strategy.version == self._version(name, Stage.LIVE):
                if self._edits.get(name) == file.path:
                    self._retire(name)  # it was edited back to what trades
            elif one.strategy.version != self._version(name, Stage.SHADOW):
                await self._admit(one, Stage.SHADOW, origin=EDITED)
                self._edits[name] = file.path
        except TraderError as error:
            why = f"the edited {file.path.name} is not taken: {error.message}"
            if self._refused.get(file.path) != why:
                self._refused[file.path] = why
                self._tell(self._names[file.path], why)
            return
        self._refused.pop(file.path, None)

    def _tell(self, name: str, message: str) -> None:
        """Put on record, and so on every screen, what its author would otherwise not learn."""
        now = self._trader.clock.now()
        told = NoticeEvent(at=now, origin=name, message=message, is_serious=True)
        # The strategies go on as they were: no disk is reason enough to stop them.
        self._trader.record.witness([told])

    def _version(self, name: str, stage: Stage) -> str:
        one = self._at_hand.get((name, stage))
        return one.strategy.version if one is not None else ""

    def _retire(self, name: str) -> None:
        """Let the shadow of `name` go, if there is one: its author has."""
        one = self._at_hand.pop((name, Stage.SHADOW), None)
        if one is None:
            return
        self._trader.record.write([self._staged(one, Stage.RETIRED, origin=EDITED)])
        self._strategist.rules.dismiss(name, Stage.SHADOW)

    async def _admit(
        self,
        one: Loaded,
        stage: Stage,
        *,
        origin: str,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Warm it up; then it is on record, and from then on it is asked."""
        await self._strategist.prepare(one.strategy, stage, tell=tell)
        self._trader.record.write([self._staged(one, stage, origin=origin)])
        self._strategist.rules.admit(one.strategy, stage)
        self._at_hand[one.strategy.name, stage] = one

    def _staged(self, one: Loaded, stage: Stage, *, origin: str) -> StageEvent:
        return StageEvent(
            at=self._trader.clock.now(),
            strategy=one.strategy.name,
            stage=stage,
            version=one.strategy.version,
            content=one.text,
            suffix=one.suffix,
            origin=origin,
        )


def _recorded(was: StageEvent, path: Path) -> Loaded:
    """What traded when the last trader ended, of its text on record.

    Raises:
        ConfigError: If it cannot be read any more, as after an update; says the way out.
    """
    name = was.strategy
    try:
        return loaded(was.content, was.suffix, where=f"{name} {was.version}")
    except ConfigError as error:
        message = f"what traded as {name} before cannot be read any more: {error.message}"
        hint = f"let the file trade as it is: ibkr-trader run --strategy {path} --as-edited"
        raise ConfigError(message, hint=hint) from error
