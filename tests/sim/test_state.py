"""A restart changes nothing, and the changes that are dumped add up to the whole."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.sim.exchange import Exchange, ExchangeState
from ibkr_trader.sim.floor_rules import Rejection
from tests.sim.pit_desk import AAPL, LOCATE, MSFT, Pit, d, terms


def busy() -> Pit:
    pit = Pit()
    pit.bracket()
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149"))
    pit.place(terms("SELL", 10, "TRAIL", aux_price="3"))
    pit.place(terms("BUY", 10, "MOC"))
    pit.place(terms("BUY", 10, "MKT", tif="OPG"))
    pit.place(terms("SELL", 10, "MKT", con_id=LOCATE))
    pit.place(terms("BUY", 10, "LMT", limit_price="10", good_after_time="20261120 10:30:00"))
    pit.place(terms("BUY", 10, "LMT", limit_price="10"))
    pit.cancel(pit.last_id)
    pit.exchange.market.halt(MSFT, halted=True)
    waiting(pit)
    pit.wait(1)
    return pit


def waiting(pit: Pit) -> None:
    """Orders that follow, adjust, wait and cancel each other, and rules that are in force."""
    group: dict[str, Any] = {"oca_group": "exit", "oca_type": 2, "tif": "GTC"}
    adjusted: dict[str, Any] = {
        "adjusted_order_type": "TRAIL",
        "trigger_price": "151",
        "adjusted_trailing_amount": "4",
    }
    pit.place(terms("SELL", 10, "LMT", limit_price="150.50", **group))
    pit.place(terms("SELL", 10, "STP", aux_price="145.50", **adjusted, **group))
    pit.place(terms("SELL", 10, "MKT", good_after_time="20261120 10:50:00", **group))
    pit.place(terms("SELL", 10, "TRAIL LIMIT", aux_price="4", limit_price_offset="0.50", **group))
    pit.place(terms("BUY", 5, "LIT", aux_price="149.50", limit_price="149"))
    pit.exchange.hand.place(terms("BUY", 3, "LMT", limit_price="148.99"), now=pit.now)
    acts = pit.exchange.broker_acts
    acts.slow_oca(2, now=pit.now)
    acts.reject(Rejection(ref="later-*"), now=pit.now)
    acts.locate(LOCATE, seconds=None, now=pit.now)
    pit.exchange.floor_acts.cap(MSFT, buy=d(300), now=pit.now)
    pit.exchange.floor_acts.band(d(20), now=pit.now)
    pit.quote("150.50", "150.52", last="150.51", sizes=(4, 4))  # the group hears of it later


def test_a_restart_keeps_everything() -> None:
    pit = busy()
    again = pit.restarted()
    assert again.exchange.dump() == pit.exchange.dump()
    assert again.exchange.orders.working() == pit.exchange.orders.working()
    assert again.exchange.orders.completed() == pit.exchange.orders.completed()
    assert again.exchange.market.tape(AAPL) == pit.exchange.market.tape(AAPL)
    assert again.exchange.changes() is None


def test_after_a_restart_everything_goes_on_as_if_there_had_been_none() -> None:
    """The same future, told to both: the same words."""
    pit = busy()
    again = pit.restarted()
    future: tuple[Callable[[Pit], object], ...] = (
        lambda p: p.quote("151.99", "152.01", last="152.00"),
        lambda p: p.quote("148.98", "149.00", last="148.99"),
        lambda p: p.wait(120),
        lambda p: p.quote("144.90", "145.00", last="144.95"),
        lambda p: p.wait(3600),
        lambda p: p.wait(3600 * 5),
        lambda p: p.wait(3600 * 66),
    )
    for step in future:
        assert step(pit) == step(again)
    assert again.exchange.dump() == pit.exchange.dump()


def test_ids_go_on_after_a_restart() -> None:
    pit = busy()
    again = pit.restarted()
    first, second = (p.place(terms("BUY", 1, "MKT")) for p in (pit, again))
    assert first is not None
    assert first == second
    ids = [execution.exec_id for execution in again.exchange.orders.executions()]
    assert len(set(ids)) == len(ids)


def test_two_lives_share_no_execution_ids() -> None:
    names = set()
    for instance in (1, 2):
        pit = Pit(instance=instance)
        pit.place(terms("BUY", 1, "MKT"))
        (execution,) = pit.exchange.orders.executions()
        names.add((execution.exec_id, execution.perm_id))
    assert len({name for name, _ in names}) == 2
    assert len({perm for _, perm in names}) == 2


def test_nothing_new_is_nothing_to_write() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT"))
    assert pit.exchange.changes() is not None
    assert pit.exchange.changes() is None
    pit.wait(1)
    assert pit.exchange.changes() is None


def test_a_refused_id_is_still_remembered() -> None:
    pit = Pit()
    pit.exchange.changes()
    pit.place(terms("BUY", 0, "MKT"), number=50)
    found = pit.exchange.changes()
    assert found is not None
    assert found.counters.last_order_ids == {1: 50}


def test_the_same_seed_is_the_same_run() -> None:
    runs = [Pit(frozen=False, seed=seed) for seed in (7, 7, 8)]
    for pit in runs:
        pit.bracket()
        pit.wait(3600)
    assert runs[0].exchange.dump() == runs[1].exchange.dump()
    tapes = [pit.exchange.market.tape(AAPL) for pit in runs]
    assert tapes[0] == tapes[1] != tapes[2]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("quote"), st.integers(140, 160)),
        st.tuples(st.just("bracket"), st.integers(1, 50)),
        st.tuples(st.just("limit"), st.integers(140, 160)),
        st.tuples(st.just("cancel"), st.integers(1, 12)),
        st.tuples(st.just("wait"), st.sampled_from([1, 600, 8 * 3600])),
    ),
    max_size=10,
)


@settings(max_examples=40)
@given(STEPS)
def test_the_changes_add_up_to_the_whole(steps: list[tuple[str, int]]) -> None:
    pit = Pit()
    store = Folded(pit.exchange)
    for verb, number in steps:
        match verb:
            case "quote":
                pit.quote(str(number), f"{number}.05", last=f"{number}.02", sizes=(20, 20))
            case "bracket":
                pit.bracket(quantity=number)
            case "limit":
                pit.place(terms("BUY", 30, "LMT", limit_price=str(number)))
            case "cancel":
                pit.cancel(number)
            case _:
                pit.wait(number)
        store.take(pit.exchange.changes())
    assert store.whole(pit.exchange) == normal(pit.exchange.dump())


class Folded:
    """What a store that only ever saw changes would hold."""

    def __init__(self, exchange: Exchange) -> None:
        self.state = exchange.dump()
        self.orders: dict[int, object] = {}
        self.executions: dict[str, object] = {}
        self.positions: dict[int, object] = {}

    def take(self, found: ExchangeState | None) -> None:
        if found is None:
            return
        self.state = found
        for perm_id in found.dropped_orders:
            self.orders.pop(perm_id, None)
        for exec_id in found.dropped_executions:
            self.executions.pop(exec_id, None)
        self.orders |= {order.perm_id: order for order in found.orders}
        self.executions |= {e.exec_id: e for e in found.executions}
        self.positions |= {p.con_id: p for p in found.positions}

    def whole(self, exchange: Exchange) -> ExchangeState:
        held = {p.con_id: p for p in exchange.dump().positions}
        return normal(
            msgspec.structs.replace(
                self.state,
                at=exchange.now,
                orders=tuple(self.orders.values()),
                executions=tuple(self.executions.values()),
                positions=tuple(p for k, p in self.positions.items() if k in held),
                manual=exchange.dump().manual,
                dropped_orders=(),
                dropped_executions=(),
            )
        )


def normal(state: ExchangeState) -> ExchangeState:
    return msgspec.structs.replace(
        state,
        orders=tuple(sorted(state.orders, key=lambda order: order.perm_id)),
        executions=tuple(sorted(state.executions, key=lambda e: e.exec_id)),
        positions=tuple(sorted(state.positions, key=lambda p: p.con_id)),
    )
