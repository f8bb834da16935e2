"""Every order and execution of the day, and how they are looked up."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ibkr_trader.sim.orders import Execution, OrderKey, SimOrder

LOGGED = timedelta(days=7)  # the longest that a trade log goes back


class Register:
    """The orders as they now stand, by who reads them; `Ledger` is the side that writes."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def get(self, key: OrderKey) -> SimOrder | None:
        """Return an order by client and order id, closed ones of today included."""
        return self._ledger.orders.get(key)

    def working(self, client_id: int | None = None) -> tuple[SimOrder, ...]:
        """Return the open, visible orders of one client or of all, in order of acceptance."""
        orders = self._ledger.orders
        found = (orders[key] for key in self._ledger.open)
        return tuple(
            order
            for order in found
            if order.is_visible and (client_id is None or order.client_id == client_id)
        )

    def completed(self) -> tuple[SimOrder, ...]:
        """Return today's closed orders, oldest first."""
        return tuple(self._ledger.orders[key] for key in self._ledger.completed)

    def executions(self) -> Iterable[Execution]:
        """Return today's executions, oldest first."""
        return tuple(self._ledger.executions)

    def trade_log(self) -> Iterable[Execution]:
        """Return the executions of the days before, oldest first: a week's, since the start."""
        return tuple(self._ledger.log)

    def next_order_id(self, client_id: int) -> int:
        """Return the lowest order id this client may use next."""
        return self._ledger.seen_ids.get(client_id, 0) + 1


class Ledger:
    """The exchange's own book-keeping: what it writes, and what of it is new.

    Attributes:
        orders: Every order known, open or closed today (or needed by an open relative).
        open: The keys of open orders, untransmitted ones too, in order of acceptance.
        completed: The keys of today's closed orders.
        children: The orders attached to an order, by its key.
        groups: The orders of each OCA group, by its name, closed ones too.
        seen_ids: Each client's highest order id ever; `used_ids` of those parked or accepted:
            TWS takes none at or below it again, were it never used itself.
        log: The executions of the days before today, a week's. Nobody writes them down.
        dirty: Orders changed since the last dump of changes; `fresh` executions likewise.
    """

    def __init__(self) -> None:
        self.orders: dict[OrderKey, SimOrder] = {}
        self.open: dict[OrderKey, None] = {}
        self.completed: list[OrderKey] = []
        self.children: dict[OrderKey, list[OrderKey]] = {}
        self.groups: dict[str, dict[OrderKey, None]] = {}
        self.executions: list[Execution] = []
        self.log: list[Execution] = []
        self.seen_ids: dict[int, int] = {}
        self.used_ids: dict[int, int] = {}
        self.dirty: dict[OrderKey, None] = {}
        self.fresh: list[Execution] = []
        self.dropped_orders: list[int] = []
        self.dropped_executions: list[str] = []
        self.is_id_new = False

    def put(self, order: SimOrder) -> None:
        """Keep an order as it now stands."""
        key = order.key
        is_new = key not in self.orders
        self.orders[key] = order
        if is_new and order.parent_key is not None:
            self.children.setdefault(order.parent_key, []).append(key)
        if order.oca_group:
            self.groups.setdefault(order.oca_group, {})[key] = None
        if not order.status.is_closed:
            self.open.setdefault(key)
        elif key in self.open:
            del self.open[key]
            self.completed.append(key)
        if order.is_visible:
            self.dirty[key] = None

    def forget(self, key: OrderKey) -> None:
        """Drop an order that never existed for anybody else: one that was not transmitted."""
        order = self.orders.pop(key)
        self.open.pop(key, None)
        self.dirty.pop(key, None)
        if order.parent_key is not None:
            self.children[order.parent_key].remove(key)

    def accept(self, key: OrderKey) -> None:
        """Note that an id is used, and that its order comes after all accepted before."""
        self.see(key, is_used=True)
        if key in self.open:  # it was parked untransmitted: it takes its place in the queue now
            del self.open[key]
            self.open[key] = None

    def see(self, key: OrderKey, *, is_used: bool = False) -> None:
        """Note an id that a client has sent; `is_used` if its order is there, be it untransmitted.

        One of an order that was refused outright may come again.
        """
        client_id, order_id = key
        if is_used:
            self.used_ids[client_id] = max(order_id, self.used_ids.get(client_id, 0))
        if order_id > self.seen_ids.get(client_id, 0):
            self.seen_ids[client_id] = order_id
            self.is_id_new = True

    def record(self, execution: Execution) -> None:
        """Keep an execution."""
        self.executions.append(execution)
        self.fresh.append(execution)

    def roll(self, now: datetime) -> None:
        """Forget yesterday: its executions, and closed orders no open relative needs.

        Relatives are an order's family, and the members of its OCA group.
        """
        self.dropped_executions += [execution.exec_id for execution in self.executions]
        self.log = [one for one in (*self.log, *self.executions) if now - one.at < LOGGED]
        self.executions.clear()
        self.completed.clear()
        needed = {self.root_of(key) for key in self.open}
        groups = {self.orders[key].oca_group for key in self.open} - {""}
        for key in [key for key in self.orders if key not in self.open]:
            if self.root_of(key) not in needed and self.orders[key].oca_group not in groups:
                self._drop(key)

    def _drop(self, key: OrderKey) -> None:
        order = self.orders.pop(key)
        self.dropped_orders.append(order.perm_id)
        self.dirty.pop(key, None)
        self.children.pop(key, None)
        group = self.groups.get(order.oca_group, {})
        group.pop(key, None)
        if not group:
            self.groups.pop(order.oca_group, None)

    def root_of(self, key: OrderKey) -> OrderKey:
        """Return the first ancestor of an order, itself if it has none."""
        seen = {key}
        while True:
            order = self.orders.get(key)
            parent = order.parent_key if order is not None else None
            if parent is None or parent in seen or parent not in self.orders:
                return key
            seen.add(parent)
            key = parent


def by_perm_id(ledger: Ledger, perm_id: int) -> SimOrder | None:
    """Return an order by its permanent id, closed ones of today included."""
    found = (order for order in ledger.orders.values() if order.is_visible)
    return next((order for order in found if order.perm_id == perm_id), None)
