from __future__ import annotations

import inspect

import pytest

from ibkr_trader.cli.exits import Exit, Incomplete, Unconfirmed, UsageFault, Verdict, classify
from ibkr_trader.core import errors
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.desk import UnknownOrder


@pytest.mark.parametrize(
    ("error", "code", "number"),
    [
        (UsageFault("x"), "usage", 2),
        (UnknownOrder("x"), "unknown_order", 2),
        (errors.AmbiguousContract("x"), "unknown_contract", 2),
        (errors.ConfigError("x"), "config", 3),
        (errors.JournalError("x"), "journal", 3),
        (errors.AccountMismatch("x"), "account_mismatch", 3),
        (errors.BrokerUnavailable("x"), "gateway_unreachable", 4),
        (
            errors.OrderRejectedError("x", order_id=OrderId("a"), code=201, reason="y"),
            "rejected",
            5,
        ),
        (errors.RiskCheckError("x"), "risk_denied", 6),
        (Incomplete("x"), "incomplete", 7),
        (errors.AccountLocked("x"), "account_locked", 8),
        (Unconfirmed("x"), "confirmation_needed", 9),
        (errors.OutcomeUnknown("x", order_ids=()), "outcome_unknown", 10),
        (errors.InvariantBroken("x"), "bug", 1),
        (errors.SlowConsumer("x"), "bug", 1),
        (ValueError("x"), "bug", 1),
        (KeyError("x"), "bug", 1),
        (OSError("x"), "bug", 1),
    ],
)
def test_every_fault_has_its_number(error: Exception, code: str, number: int) -> None:
    assert classify(error) == (code, number)


def test_no_fault_of_the_tree_is_forgotten() -> None:
    """A new exception either has a row in the table or is knowingly a bug of ours."""
    bugs = {errors.InvariantBroken, errors.SlowConsumer, errors.TraderError}
    # No command waits for a sink; that a message did not get through is part of a reply.
    bugs |= {errors.SinkUnavailable, errors.SinkRefused, errors.NotifyFailed}
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.TraderError) and kind not in bugs:
            assert classify(kind.__new__(kind))[1] is not Exit.BUG, kind


def test_a_verdict_carries_only_its_code() -> None:
    assert Verdict(Exit.INCOMPLETE).exit is Exit.INCOMPLETE
