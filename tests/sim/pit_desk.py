"""An exchange at 10:00 New York of a Friday, with AAPL's market set by hand, and short words."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from ibkr_trader.sim import events as sim
from ibkr_trader.sim.calendar import local_date
from ibkr_trader.sim.exchange import BracketMode, Exchange, ExchangeConfig, ExchangeState
from ibkr_trader.sim.matching import limit_of
from ibkr_trader.sim.orders import OrderKey, OrderTerms, SimOrder
from ibkr_trader.sim.universe import Universe, load_universe

OPENED = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday, 10:00 in New York
AAPL, MSFT, EURUSD, ENB_CAD = 265598, 272093, 12087792, 14094002
PENNY, HARD, LOCATE, CLOSING = 600000003, 600000004, 600000005, 600000007


PRICES = frozenset(
    {
        *("limit_price", "aux_price", "trail_stop_price", "trailing_percent"),
        *("limit_price_offset", "trigger_price", "adjusted_stop_price"),
        *("adjusted_stop_limit_price", "adjusted_trailing_amount"),
    }
)


@lru_cache(maxsize=4)
def universe_of(opened: datetime = OPENED) -> Universe:
    return load_universe(local_date(opened))


def d(text: str | int) -> Decimal:
    return Decimal(text)


def ds(*values: str | int | None) -> tuple[Decimal | None, ...]:
    return tuple(None if value is None else Decimal(value) for value in values)


def terms(action: str, quantity: int, order_type: str, **rest: Any) -> OrderTerms:
    """Terms on AAPL; prices may be given as text."""
    fields: dict[str, Any] = {
        k: d(v) if k in PRICES and v is not None else v for k, v in rest.items()
    }
    fields.setdefault("con_id", AAPL)
    return OrderTerms(action=action, quantity=d(quantity), order_type=order_type, **fields)


class Pit:
    """One exchange and what it has said; the client is number 1 unless told otherwise."""

    def __init__(self, *, at: datetime = OPENED, frozen: bool = True, **config: Any) -> None:
        settings = ExchangeConfig(opened_at=at, **config)
        self.exchange = Exchange(settings, universe_of(at))
        self.now = at
        self.last_id = 0
        self.events: list[sim.SimEvent] = []
        if frozen:
            self.quote("149.99", "150.01", last="150.00")

    def quote(
        self,
        bid: str | None,
        ask: str | None,
        *,
        last: str | None = None,
        sizes: tuple[int, int] = (1000, 1000),
        con_id: int = AAPL,
    ) -> list[sim.SimEvent]:
        self.exchange.market.set_quote(
            con_id,
            bid=None if bid is None else d(bid),
            ask=None if ask is None else d(ask),
            bid_size=d(sizes[0]),
            ask_size=d(sizes[1]),
            last=None if last is None else d(last),
        )
        return self.wait(0)

    def print_trade(self, price: str, size: int) -> list[sim.SimEvent]:
        self.exchange.market.print_trade(AAPL, price=d(price), size=d(size))
        return self.wait(0)

    def place(self, wanted: OrderTerms, *, number: int = 0, client: int = 1) -> SimOrder | None:
        """Place, or change order `number`; return it as it now stands."""
        self.last_id = number or self.last_id + 1
        found = self.exchange.place(client, self.last_id, terms=wanted, now=self.now)
        self.events = found
        return self.order(self.last_id, client=client)

    def cancel(self, number: int, *, client: int = 1) -> list[sim.SimEvent]:
        self.events = self.exchange.cancel(client, number, now=self.now)
        return self.events

    def wait(self, seconds: float) -> list[sim.SimEvent]:
        return self.until(self.now + timedelta(seconds=seconds))

    def until(self, moment: datetime) -> list[sim.SimEvent]:
        self.now = moment
        self.events = self.exchange.advance(moment)
        return self.events

    def order(self, number: int, *, client: int = 1) -> SimOrder | None:
        return self.exchange.orders.get(OrderKey(client, number))

    def stands(self, number: int) -> str:
        """An order in short: `Submitted 3/10`, with why it is held."""
        order = self.order(number)
        if order is None:
            return "unknown"
        held = f" {order.why_held}" if order.why_held else ""
        return f"{order.status} {order.filled:f}/{order.quantity:f}{held}"

    def prices(self, number: int) -> tuple[str, str, str]:
        """An order's type, stop and limit as they stand; `-` for none."""
        order = self.order(number)
        assert order is not None
        found = (order.stop_price, limit_of(order))
        stop, limit = ("-" if price is None else f"{price:f}" for price in found)
        return order.terms.order_type, stop, limit

    def bracket(
        self, *, quantity: int = 10, entry: OrderTerms | None = None, **exits: Any
    ) -> tuple[int, int, int]:
        """A buy with a target at 155 and a stop at 145; returns the three ids."""
        parent = entry or terms("BUY", quantity, "MKT")
        first = self.last_id + 1
        rest = {"parent_id": first, "tif": "GTC", **exits}
        self.place(msgspec.structs.replace(parent, transmit=False))
        self.place(terms("SELL", quantity, "LMT", limit_price="155", transmit=False, **rest))
        self.place(terms("SELL", quantity, "STP", aux_price="145", **rest))
        return first, first + 1, first + 2

    def position(self, con_id: int = AAPL) -> Decimal:
        held = self.exchange.account.positions.get(con_id)
        return held.quantity if held is not None else d(0)

    def restarted(self) -> "Pit":
        """The same exchange after a restart, through its stored form."""
        text = msgspec.msgpack.encode(self.exchange.dump())
        state = msgspec.msgpack.decode(text, type=ExchangeState)
        other = Pit.__new__(Pit)
        other.exchange = Exchange(state.config, universe_of(state.config.opened_at), state)
        other.now, other.last_id, other.events = self.now, self.last_id, []
        return other


def at_ten(*, hours: int = 0, minutes: int = 0) -> datetime:
    """So much after 10:00 New York of the day that the pit opens."""
    return OPENED + timedelta(hours=hours, minutes=minutes)


def codes(events: Sequence[sim.SimEvent]) -> list[int]:
    """The codes of the notices."""
    return [event.code for event in events if isinstance(event, sim.Noticed)]


def said(events: Sequence[sim.SimEvent]) -> list[str]:
    """What a session would send, as message ids: `5`, `3:Submitted`, `11`, `59`, `4:202`."""
    found = []
    for event in events:
        match event:
            case sim.OrderShown():
                found.append(f"5:{event.order.order_id}")
            case sim.StatusShown():
                found.append(f"3:{event.order.order_id}:{event.order.status}")
            case sim.Executed():
                found.append(f"11:{event.order.order_id}")
            case sim.CommissionPosted():
                found.append("59")
            case sim.Noticed():
                found.append(f"4:{event.order_id}:{event.code}")
            case _:
                pass
    return found


ALL_MODES = tuple(BracketMode)
