# ruff: noqa: INP001 - a script beside the pictures that it draws, not a package
"""Draws the pages' pictures: the dashboard itself, at a trader on a seeded simulator.

    python -m docs.make_screenshots

A simulator and a trader are started in a folder that is removed at the end; orders are placed as
a person would; then the dashboard's own loop runs, keys are pressed, and what it draws is written
to `docs/images` as SVG. Nothing is painted by hand, so times and prices differ from run to run.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ibkr_trader.cli.attaching import TraderLink
from ibkr_trader.dashboard.inputs import Pressed
from ibkr_trader.dashboard.model import Line as LinkLine
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.palette import palette
from ibkr_trader.dashboard.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ibkr_trader.dashboard.spans import Line

IMAGES = Path(__file__).with_name("images")
SEED = "7"
PLACED = (
    "update-correlations --symbols AAPL,MSFT,NVDA,AMD --lookback 60",
    "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 160 --wait filled",
    "bracket-order --symbol MSFT --quantity 4 --stop-loss 405 --take-profit 455 --wait filled",
    "bracket-order --symbol AMD --side sell --quantity 6 --stop-loss 154 --take-profit 132 --wait filled",  # noqa: E501 - one command
    "bracket-order --symbol NVDA --quantity 10 --limit 132 --stop-loss 125 --take-profit 150",
    "bracket-order --symbol AAPL --quantity 900 --stop-loss 145 --take-profit 160",
)
SETTINGS = "[risk]\nmax_openings_per_second = 50\nmax_openings_per_minute = 500\n"
_PATIENCE = 30.0


class Easel:
    """A surface without a terminal: it keeps the last frame."""

    dropped = 0

    def __init__(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)
        self.lines: Sequence[Line] = ()
        self.drawn = asyncio.Event()

    def show(self, lines: Sequence[Line]) -> None:
        """Keep a frame."""
        self.lines = lines
        self.drawn.set()

    def repaint(self) -> None:
        """There is nothing to draw over."""

    def text(self) -> str:
        """Return the frame without its looks."""
        return "\n".join("".join(span.text for span in line) for line in self.lines)

    def svg(self, title: str) -> str:
        """Return the frame as a picture."""
        columns, rows = self.size
        console = Console(
            record=True, width=columns, height=rows, file=io.StringIO(), force_terminal=True,
            color_system="truecolor", legacy_windows=False,
        )  # fmt: skip
        look = palette(is_light=False, colours="truecolor")
        for line in self.lines:
            console.print(Text.assemble(*((text, look(role)) for text, role in line)), end="\n")
        made = console.export_svg(title=title, unique_id=re.sub(r"\W", "-", title.lower()))
        return "\n".join(row.rstrip() for row in made.splitlines()) + "\n"


@contextmanager
def trading() -> Iterator[tuple[Path, dict[str, str]]]:
    """Run a seeded simulator with a trader and some orders, for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="ibkr-trader-pictures-") as name:
        folder = Path(name).resolve()
        (folder / "config.toml").write_text(SETTINGS)
        kept = ("PATH", "LANG")
        env = {key: os.environ[key] for key in kept if key in os.environ} | {
            "HOME": name,
            "IBKR_DATA_DIR": name,
            "IBKR_CONFIG": f"{name}/config.toml",
        }
        program = (sys.executable, "-m", "ibkr_trader")

        def run(words: str) -> None:
            subprocess.run(  # noqa: S603 - our own program
                [*program, *words.split()], env=env, cwd=name, check=False,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

        run(f"gateway start --seed {SEED}")
        with subprocess.Popen(  # noqa: S603 - as above
            [*program, "run", "--headless"], env=env, cwd=name, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as trader:  # fmt: skip
            try:
                if trader.stdout is not None:
                    trader.stdout.readline()
                for words in PLACED:
                    run(words)
                yield folder / "sim", env
            finally:
                trader.terminate()
                trader.wait()
                run("gateway stop")


async def draw(
    folder: Path, name: str, *, size: tuple[int, int], keys: Sequence[tuple[str, str]]
) -> None:
    """Draw one picture: press each key, and wait for the words that it brings."""
    easel = Easel(*size)
    link = TraderLink(folder, operator="anna")
    shell = Shell(link, easel, Model(operator="anna", line=LinkLine()))

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not holds():
                easel.drawn.clear()
                await easel.drawn.wait()

    async def act() -> None:
        await until(lambda: "Orders" in easel.text() and "AAPL" in easel.text())
        for key, words in keys:
            for one in key.split():
                shell.hear(Pressed(one))
            await until(lambda expected=words: expected in easel.text())  # type: ignore[misc] # a default binds it
        shell.leave()

    async with asyncio.TaskGroup() as group:
        group.create_task(act())
        await shell.run()
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / f"{name}.svg").write_text(easel.svg(f"ibkr-trader {name.replace('-', ' ')}"))
    sys.stdout.write(f"docs/images/{name}.svg\n")


def main() -> None:
    """Draw all pictures."""
    with trading() as (folder, _):
        asyncio.run(draw(folder, "dashboard", size=(120, 40), keys=[("j", "1-stop")]))
        asyncio.run(draw(folder, "dashboard-small", size=(80, 24), keys=[]))
        modify = [("j", "1-stop"), ("m", "Modify"), ("ctrl-u 1 4 7 . 5", "lower the risk")]
        asyncio.run(draw(folder, "dashboard-modify", size=(100, 30), keys=modify))


if __name__ == "__main__":
    main()
