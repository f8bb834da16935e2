"""A few traders are killed for real, and what judges them can tell when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.events import CancelRequestEvent, ModifyEvent, NotSentEvent, UnknownEvent
from ibkr_trader.core.models import OrderId
from tests.orders.samples import spec
from tests.torture import judging
from tests.torture.bench import START, Bench

KILLS = 6
REF = "k7qav-1-entry"
STOP = "k7qav-1-stop"


@pytest.mark.slow
def test_killed_again_and_again_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    bench = Bench(tmp_path, seed=20_261_122)
    with bench.serving():
        for _ in range(KILLS):
            bench.kill_one()
        assert not bench.judge()
    assert bench.wire.sent, "nobody placed an order, so nothing was judged"


# -- the judges ---------------------------------------------------------------------------------


def frame(ref: str = REF, number: int = 7, **more: Any) -> dict[str, Any]:
    """Return a line of the wire log."""
    due = {"order_ref": ref, "account": "SIM0000001", "tif": "DAY"}
    return {"way": "in", "name": "placeOrder", "order_client": 1, "order_id": number} | due | more


def wire_of(folder: Path, *frames: dict[str, Any]) -> judging.Wire:
    path = folder / "wire.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in frames))
    return judging.Wire(path)


def written(*refs: str, numbers: tuple[int, ...] = (7, 8)) -> list[Any]:
    """Return records that know these orders."""
    orders = tuple(
        msgspec.structs.replace(spec(), order_id=OrderId(ref), broker_order_id=number)
        for ref, number in zip(refs, numbers, strict=True)
    )
    return [SubmitOrders(group_id=orders[0].group_id, kind="single", orders=orders)]


def words(found: Any) -> set[str]:
    return {line.split()[0] for line in found}


def test_what_is_in_order_is_no_violation(tmp_path: Path) -> None:
    wire = wire_of(tmp_path, frame(), frame(STOP, 8))
    assert not words(judging.of_the_wire(wire, written(REF, STOP)))


def test_a_change_that_finds_its_order_ended_is_no_second_order(tmp_path: Path) -> None:
    late = wire_of(tmp_path, frame(), frame(STOP, 8), frame())
    stated = msgspec.structs.replace(spec(), order_id=OrderId(REF))
    change = ModifyEvent(at=START, order_id=OrderId(REF), spec=stated)
    assert not words(judging.of_the_wire(late, [*written(REF, STOP), change]))
    twice = wire_of(tmp_path, frame(), frame(STOP, 8), frame(), frame())
    assert words(judging.of_the_wire(twice, [*written(REF, STOP), change])) == {"S1"}


@pytest.mark.parametrize(
    ("frames", "invariant"),
    [
        ([frame(), frame()], "S1"),
        ([frame(), frame(number=9)], "S1"),
        ([frame(), frame(STOP, 7)], "S3"),
        ([frame(), frame("k7qav-2-entry", 8)], "S2"),
        ([frame(tif="")], "S25"),
    ],
)
def test_each_wrong_frame_is_seen(
    frames: list[dict[str, Any]], invariant: str, tmp_path: Path
) -> None:
    wire = wire_of(tmp_path, *frames)
    assert words(judging.of_the_wire(wire, written(REF, STOP))) == {invariant}


def test_a_number_that_is_given_out_after_a_higher_one_is_seen(tmp_path: Path) -> None:
    wire = wire_of(tmp_path, frame(number=8), frame(STOP, 7))
    assert words(judging.of_the_wire(wire, written(REF, STOP, numbers=(8, 7)))) == {"S3"}


def test_a_number_that_leaves_after_a_higher_one_is_seen(tmp_path: Path) -> None:
    change, other = frame(number=7), frame("k7qav-2-close", 5, order_client=2)
    wire = wire_of(tmp_path, frame(), frame(STOP, 8), change, other)
    refs = (REF, STOP, "k7qav-2-close")
    known = written(*refs, numbers=(7, 8, 9))
    stated = msgspec.structs.replace(spec(), order_id=OrderId(REF))
    known.append(ModifyEvent(at=START, order_id=OrderId(REF), spec=stated))
    assert not words(judging.of_the_wire(wire, known)), "a change, and another client's number"
    late = wire_of(tmp_path, frame(STOP, 8), frame())
    assert words(judging.of_the_wire(late, written(REF, STOP))) == {"S3"}


def books(held: str = "10", *, stop: str = "10", group: str = "") -> dict[str, Any]:
    order = {
        "name": STOP, "con_id": 1, "type": "STP", "quantity": stop, "filled": "0",
        "why_held": "", "oca_group": group,
    }  # fmt: skip
    return {
        "positions": {"AAPL": held},
        "orders": [order],
        "executions": [{"exec_id": "a.01", "order_ref": REF}],
    }


def test_a_lost_execution_is_seen() -> None:
    assert words(judging.of_the_ledger(books(), [])) == {"S20"}


@pytest.mark.parametrize(
    ("held", "stop", "found"),
    [("10", "10", set()), ("10", "4", {"S8"}), ("4", "10", {"S7", "S8"})],
)
def test_what_is_not_covered_exactly_is_seen(held: str, stop: str, found: set[str]) -> None:
    assert words(judging.at_rest(books(held, stop=stop), {1: "AAPL"})) == found


def test_an_order_that_nobody_can_account_for_is_seen() -> None:
    lost = UnknownEvent(at=START, order_id=OrderId(REF), reason="")
    asked = CancelRequestEvent(at=START, order_id=OrderId(REF), origin="recovery")
    found = NotSentEvent(at=START, order_id=OrderId(REF), reason="")
    assert words(judging.unaccounted([lost, asked])) == {"L1"}
    assert not words(judging.unaccounted([lost, asked, found]))
