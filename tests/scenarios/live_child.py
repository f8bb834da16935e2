"""`ibkr-trader` on a machine whose clock agrees with the gateway's.

    python -m tests.scenarios.live_child COMMAND…

A live desk keeps to the machine's clock, and tests run at night, too. So does
`LIVE_CLOCK_AHEAD`, in seconds: tests set the clock by it, as a person would. `LIVE_BOOT` is
another start of the machine.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta

from ibkr_trader import app
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.cli import entry


def main() -> int:
    """Run a command line, with another time of the machine's."""
    ahead = timedelta(seconds=float(os.environ["LIVE_CLOCK_AHEAD"]))
    real = SystemClock.now

    def now(clock: SystemClock) -> datetime:
        return real(clock) + ahead

    SystemClock.now = now  # type: ignore[method-assign,assignment] # a seam of tests alone
    if boot := os.environ.get("LIVE_BOOT"):
        app.this_boot = lambda: boot  # type: ignore[attr-defined] # as above
    return entry.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
