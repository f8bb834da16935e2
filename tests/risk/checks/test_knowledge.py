from __future__ import annotations

from ibkr_trader.core.enums import OrderStatus
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
