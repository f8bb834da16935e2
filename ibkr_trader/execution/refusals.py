"""What is said of signals that are not taken: each once, a storm in counts, an attack aloud."""

from __future__ import annotations

import logging
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.signals import (
    DUPLICATE,
    FORGED,
    MALFORMED,
    UNSIGNED,
    SignalReply,
    is_exit,
)
from ibkr_trader.core.text import plain
from ibkr_trader.rules.admission import PASSING, RESTING, UNKNOWN_SYMBOL

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.signals import Incoming
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.rules.admission import Refusal

logger = logging.getLogger(__name__)
PACE = timedelta(seconds=1)  # between two records of the same refusal of one source
MINUTE = timedelta(minutes=1)
STRANGE = frozenset({MALFORMED, FORGED, UNSIGNED})  # nobody of ours sends such a thing
ALARMING = 3  # of them within a minute
SHOWN = 200  # characters of a name or a message from outside
_UNTOLD = frozenset({DUPLICATE, RESTING})  # what came before it is on record


class Refusals:
    """Answers that a signal is not taken, and puts that on record.

    Args:
        trader: Whose journal it goes to.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._told: dict[tuple[str, str, str], tuple[datetime, int]] = {}
        self._strange: dict[str, deque[datetime]] = {}

    def refuse(self, claim: Incoming, refusal: Refusal) -> SignalReply:
        """Answer that a signal is not taken. The same again within a second is only counted."""
        reply = SignalReply(
            outcome=Outcome.REFUSED,
            code=refusal.code,
            reasons=(refusal.message,),
            is_final=refusal.code not in PASSING,
        )
        if refusal.code in _UNTOLD:
            return reply
        now, key = self._trader.clock.now(), _kind(claim, refusal)
        told_at, untold = self._told.get(key, (None, 0))
        if refusal.code in STRANGE:
            self._suspect(claim.source, now)
        if told_at is not None and timedelta(0) <= now - told_at < PACE:
            self._told[key] = (told_at, untold + 1)
            return reply
        self._told[key] = (now, 0)
        self._write(
            ev.SignalRefusedEvent(
                at=now,
                ticker=plain(getattr(claim, "ticker", ""), limit=SHOWN),
                source=claim.source,
                signal_id=plain(claim.signal_id, limit=SHOWN),
                code=refusal.code,
                message=plain(refusal.message, limit=SHOWN),
                count=untold + 1,
            )
        )
        return reply

    def _suspect(self, source: str, now: datetime) -> None:
        """Raise the alarm at the third strange one within a minute, once a minute."""
        seen = self._strange.setdefault(source, deque(maxlen=ALARMING))
        seen.append(now)
        if len(seen) < ALARMING or not timedelta(0) <= now - seen[0] < MINUTE:
            return
        seen.clear()
        message = f"{source}: {ALARMING} signals within a minute were forged, unsigned or garbage"
        self._write(ev.NoticeEvent(at=now, origin=source, message=message, is_serious=True))

    def _write(self, event: ev.BaseEvent) -> None:
        try:
            self._trader.record.write([event])
        except JournalError as error:
            logger.warning("of a refused signal nothing is on record: %s", error)


def _kind(claim: Incoming, refusal: Refusal) -> tuple[str, str, str]:
    """What counts as the same again; there are few symbols that a wish may name."""
    is_known = refusal.code != UNKNOWN_SYMBOL
    ticker = getattr(claim, "ticker", "") if is_known else ""
    return (claim.source, refusal.code, f"{ticker} out" if is_exit(claim) else ticker)
