"""What outlives a restart of the exchange, and how it is taken up again."""

from datetime import datetime

import msgspec

from ibkr_trader.sim.account import AccountState, PositionRecord
from ibkr_trader.sim.calendar import local_date, midnight_after
from ibkr_trader.sim.floor_rules import FloorRules
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.matching import CLOSE_TYPES
from ibkr_trader.sim.oca import remember_untold
from ibkr_trader.sim.orders import OPENING_TIFS, Execution, OrderKey, SimOrder
from ibkr_trader.sim.pit import Alarm, ExchangeConfig, Pit


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers that must never be given out twice."""

    perm_id: int
    execution: int
    sequence: int
    last_order_ids: dict[int, int]  # client id -> the highest order id it ever used


class ExchangeState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that outlives a restart. `changes()` gives the same with only what changed.

    Untransmitted orders are left out: TWS forgets them too. The price model needs no state
    of its own: it is a function of seed, instrument and time.

    Attributes:
        at: The exchange's time of the last call.
        orders: Open orders, today's closed ones, and closed relatives of open ones.
        executions: Today's.
        manual: The markets that were set by hand. halted: the instruments that are.
        rules: How broker and exchange behave.
        dropped_orders: In `changes()` only: the perm ids of orders to forget, and
            `dropped_executions` the ids of executions: their day is over.
    """

    config: ExchangeConfig
    at: datetime
    counters: Counters
    account: AccountState
    orders: tuple[SimOrder, ...] = ()
    executions: tuple[Execution, ...] = ()
    positions: tuple[PositionRecord, ...] = ()
    manual: tuple[Tape, ...] = ()
    halted: tuple[int, ...] = ()
    rules: FloorRules = FloorRules()
    dropped_orders: tuple[int, ...] = ()
    dropped_executions: tuple[str, ...] = ()


def _counters(pit: Pit) -> Counters:
    return Counters(
        perm_id=pit.next_perm_id,
        execution=pit.next_execution,
        sequence=pit.next_sequence,
        last_order_ids=dict(pit.ledger.seen_ids),
    )


def whole_state(pit: Pit) -> ExchangeState:
    """Return everything."""
    ledger = pit.ledger
    return ExchangeState(
        config=pit.config,
        at=pit.now,
        counters=_counters(pit),
        account=pit.account.state,
        orders=tuple(order for order in ledger.orders.values() if order.is_visible),
        executions=tuple(ledger.executions),
        positions=tuple(pit.account.positions.values()),
        manual=tuple(pit.feed.manual.values()),
        halted=tuple(sorted(pit.feed.halted)),
        rules=pit.rules,
    )


def changed_state(pit: Pit) -> ExchangeState | None:
    """Return what is new since the last call, and count it as known."""
    ledger = pit.ledger
    is_new = bool(ledger.dirty or ledger.dropped_executions or ledger.dropped_orders)
    is_new = is_new or pit.dirty_rules
    if not (is_new or pit.dirty_positions or pit.dirty_account or ledger.is_id_new):
        return None
    held = (pit.account.positions.get(con_id) for con_id in pit.dirty_positions)
    state = ExchangeState(
        config=pit.config,
        at=pit.now,
        counters=_counters(pit),
        account=pit.account.state,
        orders=tuple(ledger.orders[key] for key in ledger.dirty),
        executions=tuple(ledger.fresh),
        positions=tuple(position for position in held if position is not None),
        manual=tuple(pit.feed.manual.values()),
        halted=tuple(sorted(pit.feed.halted)),
        rules=pit.rules,
        dropped_orders=tuple(ledger.dropped_orders),
        dropped_executions=tuple(ledger.dropped_executions),
    )
    for known in (ledger.fresh, ledger.dropped_orders, ledger.dropped_executions):
        known.clear()
    ledger.dirty.clear()
    pit.dirty_positions.clear()
    pit.dirty_account = pit.dirty_rules = ledger.is_id_new = False
    return state


def load(pit: Pit, state: ExchangeState | None) -> None:
    """Take up where `state` stands; without one, only set the clock going."""
    pit.wake_at(midnight_after(pit.now), Alarm.ROLL)
    if state is None:
        pit.next_perm_id = _first_perm_id(pit.config.instance)
        return
    counters, ledger = state.counters, pit.ledger
    pit.next_perm_id = counters.perm_id
    pit.next_execution = counters.execution
    pit.next_sequence = counters.sequence
    ledger.seen_ids.update(counters.last_order_ids)
    ledger.used_ids.update(counters.last_order_ids)
    ledger.executions.extend(state.executions)
    pit.feed.manual.update({tape.con_id: tape for tape in state.manual})
    pit.feed.halted.update(state.halted)
    pit.rules, pit.dirty_rules = state.rules, False
    today = local_date(pit.now)
    for order in sorted(state.orders, key=lambda order: order.perm_id):  # as they were accepted
        ledger.put(order)
        if order.completed_at is not None and local_date(order.completed_at) == today:
            ledger.completed.append(order.key)
    for order in sorted(state.orders, key=lambda order: order.sequence):  # as they queue
        if not order.status.is_closed:
            _resume(pit, order)
    ledger.completed.sort(key=lambda key: _completed_at(ledger.orders[key]))
    ledger.dirty.clear()
    remember_untold(pit)


def _completed_at(order: SimOrder) -> datetime:
    return order.completed_at or datetime.min  # noqa: DTZ901 - never: it is closed


def _resume(pit: Pit, order: SimOrder) -> None:
    """Put an open order back where it waited, with its timers."""
    key: OrderKey = order.key
    if order.expires_at is not None:
        pit.wake_at(order.expires_at, Alarm.EXPIRE, key)
    if order.is_held:
        if order.active_at is not None and order.why_held != "child":
            pit.wake_at(order.active_at, Alarm.RELEASE, key)
    elif order.terms.tif in OPENING_TIFS or order.terms.order_type in CLOSE_TYPES:
        pit.wake_at(order.active_at or pit.now, Alarm.AUCTION, key)
    else:
        _, book, _ = pit.market_of(order)
        book.add(order)


def _first_perm_id(instance: int) -> int:
    """Spread the perm ids of different lives over the 31 bits clients can read."""
    return instance % 2_000_000 * 1000 + 1
