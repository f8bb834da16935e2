"""`python -m ibkr_trader.sim.gateway`: the gateway as a process, for `background` to start."""

import argparse
import asyncio
import contextlib
import sys
from datetime import datetime
from pathlib import Path

from ibkr_trader.sim.gateway.background import ALREADY_RUNNING, AlreadyRunning, GatewayError
from ibkr_trader.sim.gateway.daemon import serve
from ibkr_trader.sim.gateway.scripts import first_acts
from ibkr_trader.sim.gateway.store import StoreError


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "a time needs its zone, as in 2026-11-20T10:00:00-05:00"
        raise argparse.ArgumentTypeError(message)
    return moment


def main() -> int:
    """Run the gateway until it is told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="ibkr_trader.sim.gateway", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--speed", type=float)
    parser.add_argument("--bars", type=Path)
    parser.add_argument("--at", type=_moment)
    parser.add_argument("--wire-log", action="store_true")
    parser.add_argument("--script", type=Path, action="append", default=[])
    parser.add_argument("--chaos", type=int)
    options = parser.parse_args()
    try:
        asyncio.run(
            serve(
                state_dir=options.state_dir,
                port=options.port,
                seed=options.seed,
                speed=options.speed,
                bars=options.bars,
                at=options.at,
                wire=options.wire_log,
                acts=first_acts(options.script, options.chaos),
            )
        )
    except AlreadyRunning as error:
        _say(error)
        return ALREADY_RUNNING
    except (GatewayError, StoreError, OSError, ValueError) as error:
        _say(error)
        return 1
    return 0


def _say(error: Exception) -> None:
    """Say what went wrong; on a full disk there is no room for it in the log, and no traceback."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    sys.exit(main())
