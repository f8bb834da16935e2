"""A process that writes a limits file, and may be killed while it does.

    python -m tests.adapters.limits_child FOLDER set SYMBOL COUNT
    python -m tests.adapters.limits_child FOLDER die STEP

`die` kills itself at its STEP-th way into the system (an open, a rename, a removal, a lock,
a flush), in the middle of one change; with none left it ends in good order.
"""

from __future__ import annotations

import os
import signal
import sys
from decimal import Decimal
from pathlib import Path

from ibkr_trader.adapters.limits_file import LimitsFile
from ibkr_trader.risk.limits import RiskLimits

_STEPS = ("open", "os.", "fcntl.", "os.link")


def main(folder: str, deed: str, *rest: str) -> int:
    file = LimitsFile(Path(folder), RiskLimits())
    if deed == "set":
        symbol, count = rest
        for number in range(1, int(count) + 1):
            file.change(f"{symbol}{number}", {"max_position_size": Decimal(number)})
        return 0
    left = int(rest[0])

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event: str, _: object) -> None:
        if event.startswith(_STEPS):
            step()

    flush = os.fsync

    def fsync(descriptor: int) -> None:
        step()
        flush(descriptor)

    os.fsync = fsync  # type: ignore[assignment] # the flushes are steps too, and raise no audit event
    with file._alone():  # what is imported late is imported now
        pass
    sys.addaudithook(audit)
    file.change("AAPL", {"max_position_size": Decimal(60)})
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
