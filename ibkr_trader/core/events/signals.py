"""What others predict or see, and what came of telling us."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import final

from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.events.root import BaseEvent


class OptionsFlowEvent(BaseEvent, frozen=True, kw_only=True):
    """News from a producer of signals.

    `source` and `signal_id` together name it for good. `at` is when we had it, `issued_at`
    when its producer says that it was made.
    """

    ticker: str
    source: str = ""
    signal_id: str = ""
    issued_at: datetime | None = None
    sequence: int | None = None  # of its source, if that counts

    @property
    def name(self) -> str:
        """What a decision that it set off calls it: its cause."""
        return f"{self.source}/{self.signal_id}"

    @property
    def made_at(self) -> datetime:
        """When it was made, as far as anybody says."""
        return self.issued_at if self.issued_at is not None else self.at


@final
class PredictionSignalEvent(OptionsFlowEvent, frozen=True, kw_only=True):
    """A prediction that we take: `signal` is BUY, SELL or SHORT; `confidence` is from 0 to 1."""

    signal: str
    confidence: Decimal
    price: Decimal | None = None  # what its producer saw
    is_standing: bool = False  # it came without name and time: see `core/signals.py`


@final
class FlowThresholdEvent(OptionsFlowEvent, frozen=True, kw_only=True):
    """A measure of the flow crossed its threshold."""

    measure: str
    value: Decimal
    threshold: Decimal


@final
class SignalRefusedEvent(OptionsFlowEvent, frozen=True, kw_only=True):
    """A signal that we do not take, and why; `count` of them, where they are too many to tell.

    `code` is the reason's name in `rules/admission.py`.
    """

    code: str
    message: str
    count: int = 1


@final
class SignalEndEvent(OptionsFlowEvent, frozen=True, kw_only=True):
    """What came of a signal that we took: its source may be told so from now on."""

    outcome: Outcome
    decisions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
