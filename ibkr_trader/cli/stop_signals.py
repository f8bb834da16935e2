"""Which signals end this process: known before anything heavy is imported."""

from __future__ import annotations

import signal

ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def ends() -> tuple[signal.Signals, ...]:
    """Return the signals that end this process.

    A hangup that is ignored already stays so: with `nohup` somebody wants the process to outlive
    the terminal.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return tuple(one for one in ENDS if one is not signal.SIGHUP)
    return ENDS
