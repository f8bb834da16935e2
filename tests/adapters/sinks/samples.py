"""Payloads of every stream, as many as one wants."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ibkr_trader.portfolio.payloads import AnyPayload
from tests.orders.samples import AT
from tests.portfolio.test_payloads import SAMPLES


def payloads(count: int = 5, *, first: int = 0) -> tuple[AnyPayload, ...]:
    """Return payloads with the ids `first` and up, of all kinds by turns."""
    return tuple(
        msgspec.structs.replace(
            SAMPLES[number % len(SAMPLES)], event_id=str(number), at=AT + timedelta(seconds=number)
        )
        for number in range(first, first + count)
    )
