"""1.H: what feeds itself, if nobody bounds it: a refusal that is answered with an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.cover_orders import Policy
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.judges import repeats
from tests.bad_days.requests import bracket, single, trail
from tests.bad_days.stage import AAPL, Day, a_day

if TYPE_CHECKING:
    from pathlib import Path

MOST_A_MINUTE = 12  # messages that one position may set off; a managed trail tries each 5 s
MOST = 9  # in all: three times by the group, three times by the policy, with room made for it
NO = rules.Reject(code=201, text="Order rejected - reason:No.")


def busiest_minute(day: Day, since: int) -> int:
    """The most orders and changes that left within any one minute, after the first `since`."""
    sent = [entry.at for entry in day.wire.sent("placeOrder", "modifyOrder", "cancelOrder")][since:]
    return max((sum(0 <= (b - a).total_seconds() < 60 for b in sent) for a in sent), default=0)


def sent(day: Day) -> int:
    return len(day.wire.sent("placeOrder", "modifyOrder", "cancelOrder"))


@pytest.mark.parametrize("policy", list(Policy))
async def test_f_h09_a_stop_that_is_refused_for_ever_sets_off_no_storm(
    tmp_path: Path, policy: Policy
) -> None:
    async with a_day(tmp_path) as day, day.open_desk(policy=policy) as desk:
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        day.faults.arm(Fault(when=When(names=("placeOrder",), times=0), act=NO))
        before = sent(day)
        await day.broker_cancel("stop")
        await day.wait(300, step=10)
        assert sent(day) - before <= MOST
        assert day.ledger.held(AAPL) == 10
        assert not repeats(day)


@pytest.mark.parametrize("policy", list(Policy))
async def test_f_h09_a_stop_that_somebody_cancels_again_and_again(
    tmp_path: Path, policy: Policy
) -> None:
    async with a_day(tmp_path) as day, day.open_desk(policy=policy) as desk:
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        before = sent(day)
        for _ in range(40):
            stops = [one for one in day.ledger.live(AAPL) if one.terms.order_type == "STP"]
            for stop in stops:
                await day.hand_cancel(stop.terms.order_ref)
            await day.wait(5)
        assert sent(day) - before <= MOST
        assert not repeats(day)


async def test_f_h09_a_trail_whose_changes_are_refused_does_not_hammer(day: Day) -> None:
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.accepted(trail(is_managed=True))
    day.faults.arm(Fault(when=When(names=("modifyOrder",), times=0), act=NO))
    before = sent(day)
    await day.rise("150", "160", steps=120)
    assert sent(day) > before
    assert busiest_minute(day, before) <= MOST_A_MINUTE
    (stop,) = day.ledger.live(AAPL)
    assert stop.stop_price is not None
    assert stop.stop_price < 150
