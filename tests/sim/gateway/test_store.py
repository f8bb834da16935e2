"""What the exchange says must last, lasts; and costs the same with many open orders."""

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.account import AccountState, PositionRecord
from ibkr_trader.sim.exchange import Counters, ExchangeConfig, ExchangeState
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.order_terms import order_terms
from ibkr_trader.sim.gateway.requests import decode
from ibkr_trader.sim.gateway.store import ClockMark, Store, StoreError
from ibkr_trader.sim.orders import Execution, SimOrder, SimStatus
from tests.sim.gateway.samples import SHAPES, client_at

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


def order(perm_id: int, shape: str = "limit") -> SimOrder:
    client, sent = client_at(176)
    client.placeOrder(perm_id, *SHAPES[shape])
    request = decode(sent[0], 176)
    assert isinstance(request, PlaceOrder)
    return SimOrder(
        client_id=1,
        order_id=perm_id,
        terms=order_terms(request.order, 265598),
        side=Side.BUY,
        quantity=Decimal(100),
        status=SimStatus.SUBMITTED,
        perm_id=perm_id,
        placed_at=NOW,
    )


def execution(name: str) -> Execution:
    return Execution(
        exec_id=name,
        at=NOW,
        con_id=265598,
        client_id=1,
        order_id=1,
        perm_id=1,
        account="SIM0000001",
        exchange="NASDAQ",
        side=Side.BUY,
        shares=Decimal("10.5"),
        price=Decimal("150.01"),
        cum_quantity=Decimal("10.5"),
        average_price=Decimal("150.01"),
        commission=Decimal("1.00"),
        currency="USD",
    )


def changes(**parts: object) -> ExchangeState:
    base = ExchangeState(
        config=ExchangeConfig(opened_at=NOW, seed=7),
        at=NOW,
        counters=Counters(perm_id=9, execution=3, sequence=4, last_order_ids={1: 12, 7: 3}),
        account=AccountState(
            account="SIM0000001", currency="USD", cash={"USD": Decimal(5)}, day_equity=Decimal(5)
        ),
    )
    return msgspec.structs.replace(base, **parts)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchange.sqlite3"


def test_a_new_file_has_nothing(path: Path) -> None:
    store = Store(path)
    assert store.load() is None
    assert store.clock() is None
    assert path.stat().st_mode & 0o077 == 0
    store.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_order_shape_comes_back_as_it_was(path: Path, shape: str) -> None:
    store = Store(path)
    placed = order(5, shape)
    store.save(changes(orders=(placed,)))
    store.close()
    again = Store(path)
    state = again.load()
    assert state is not None
    assert state.orders == (placed,)
    again.close()


def test_changes_add_up(path: Path) -> None:
    store = Store(path)
    held = PositionRecord(con_id=265598, quantity=Decimal(10), cost=Decimal("1500.10"))
    first, second = execution("00000001.00000002.01.01"), execution("00000001.00000001.01.01")
    store.save(changes(orders=(order(1), order(2)), executions=(first,), positions=(held,)))
    filled = msgspec.structs.replace(order(2), status=SimStatus.FILLED)
    store.save(changes(orders=(filled,), executions=(second,)))
    store.save(changes(dropped_orders=(1,)))
    state = store.load()
    assert state is not None
    assert state.orders == (filled,)
    assert state.executions == (first, second)
    assert state.positions == (held,)
    assert state.counters.last_order_ids == {1: 12, 7: 3}
    assert state.config.seed == 7
    store.save(changes(dropped_executions=(first.exec_id,)))
    state = store.load()
    assert state is not None
    assert state.executions == (second,)
    store.close()


def test_a_commit_writes_only_what_changed(path: Path) -> None:
    store = Store(path)
    store.save(changes(orders=tuple(order(n) for n in range(1, 501))))
    writes: list[str] = []
    store._db.set_trace_callback(writes.append)
    store.save(changes(orders=(order(3),)))
    assert len([line for line in writes if "INTO orders" in line]) == 1
    store.close()


def test_the_clock_is_remembered(path: Path) -> None:
    mark = ClockMark(at=NOW, wall=NOW, had_clients=True)
    store = Store(path)
    store.mark_clock(mark)
    assert store.clock() == mark
    store.close()


def test_a_file_of_another_schema_or_of_something_else_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreError, match="schema 99"):
        Store(path)
    path.write_bytes(b"not a database, but long enough to be looked at" * 50)
    with pytest.raises(StoreError, match="cannot open"):
        Store(path)


def test_a_damaged_row_is_said_and_not_skipped(path: Path) -> None:
    store = Store(path)
    store.save(changes(orders=(order(1),)))
    store._db.execute("UPDATE orders SET body = x'00'")
    with pytest.raises(StoreError, match="damaged"):
        store.load()
    store.close()


def test_a_row_that_is_refused_undoes_the_whole_commit(path: Path) -> None:
    store = Store(path)
    store._db.execute("CREATE TRIGGER no BEFORE INSERT ON head BEGIN SELECT RAISE(FAIL, 'no'); END")
    with pytest.raises(StoreError, match="no"):
        store.save(changes(orders=(order(1),)))
    store._db.execute("DROP TRIGGER no")
    store.save(changes(orders=(order(2),)))
    state = store.load()
    assert state is not None
    assert [kept.perm_id for kept in state.orders] == [2]
    store.close()


def test_a_full_disk_is_an_error_and_undoes_the_whole_commit(path: Path) -> None:
    store = Store(path)
    store.save(changes(orders=(order(1),)))
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        store.save(changes(orders=tuple(order(n) for n in range(2, 200))))
    store._db.execute("PRAGMA max_page_count = 100000")
    state = store.load()
    assert state is not None
    assert [kept.perm_id for kept in state.orders] == [1]
    store.save(changes(orders=(order(2),)))
    store.close()
