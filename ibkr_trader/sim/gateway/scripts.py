"""Scripts of acts: a text file, one form of `gateway inject` a line, done in order.

Blank lines, and what follows a `#`, are left out. A script is read whole before any of it is done.
"""

import shlex
from collections.abc import Iterable
from pathlib import Path

from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.acts import Act, Chaos, Script, Step
from ibkr_trader.sim.gateway.words import BadWords

LARGEST = 1 << 18  # bytes of a file


class BadScript(ValueError):
    """A script that cannot be read; the message names its file and line.

    Attributes:
        form: How the act on that line is written; empty if none is known.
    """

    def __init__(self, message: str, form: str = "") -> None:
        super().__init__(message)
        self.form = form


def read_script(path: Path) -> Script:
    """Return what a file says.

    Raises:
        BadScript: It cannot be read, or one of its lines makes no act.
    """
    try:
        data = path.read_bytes()[: LARGEST + 1]
        text = data.decode()
    except OSError as error:
        raise BadScript(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadScript(f"{path}: this is no text") from error
    if len(data) > LARGEST:
        raise BadScript(f"{path}: a script has {LARGEST >> 10} KB at most")
    steps = tuple(
        step
        for number, line in enumerate(text.splitlines(), 1)
        if (step := _step(line, number=number, name=path.name)) is not None
    )
    if not steps:
        raise BadScript(f"{path}: there is nothing to do in it")
    return Script(name=path.name, steps=steps)


def first_acts(scripts: Iterable[Path], chaos: int | None) -> tuple[Act, ...]:
    """Return what a gateway is started with: its scripts, and the seed of its chaos.

    Raises:
        BadScript: One of them cannot be read.
    """
    read: list[Act] = [read_script(path) for path in scripts]
    return tuple(read) if chaos is None else (*read, Chaos(seed=chaos))


def _step(line: str, *, number: int, name: str) -> Step | None:
    where = f"{name}:{number}"
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise BadScript(f"{where}: {error}") from error
    if not words:
        return None
    try:
        return Step(line=number, act=read_act(words))
    except BadWords as error:
        raise BadScript(f"{where}: {error}", error.form) from error
