"""What groups ask for in the moment that the link goes, and what is left where all went by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.execution.placing import Wait
from tests.bad_days.bad_lines import inject, inject_now
from tests.bad_days.judges import nakedness
from tests.bad_days.requests import bracket
from tests.bad_days.stage import AAPL, Day, a_day

if TYPE_CHECKING:
    from pathlib import Path

BEAT = timedelta(seconds=0.25)  # between two heartbeats


async def back(day: Day, *, after: float, within: float) -> None:
    """Let the line that is lost come back, and what was put off be asked for."""
    await day.wait(after)
    await inject(day, "1102")
    await day.wait(within, step=0.5)


@pytest.mark.parametrize("later", [0, 0.0001], ids=["in one read", "a moment later"])
async def test_exits_that_end_as_the_line_goes_are_put_back_and_nothing_is_sold(
    later: float, day: Day
) -> None:
    """That nothing is known for now is no refusal of the stop: it is due again with the line."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.quiet()
    perm_ids = [day.order(ref).perm_id for ref in ("stop", "target")]
    acts = day.exchange.broker_acts
    day.server.act(
        lambda _, now: [e for perm_id in perm_ids for e in acts.time_out(perm_id, now=now)]
    )
    if later:
        await day.wait(later)
    inject_now(day, "1100 work")
    await day.quiet()
    await back(day, after=5, within=10)
    assert not day.news(ev.DenyEvent)
    assert day.ledger.held(AAPL) == 10
    assert sorted(order.terms.order_type for order in day.ledger.live(AAPL)) == ["LMT", "STP"]
    assert not nakedness(day, AAPL)


@pytest.mark.parametrize("beat", range(5))
async def test_both_exits_trade_and_the_line_goes_at_any_heartbeat_after(
    beat: int, day: Day
) -> None:
    """Closing what is too many is put off like anything else, not given up."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.others(lambda now: day.exchange.broker_acts.slow_oca(1, 2, 3, now=now))
    await day.both_trade("stop", "target")
    assert day.ledger.held(AAPL) == -10
    for number in range(5):
        day.clock.advance_to(day.clock.now() + BEAT)
        day.time.passed += BEAT.total_seconds()
        day.server.pulse()
        if number == beat:
            inject_now(day, "1100 work")
        await day.quiet()
    await back(day, after=5, within=20)
    assert not day.news(ev.DenyEvent)
    assert day.ledger.held(AAPL) == 0
    assert not day.ledger.live(AAPL)


async def test_a_bracket_of_which_all_went_by_hand_unheard_stands_in_nobody_s_way(
    tmp_path: Path,
) -> None:
    """No execution will ever tell its group that nothing is left: that it is flat does."""
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            orders = await desk.submit_group(bracket(), wait=Wait.FILLED)
        for order in orders[1:]:
            inject_now(day, f"hand cancel {order.order_id}")
        inject_now(day, "hand close AAPL")
        inject_now(day, "midnight-rollover")  # what was executed is not told any more
        assert day.ledger.held(AAPL) == 0
        async with day.open_desk() as desk:
            assert day.news(ev.DriftEvent)
            assert not desk.trader.groups.misled
            await day.wait(20)  # the same order at once would be taken for a slip
            await desk.submit_group(bracket(), wait=Wait.FILLED)
            await day.quiet()
            assert day.ledger.held(AAPL) == 10
            assert not nakedness(day, AAPL)
