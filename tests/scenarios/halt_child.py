"""A `halt --flatten --yes` that is killed on the way.

    python -m tests.scenarios.halt_child CHECKPOINT NTH

`SIGKILL` to itself at the n-th time that the order path passes the checkpoint. What was opened
before it, its own desk has not sent.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

from ibkr_trader.app import open_desk
from ibkr_trader.cli import entry, trading


def main(checkpoint: str, nth: int) -> int:
    """Halt, dying at the `nth` passage of `checkpoint`."""
    passed = 0

    def reach(name: str) -> None:
        nonlocal passed
        passed += name == checkpoint
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    trading.open_desk = partial(open_desk, reach=reach)  # type: ignore[attr-defined] # a seam of tests alone
    return entry.run(["halt", "--flatten", "--yes", "--reason", "killed on the way"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
