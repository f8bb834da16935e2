"""A live desk at a gateway that looks live, in a folder of its own, and what left it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.acts import Answer
from ibkr_trader.sim.gateway.door import knock
from tests.cli.conftest import SETTINGS, CommandLine, Ran, Shell
from tests.processes import warm
from tests.scenarios.live_gateway import ACCOUNT

ALLOWED = f'allow_live = true\naccount = "{ACCOUNT}"\n'


class LiveLine(Shell):
    """Commands of a person whose profile is live."""

    def __init__(self, folder: Path, short: Path) -> None:
        """Keep books in `folder`, and sockets in `short`: the name of one is not as long."""
        super().__init__(folder)
        self.gateway = short / "gw"
        self.gateway.mkdir()
        self.config(ALLOWED)
        self.env["IBKR_PROFILE"] = "live"
        self.env["XDG_RUNTIME_DIR"] = str(short / "run")
        self.env["IBKR_RECONNECT_BACKOFF_SECONDS"] = "0.1"

    @property
    def program(self) -> list[str]:
        return [sys.executable, "-m", "tests.scenarios.live_child"]

    def config(self, text: str) -> None:
        """Write the configuration."""
        (self.folder / "config.toml").write_text(text + SETTINGS)

    @property
    def arming(self) -> Path:
        """Where the armed time is kept."""
        return self.data / "live" / "arming.json"

    def inject(self, words: str) -> Answer:
        """Have something happen at the gateway."""
        return knock(self.gateway / "door.sock", read_act(words.split()))

    def placed(self) -> list[str]:
        """Return the references of the orders that reached the gateway, in order."""
        return [one["order_ref"] for one in self._frames({"placeOrder", "modifyOrder"})]

    def asked(self) -> int:
        """Return how many what-ifs reached the gateway."""
        return len(self._frames({"whatIf"}))

    def _frames(self, names: set[str]) -> list[dict[str, Any]]:
        lines = (self.gateway / "wire.jsonl").read_text().splitlines()
        entries = [json.loads(line) for line in lines]
        return [one for one in entries if one["way"] == "in" and one["name"] in names]

    def typing(self, line: str, *, answers: dict[str, str], patience: float = 40) -> Ran:
        """Run a command at a terminal where a person answers: what to type once it says what."""
        master, slave = pty.openpty()
        with warm.Popen(
            [*self.program, *line.split()],
            cwd=self.folder,
            env=self.env,
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            text=True,
        ) as process:
            os.close(slave)
            said, waiting = "", dict(answers)
            deadline = time.monotonic() + patience
            while process.poll() is None and time.monotonic() < deadline:
                if not select.select([master], [], [], 0.1)[0]:
                    continue
                try:
                    said += os.read(master, 4096).decode()
                except OSError:  # the other end is closed
                    break
                for words in [words for words in waiting if words in said]:
                    os.write(master, f"{waiting.pop(words)}\n".encode())
            try:
                out, _ = process.communicate(timeout=20)
            finally:
                process.kill()
        os.close(master)
        return self._ran(process.returncode, out, said)


@contextlib.contextmanager
def live(folder: Path) -> Iterator[LiveLine]:
    """Serve a gateway that looks live for the length of the block."""
    with contextlib.ExitStack() as stack:
        line = LiveLine(folder, Path(stack.enter_context(TemporaryDirectory(prefix="ib-"))))
        process = stack.enter_context(
            warm.Popen(
                [sys.executable, "-m", "tests.scenarios.live_gateway", str(line.gateway)],
                env=line.env,
                cwd=folder,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "serving\n"
            line.env["IBKR_PORT"] = (line.gateway / "port").read_text()
            line.env["LIVE_CLOCK_AHEAD"] = (line.gateway / "ahead").read_text()
            yield line
        finally:
            process.terminate()


__all__ = ["ALLOWED", "CommandLine", "LiveLine", "live"]
