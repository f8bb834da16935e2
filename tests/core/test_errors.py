"""The exceptions: one tree, as it is drawn."""

from __future__ import annotations

import inspect

import pytest

from ibkr_trader.core import errors
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import OrderId
from tests.orders.samples import AAPL

ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_in_the_tree(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.TraderError)
    assert kind.__name__ in (errors.__doc__ or "")


def test_an_error_says_what_to_do_next() -> None:
    error = errors.ConfigError("the port is taken", hint="choose another")
    assert (str(error), error.message, error.hint) == (
        "the port is taken", "the port is taken", "choose another",
    )  # fmt: skip


def test_errors_carry_what_their_handlers_need() -> None:
    breach = Breach(check="size", message="too large")
    assert errors.RiskCheckError("denied", breaches=(breach,)).breaches == (breach,)
    assert errors.AmbiguousContract("which?", candidates=(AAPL,)).candidates == (AAPL,)
    name = OrderId("memo-1-single")
    rejected = errors.OrderRejectedError("no", order_id=name, code=201, reason="margin")
    assert (rejected.order_id, rejected.code, rejected.reason) == (name, 201, "margin")
    unknown = errors.OutcomeUnknown("silence", order_ids=(name,))
    assert (unknown.order_ids, unknown.hint) == ((name,), "ibkr-trader reconcile --plan")
    refused = errors.DataRefused("slower", is_pacing=True, hint="wait")
    assert (refused.is_pacing, refused.hint) == (True, "wait")


def test_a_lost_broker_is_a_connection_error() -> None:
    with pytest.raises(ConnectionError):
        raise errors.BrokerUnavailable("gone")
