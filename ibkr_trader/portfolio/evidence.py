"""What a reconciliation goes by beside the broker's word and our own picture."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from ibkr_trader.core.models import FillId, OrderId


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the shell knows beside snapshot and portfolio.

    Attributes:
        install: The prefix of our own ids: what another host of the family sent is in its journal.
        just_sent: Orders sent after the snapshot was asked for: their absence says nothing.
        just_changed: Orders changed after it was asked for: its terms may be those of before.
        just_filled: Executions heard of after it was asked for: its positions may lack them.
        just_claimed: Orders called filled after it was asked for, likewise.
        unwished: Orders whose cancel nobody of this installation has asked for, as far as it knows.
        sent_in: The epoch each order of this process was sent in; earlier processes' are missing.
        missed_for: How long ago each order was first found absent, on a connection made after
            it was sent.
        last_group: The highest number that the journal has ever given a group; None if it is
            not to be compared with what the broker has seen.
    """

    install: str = ""
    just_sent: frozenset[OrderId] = frozenset()
    just_changed: frozenset[OrderId] = frozenset()
    just_filled: frozenset[FillId] = frozenset()
    just_claimed: frozenset[OrderId] = frozenset()
    unwished: frozenset[OrderId] = frozenset()
    sent_in: Mapping[OrderId, int] = {}
    missed_for: Mapping[OrderId, timedelta] = {}
    last_group: int | None = None
