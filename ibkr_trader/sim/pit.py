"""What the exchange consists of, shared by the modules that act on it.

`Pit` holds the state and the pending work of one call: the events to report and the orders to
look at next. Who changes an order goes through `put`, so that nothing is forgotten in a dump.
"""

import heapq
from collections import deque
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from itertools import count

import msgspec

from ibkr_trader.sim.account import Account
from ibkr_trader.sim.book import Book
from ibkr_trader.sim.calendar import Phase, phase_at
from ibkr_trader.sim.events import Noticed, OrderShown, SimEvent, StatusShown
from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.feed import Feed
from ibkr_trader.sim.floor_rules import FloorRules
from ibkr_trader.sim.instruments import Instrument, Tape
from ibkr_trader.sim.orders import OrderKey, SimOrder
from ibkr_trader.sim.register import Ledger
from ibkr_trader.sim.universe import Universe


class ExchangeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How this exchange behaves.

    Attributes:
        opened_at: The first moment of the exchange's life: the model's anchor, when AAPL is at 150.
        instance: Tells this life from every other: execution ids are made of it, so it must
            never repeat (the shell passes the machine's time in seconds).
        strict_clients: True lets only the placing client (and client 0) cancel an order.
        locate_seconds: How long a short sale that needs a locate stays held.
        rules: How it behaves to begin with; `Pit.rules` are those of the moment.
    """

    opened_at: datetime
    seed: int = 1
    instance: int = 1
    account: str = "SIM0000001"
    currency: str = "USD"
    cash: Decimal = Decimal("1000000.00")
    bracket_mode: BracketMode = BracketMode.RESIZED
    strict_clients: bool = False
    locate_seconds: int = 60
    rules: FloorRules = FloorRules()


class Alarm(IntEnum):
    """What a timer is for; at the same moment they go off in this order."""

    AUCTION = 0
    RELEASE = 1
    EXPIRE = 2
    ROLL = 3


NOBODY = OrderKey(-1, 0)


class Pit:
    """The state of the exchange.

    Attributes:
        now: The exchange's time.
        slow_groups: OCA groups that have yet to be told of a fill.
        out: What this call has to report so far.
        wakes: Orders that became able to trade and have yet to be tried.
        books: Working orders by instrument.
        timers: A heap of (when, what for, number, order).
    """

    def __init__(
        self,
        config: ExchangeConfig,
        universe: Universe,
        *,
        feed: Feed,
        account: Account,
        now: datetime,
    ) -> None:
        self.config = config
        self.universe = universe
        self.feed = feed
        self.account = account
        self.ledger = Ledger()
        self.now = now
        self._rules = config.rules
        self.slow_groups: dict[str, None] = {}
        self.out: list[SimEvent] = []
        self.wakes: deque[OrderKey] = deque()
        self.books: dict[int, Book] = {}
        self.timers: list[tuple[datetime, Alarm, int, OrderKey]] = []
        self.next_perm_id = 1
        self.next_execution = 1
        self.next_sequence = 1
        self.dirty_positions: set[int] = set()
        self.dirty_account = self.dirty_rules = False
        self._numbers = count()
        self._phases: dict[str, tuple[datetime, Phase]] = {}

    def order(self, key: OrderKey) -> SimOrder | None:
        """Return an order that is still open."""
        return self.ledger.orders[key] if key in self.ledger.open else None

    def put(self, order: SimOrder) -> SimOrder:
        """Keep an order as it now stands."""
        self.ledger.put(order)
        return order

    @property
    def rules(self) -> FloorRules:
        """How broker and exchange behave at present."""
        return self._rules

    @rules.setter
    def rules(self, rules: FloorRules) -> None:
        self._rules = rules
        self.dirty_rules = True

    def show(self, order: SimOrder) -> None:
        """Report an order's terms and status, as TWS does on every change of either."""
        self.out.append(OrderShown(at=self.now, order=order))
        self.out.append(StatusShown(at=self.now, order=order))

    def notice(self, key: OrderKey, code: int, text: str) -> None:
        """Tell the placing client something about an order."""
        self.out.append(
            Noticed(
                at=self.now, client_id=key.client_id, order_id=key.order_id, code=code, text=text
            )
        )

    def market_of(self, order: SimOrder) -> tuple[Instrument, Book, Tape]:
        """Return where an order trades."""
        con_id = order.terms.con_id
        instrument = self.universe[con_id]
        book = self.books.get(con_id)
        if book is None:
            book = self.books[con_id] = Book(instrument.sec_type)
        return instrument, book, self.feed.tape(con_id)

    def phase(self, sec_type: str) -> Phase:
        """Say what the market of a kind of instrument is doing now."""
        second = self.feed.now
        known = self._phases.get(sec_type)
        if known is None or known[0] != second:
            known = self._phases[sec_type] = (second, phase_at(sec_type, second))
        return known[1]

    def wake_at(self, when: datetime, alarm: Alarm, key: OrderKey = NOBODY) -> None:
        """Set a timer."""
        heapq.heappush(self.timers, (when, alarm, next(self._numbers), key))
