"""What a group could not have is said as a person reads it: what, why, and where to look."""

from __future__ import annotations

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.execution.command_words import asked, denial
from ibkr_trader.risk.verdict import Denied
from tests.orders.samples import AT, bracket_specs

ENTRY, TARGET, STOP = bracket_specs()
GROUP = GroupId("memo-1")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (SubmitOrders(group_id=GROUP, orders=(STOP,)), "the order SELL 10 AAPL STOP"),
        (
            SubmitOrders(group_id=GROUP, orders=(ENTRY, TARGET)),
            "the order BUY 10 AAPL LIMIT, SELL 10 AAPL LIMIT",
        ),
        (ModifyOrder(order_id=OrderId("memo-1-stop")), "the change of 1-stop"),
        (CancelOrder(order_id=OrderId("memo-1-stop")), "the cancel of 1-stop"),
    ],
)
def test_a_command_is_the_subject_of_a_sentence(command: Command, words: str) -> None:
    assert asked(command) == words


def test_a_denial_says_what_why_and_where_to_look() -> None:
    command = SubmitOrders(group_id=GROUP, orders=(STOP,))
    breaches = (
        ev.Breach(check="reduce_only", message="It is meant to close only."),
        ev.Breach(check="tick", message="No such price."),
    )
    assert denial(command, Denied(command=command, at=AT, breaches=breaches)) == (
        "the order SELL 10 AAPL STOP was denied: It is meant to close only; No such price; "
        "nothing was sent; ibkr-trader reconcile shows what is left to do"
    )
