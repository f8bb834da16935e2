from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import OrderId
from tests.risk.world import (
    MSFT,
    bracket,
    held,
    judge,
    modify,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)


def test_in_sync_with_nothing_unknown_passes() -> None:
    assert judge("knowledge", bracket(), view()) == []


def test_out_of_sync_nothing_new_goes_out_not_even_a_close() -> None:
    blind = view(held(10), is_synced=False)
    assert reasons(review(bracket(), blind)) == {"knowledge"}
    assert reasons(review(submit(spec("SELL", 10)), blind)) == {"knowledge"}


def test_out_of_sync_a_stop_is_tightened_and_not_widened() -> None:
    protection = working(stop("SELL", 10, "145"))
    blind = view(held(10), protection, is_synced=False)
    assert reasons(review(modify(protection, stop_price="146"), blind)) == set()
    assert reasons(review(modify(protection, stop_price="144"), blind)) == {"knowledge"}


@pytest.mark.parametrize("shared", [{"oca_group": "t-1-x1"}, {"parent_id": OrderId("t-1-entry")}])
def test_out_of_sync_an_exit_of_a_group_stays_as_it_is(shared: dict[str, Any]) -> None:
    """The others may have traded: the size that a change states would give back what they took."""
    protection = working(stop("SELL", 10, "145", **shared))
    tighter = modify(protection, stop_price="146")
    (breach,) = judge("knowledge", tighter, view(held(10), protection, is_synced=False))
    assert "not in sync yet" in breach.message
    assert judge("knowledge", tighter, view(held(10), protection)) == []


def test_an_unknown_order_blocks_openings_in_its_symbol_alone() -> None:
    lost = working(spec("BUY", 5, "t-0-single"), OrderStatus.UNKNOWN)
    (breach,) = judge("knowledge", bracket(), view(lost))
    assert "t-0-single" in breach.message
    assert breach.actual == "1"
    assert judge("knowledge", submit(spec(contract=MSFT)), view(lost)) == []


def test_an_unknown_order_does_not_block_a_close_that_fits_beside_it() -> None:
    lost = working(spec("SELL", 4, "t-0-single"), OrderStatus.UNKNOWN)
    world = view(held(10), lost)
    assert reasons(review(submit(spec("SELL", 6), reduces=True), world)) == set()
    assert "reduce_only" in reasons(review(submit(spec("SELL", 7), reduces=True), world))
