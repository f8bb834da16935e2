"""How a simulated account is run: kept beside its state, so that a restart runs it the same way.

A gateway starts by itself when an order needs one. It must then trade the bar files, at the
speed, that its account was begun with, or prices would jump under working orders.
"""

import os
from pathlib import Path

import msgspec

OPTIONS_FILE = "options.json"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The speed of the clock, and the folder of bar files; empty is the price model."""

    speed: float = 1.0
    bars: str = ""

    @property
    def folder(self) -> Path | None:
        """The folder of bar files, or None for the model."""
        return Path(self.bars) if self.bars else None


def carried_on(state_dir: Path, *, speed: float | None, bars: Path | None) -> Options:
    """Return the options to run with: what is not given stays as it was.

    Raises:
        ValueError: If the file is damaged.
    """
    path = state_dir / OPTIONS_FILE
    kept = Options()
    if path.exists():
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=Options)
        except msgspec.MsgspecError as error:
            message = f"{path} cannot be read ({error}): delete it to run with the defaults"
            raise ValueError(message) from error
    return Options(
        speed=kept.speed if speed is None else speed,
        bars=kept.bars if bars is None else str(bars.resolve()),
    )


def keep(state_dir: Path, options: Options) -> None:
    """Write the options, whole or not at all: once they are known to work."""
    path = state_dir / OPTIONS_FILE
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(msgspec.json.encode(options) + b"\n")
    fresh.replace(path)
