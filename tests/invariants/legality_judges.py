"""S18: what may become of an order, stated here once more and not taken from the product.

The fold of the journal is the product's own (`reading.py`), by its own table: what that allows and
should not is found by what stands here. It is said in the words of events, not of triggers:

- what is over stays over, unless the broker says otherwise, in the one way that proves it;
- each end has its own evidence: nothing is cancelled by silence, or filled by a status of working;
- what has traded is what the executions on record add up to, each in its latest revision.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus as S
from tests.invariants.evidence import ZERO
from tests.invariants.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.invariants.reading import Step
    from tests.invariants.world import World

Proof = tuple[type[ev.OrderEvent], ...]
_CLOSED = frozenset({S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED, S.DENIED, S.NOT_SENT})
_TERMS_OR_TRADES: Proof = (ev.AcceptEvent, ev.FillEvent)
_SIGNS_OF_LIFE: Proof = (*_TERMS_OR_TRADES, ev.StatusEvent)

# What ends an order that lives: by which evidence, and by no other. A change that is refused, or
# terms that are stated, may show that what has traded is all that was wanted.
_ENDS: Mapping[S, Proof] = {
    S.FILLED: (ev.FillEvent, ev.DoneEvent, ev.AcceptEvent, ev.ModifyRejectEvent),
    S.CANCELLED: (ev.CancelEvent,),
    S.EXPIRED: (ev.ExpireEvent,),
    S.REJECTED: (ev.RejectEvent,),
    S.NOT_SENT: (ev.NotSentEvent,),
    S.DENIED: (),  # it is refused before it lives
    S.UNKNOWN: (ev.UnknownEvent, ev.CancelRejectEvent),
}
# How what is over may be over in another way after all.
_OTHER_ENDS: Mapping[tuple[S, S], Proof] = {
    (S.CANCELLED, S.FILLED): _ENDS[S.FILLED],
    (S.EXPIRED, S.FILLED): _ENDS[S.FILLED],
    (S.REJECTED, S.FILLED): _ENDS[S.FILLED],
    (S.NOT_SENT, S.FILLED): _ENDS[S.FILLED],
    (S.DENIED, S.FILLED): _ENDS[S.FILLED],
    (S.CANCELLED, S.REJECTED): (ev.RejectEvent,),  # the refusal explains the cancel
    (S.NOT_SENT, S.REJECTED): (ev.RejectEvent,),
    (S.NOT_SENT, S.CANCELLED): (ev.CancelEvent,),
}


def s18_legal(world: World) -> list[str]:
    """Judge every change of an order that is on record: by the table, and by what stands here."""
    found = []
    for ref, steps in read(world).steps.items():
        book = _Book()
        for step in steps:
            book.note(step.event)
            why = "against the table" if step.after is None else _against(step, book)
            if why:
                words = f"{type(step.event).__name__} at {step.before} -> {step.after}"
                found.append(f"S18 {ref}: {words}: {why}")
    return found


class _Book:
    """What records say of one order, added up independently of the fold."""

    def __init__(self) -> None:
        self._fills: dict[str, tuple[int, Decimal]] = {}
        self._wanted: Decimal | None = None
        self.perm_id = self.perm_id_before = 0

    @property
    def filled(self) -> Decimal:
        """What has traded."""
        return sum((quantity for _, quantity in self._fills.values()), ZERO)

    @property
    def wanted(self) -> Decimal:
        """The least that it was ever to trade."""
        return self._wanted or ZERO

    def note(self, event: ev.OrderEvent) -> None:
        """Take a record into account."""
        self.perm_id_before = self.perm_id
        self.perm_id = getattr(event, "perm_id", 0) or self.perm_id
        match event:
            case ev.FillEvent(fill=fill):
                revision, _ = self._fills.get(fill.fill_id, (0, ZERO))
                if fill.revision >= revision:
                    self._fills[fill.fill_id] = (fill.revision, fill.quantity)
            case (
                ev.NewOrderEvent(spec=spec) | ev.AcceptEvent(spec=spec) | ev.ModifyEvent(spec=spec)
            ):
                known = self._wanted
                self._wanted = spec.quantity if known is None else min(known, spec.quantity)
            case _:
                pass


def _against(step: Step, book: _Book) -> str:
    """Return what speaks against a change that the table allows; empty if nothing does."""
    if step.filled is not None and step.filled != book.filled:
        return f"{step.filled} are taken for traded, and executions add up to {book.filled}"
    before, after = step.before, step.after
    if before is None or before is after or after is None:
        return ""
    if isinstance(step.event, ev.FillEvent) and after is S.FILLED and book.filled < book.wanted:
        return f"filled by {book.filled} of {book.wanted}"
    if before not in _CLOSED:
        is_proven = after not in _ENDS or isinstance(step.event, _ENDS[after])
        return "" if is_proven else "nothing of the kind is proven"
    if after in _CLOSED:
        is_proven = isinstance(step.event, _OTHER_ENDS.get((before, after), ()))
        return "" if is_proven else "it was over in another way"
    return "" if _LIVES_AGAIN[before](step.event, book) else "it was over"


def _is_corrected(event: ev.OrderEvent, book: _Book) -> bool:
    """What was filled works again once less has traded, or more is wanted."""
    if isinstance(event, ev.FillEvent):
        return event.replaces is not None and event.fill.quantity < event.replaces.quantity
    return isinstance(event, ev.AcceptEvent) and event.spec.quantity > book.filled


def _is_seen(event: ev.OrderEvent, book: _Book) -> bool:
    """What was cancelled works again only where a look at the broker finds that very order."""
    is_same = book.perm_id == book.perm_id_before or not book.perm_id_before
    return isinstance(event, ev.AcceptEvent) and event.from_snapshot and is_same


_LIVES_AGAIN: Mapping[S, Callable[[ev.OrderEvent, _Book], bool]] = {
    S.FILLED: _is_corrected,
    S.CANCELLED: _is_seen,
    S.EXPIRED: _is_seen,
    S.REJECTED: lambda event, _: isinstance(event, _SIGNS_OF_LIFE),
    S.NOT_SENT: lambda event, _: isinstance(event, _SIGNS_OF_LIFE),
    S.DENIED: lambda event, _: isinstance(event, _TERMS_OR_TRADES),
}
