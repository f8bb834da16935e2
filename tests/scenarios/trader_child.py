"""`run --headless` that is killed where it hurts.

    python -m tests.scenarios.trader_child CHECKPOINT

After SIGUSR2, `SIGKILL` to itself the next time that the order path passes the checkpoint:
with a command of a client on its way, or a change that a group has asked for.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

from ibkr_trader.app import open_desk
from ibkr_trader.cli import entry, trading


def main(checkpoint: str) -> int:
    """Run the trader, which dies at `checkpoint` once it is told to."""
    is_armed = False

    def arm(number: int, frame: object) -> None:
        nonlocal is_armed
        is_armed = True
        os.write(1, b"armed\n")

    def reach(name: str) -> None:
        if is_armed and name == checkpoint:
            os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGUSR2, arm)
    trading.open_desk = partial(open_desk, reach=reach)  # type: ignore[attr-defined] # a seam of tests alone
    return entry.run(["run", "--headless"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
