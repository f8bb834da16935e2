"""What it costs to make one order event, and to write it as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pydantic

from ibkr_trader.core.codec import encode
from ibkr_trader.core.events import StatusEvent
from ibkr_trader.core.models import OrderId
from tests.benchmarks.harness import Goal, Sample, Table, timed, version

TIMES = 5_000
AT = datetime(2026, 1, 5, 15, tzinfo=UTC)
ORDER = OrderId("a1b2-17-entry")
FILLED, REMAINING, PRICE = Decimal(4), Decimal(6), Decimal("150.01")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FrozenStatus:
    """The event as a frozen dataclass."""

    at: datetime
    order_id: str
    is_working: bool
    filled: Decimal
    remaining: Decimal
    average_price: Decimal | None


class ModelStatus(pydantic.BaseModel, frozen=True):
    """The event as a pydantic model."""

    at: datetime
    order_id: str
    is_working: bool
    filled: Decimal
    remaining: Decimal
    average_price: Decimal | None


def as_tuple(filled: Decimal) -> tuple[object, ...]:
    """Return the event's fields with no type at all: the limit."""
    return (AT, ORDER, True, filled, REMAINING, PRICE)


def as_event(filled: Decimal) -> StatusEvent:
    """Return our event."""
    return StatusEvent(
        at=AT,
        order_id=ORDER,
        is_working=True,
        filled=filled,
        remaining=REMAINING,
        average_price=PRICE,
    )


def as_dataclass(filled: Decimal) -> FrozenStatus:
    """Return the peer's event."""
    return FrozenStatus(
        at=AT,
        order_id=ORDER,
        is_working=True,
        filled=filled,
        remaining=REMAINING,
        average_price=PRICE,
    )


def as_model(filled: Decimal) -> ModelStatus:
    """Return the peer's event, validated."""
    return ModelStatus(
        at=AT,
        order_id=ORDER,
        is_working=True,
        filled=filled,
        remaining=REMAINING,
        average_price=PRICE,
    )


def written_by_hand(event: StatusEvent) -> bytes:
    """Return the JSON that a careful hand would write: it escapes nothing."""
    working = "true" if event.is_working else "false"
    return (
        f'{{"type":"StatusEvent","at":"{event.at.isoformat()}","order_id":"{event.order_id}",'
        f'"is_working":{working},"filled":"{event.filled}","remaining":"{event.remaining}",'
        f'"average_price":"{event.average_price}"}}'
    ).encode()


def as_dict_and_json(event: FrozenStatus) -> bytes:
    """Return the JSON of a dataclass by the standard library alone."""
    return json.dumps(dataclasses.asdict(event), default=str).encode()


def repeat(make: Callable[[Decimal], object]) -> Sample:
    """Return a sample of the cost of one `make`."""

    def work() -> None:
        for _ in range(TIMES):
            make(FILLED)

    return timed(work, per=TIMES)


def tables() -> Iterator[Table]:
    """Measure making, then writing."""
    yield Table(
        title="create one order event (six fields)",
        unit="ns",
        rows={
            "tuple": repeat(as_tuple),
            "ours": repeat(as_event),
            "frozen dataclass": repeat(as_dataclass),
            "pydantic": repeat(as_model),
        },
        goals=(Goal("ours", 4.0, of="tuple"),),
        peers=(version("msgspec") + " (under ours)", version("pydantic")),
    )
    event, peer = as_event(FILLED), as_dataclass(FILLED)
    assert msgspec.json.decode(written_by_hand(event))["filled"] == "4"  # both write the same facts
    yield Table(
        title="encode one order event as JSON",
        unit="ns",
        rows={
            "f-string": repeat(lambda _: written_by_hand(event)),
            "ours": repeat(lambda _: encode(event)),
            "asdict + json": repeat(lambda _: as_dict_and_json(peer)),
        },
        goals=(Goal("ours", 0.7, of="f-string"),),
        notes=("the f-string escapes nothing, so it is faster than one that could be used",),
    )
