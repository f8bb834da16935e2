"""One gateway, and trader after trader killed at it: at random moments, and at checkpoints."""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ibkr_trader import open_desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.sim.gateway import background
from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.door import inject
from ibkr_trader.sim.universe import load_universe
from tests.processes import warm
from tests.torture import judging
from tests.torture.victim import SYMBOLS, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.config import Settings

CHECKPOINTS = ("CP1", "CP2", "CP4", "CP5", "CP6", "CP7", "CP8", "CP9", "CP11")
EACH = 10  # kills between two looks at everything at rest
PATIENCE = 30.0  # seconds: whatever takes longer is broken
START = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday, 10:00 in New York
_SETTLED = 3.0  # seconds after being in sync: stops stand, and surplus is gone
_AT_CHECKPOINT = 0.4  # of the kills; the others come from outside, at any moment


class Kill(NamedTuple):
    """One kill: where it struck, and how far the trader had come."""

    where: str
    was_synced: bool


class Bench:
    """A folder with a gateway and a journal that outlive every trader.

    Attributes:
        kills: What was done so far.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.seed = seed
        self.kills: list[Kill] = []
        self._dice = random.Random(seed)  # noqa: S311 - moments, not secrets
        self._data = folder / "data"
        self._settings: Settings = settings_of(self._data)
        self._gateway = self._settings.place.simulator
        self._names = {
            one.con_id: one.symbol for one in load_universe(START.date()) if one.symbol in SYMBOLS
        }
        self._prices: dict[str, Decimal] = {}
        self.wire = judging.Wire(self._gateway / "wire.jsonl")
        self.executions = 0

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Keep the gateway running for the length of the block."""
        background.start_background(state_dir=self._gateway, seed=self.seed, at=START, wire=True)
        try:
            yield
        finally:
            background.stop(self._gateway)

    def kill_one(self) -> None:
        """Start a trader, let it work, and kill it."""
        dice = self._dice
        words = [str(self._data), str(dice.randrange(1 << 30))]
        point = ""
        if dice.random() < _AT_CHECKPOINT:
            point = dice.choice(CHECKPOINTS)
            words += [point, str(dice.randint(1, 12))]
        process = warm.Popen(
            [sys.executable, "-m", "tests.torture.victim", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ),
        )
        with process:
            try:
                was_synced = self._live(process, to_checkpoint=bool(point))
            finally:
                process.kill()
            process.wait(PATIENCE)
            died = process.returncode
            assert process.stderr is not None
            words_left = process.stderr.read().decode()
        if died != -signal.SIGKILL:
            raise AssertionError(f"a trader ended by itself ({died}): {words_left}")
        self.kills.append(Kill(point or "any moment", was_synced))

    def judge(self) -> list[str]:
        """Recover, let everything come to rest, and return what is wrong."""
        asyncio.run(self._rest())
        books = self._books()
        self.executions = len(books["executions"])
        records = judging.records_of(self._settings.place.journal)
        return [
            *judging.of_the_wire(self.wire, records),
            *judging.of_the_ledger(books, records),
            *judging.at_rest(books, self._names),
            *judging.unaccounted(records),
        ]

    def told(self) -> Counter[str]:
        """Return how many kills there were of each kind."""
        return Counter(
            f"{kill.where}{'' if kill.was_synced else ', while it recovered'}"
            for kill in self.kills
        )

    def _live(self, process: Any, *, to_checkpoint: bool) -> bool:
        """Let a trader live for a random while, prices moving; whether it had come into sync."""
        dice, heard = self._dice, b""
        is_early = not to_checkpoint and dice.random() < 0.3
        wait_for = b"begun\n" if is_early else b"synced\n"
        deadline = time.monotonic() + PATIENCE
        while wait_for not in heard and process.poll() is None:
            assert time.monotonic() < deadline, f"a trader did not come into sync: {heard!r}"
            heard += self._hear(process, 0.05)
        longest = 0.1 if is_early else 4.0 if to_checkpoint else 0.8
        end = time.monotonic() + longest * (1.0 if to_checkpoint else dice.random())
        while process.poll() is None and (left := end - time.monotonic()) > 0:
            heard += self._hear(process, min(left, 0.05))
            if dice.random() < 0.5:
                self._move()
        return b"synced\n" in heard

    def _hear(self, process: Any, seconds: float) -> bytes:
        if not select.select([process.stdout], [], [], seconds)[0]:
            return b""
        return os.read(process.stdout.fileno(), 4096)

    def _move(self) -> None:
        symbol = self._dice.choice(SYMBOLS)
        step = Decimal(self._dice.randint(-12, 12)) / 1000
        before = self._prices.get(symbol) or self._first(symbol)
        price = max(Decimal(5), before * (1 + step)).quantize(Decimal("0.01"))
        self._prices[symbol] = price
        inject(self._gateway, read_act(["price", symbol, str(price)]))

    def _first(self, symbol: str) -> Decimal:
        answer = inject(self._gateway, read_act(["gap", symbol, "0.1%"]))
        return Decimal(str(answer.data["last"]))

    def _books(self) -> dict[str, Any]:
        return dict(inject(self._gateway, read_act(["look"])).data)

    async def _rest(self) -> None:
        """Open a desk that looks after everything, and see how it ends."""
        async with open_desk(settings=self._settings, duty=Duty.FULL) as desk:
            await desk.trader.recovery.settled(timeout=PATIENCE)
            await asyncio.sleep(_SETTLED)
