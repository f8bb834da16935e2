"""Nothing is opened without a way out: an entry needs a stop, or the word that none is meant.

A scale-in is an entry alone, in a group whose stop works and follows each of its fills: that
stop is its way out. The entries of an OCO order have no room for stops, so its very form says
that none are meant; it is told all the same. Real money is never opened without a stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import quantity
from ibkr_trader.orders.oco_orders import KIND as OCO
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.entry_stops import covered, following_stops, is_entry, own_stops
from ibkr_trader.risk.wording import number, order_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView


def _gauge(view: RiskView) -> Iterator[Gauge]:
    note = "an entry needs a stop, or --no-stop"
    if view.arming.is_live:
        note = "an entry needs a stop"
    yield Gauge(
        check="protective_plan", note=note if view.limits.require_stop else "no stop is asked for"
    )


@check("protective_plan", gauge=_gauge)
def protective_plan(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an entry that no stop would end, unless that is meant; warn of one in an OCO order."""
    command = proposal.command
    if not (view.limits.require_stop and isinstance(command, SubmitOrders)) or command.reduces:
        return  # what may open although it claims to reduce is for `reduce_only` to say
    for change in proposal.openings:
        if not is_entry(change):
            continue
        stops = own_stops(change, proposal)
        if stops:
            yield from _partly(change, stops)
        elif not following_stops(change.spec, view):
            yield from _naked(change.spec, command, is_live=view.arming.is_live)


def _partly(change: Change, stops: tuple[OrderSpec, ...]) -> Iterator[Breach]:
    spec, ended = change.spec, covered(stops)
    if ended >= spec.quantity:
        return
    yield Breach(
        check="protective_plan",
        message=f"The stops of {order_words(spec)} would end only {quantity(ended)} of it.",
        limit=number(spec.quantity),
        actual=number(ended),
        hint="give stops for all of it",
    )


def _naked(spec: OrderSpec, command: SubmitOrders, *, is_live: bool) -> Iterator[Breach]:
    instead = _bracket(spec)
    is_oco, is_single = command.kind == OCO, command.kind == OrderRole.SINGLE
    if is_live:
        yield Breach(
            check="protective_plan",
            message=f"{order_words(spec)} has no stop: real money is not opened without one.",
            hint=f"enter with one: {instead}",
        )
    elif is_oco and not command.without_stop:
        yield Breach(
            check="protective_plan",
            message=f"{order_words(spec)} opens without a stop.",
            hint="once it has filled: ibkr-trader cover --fix",
            is_warning=True,
        )
    elif not command.without_stop:
        yield Breach(
            check="protective_plan",
            message=f"{order_words(spec)} opens without a stop: nothing would limit its loss.",
            # Other commands have no such word: they mean a position that is there.
            hint=f"use --no-stop if that is meant, or {instead}" if is_single else instead,
        )


def _bracket(spec: OrderSpec) -> str:
    """The command that enters the same with a stop."""
    at = f" --limit {number(spec.limit_price)}" if spec.limit_price is not None else ""
    return (
        f"ibkr-trader bracket-order --symbol {ticker(spec.contract)} --side {spec.side.lower()} "
        f"--quantity {number(spec.quantity)}{at} --stop-loss PRICE"
    )
