from __future__ import annotations

import signal

from ibkr_trader.cli.stop_signals import ENDS, ends


def test_a_hangup_ends_a_process_unless_somebody_wants_it_to_go_on() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        assert ends() == ENDS
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
        assert ends() == (signal.SIGTERM, signal.SIGINT)
    finally:
        signal.signal(signal.SIGHUP, before)
