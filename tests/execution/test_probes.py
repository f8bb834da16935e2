"""What is asked about lies at the edges of our limits, and nothing of it is ever placed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from ibkr_trader.core.models import Quote
from ibkr_trader.execution.probes import Probe, probe_limits
from ibkr_trader.risk.limits import RiskLimits
from ibkr_trader.sim.precautions import Precautions
from tests.execution.parts import Floor

LIMITS = RiskLimits()


@asynccontextmanager
async def asked(
    precautions: Precautions | None = None, *, limits: RiskLimits = LIMITS
) -> AsyncIterator[list[Probe]]:
    floor = Floor()
    floor.exchange.floor_acts.set_up(precautions or Precautions(), now=floor.clock.now())
    async with floor.trader() as trader:
        details = await trader.learn("AAPL")
        quote = await trader.price(details.contract, timeout=1)
        assert quote is not None
        yield await probe_limits(trader, details, quote, limits=limits, timeout=2)
        assert not floor.exchange.orders.working()
        assert not floor.exchange.orders.completed()
        assert getattr(trader.broker, "sent", 0) == 0


async def test_each_limit_of_ours_is_asked_about_at_its_edge() -> None:
    async with asked() as probes:
        orders = [(p.edge, int(p.spec.quantity), p.spec.limit_price) for p in probes]
        assert orders == [
            ("smallest", 1, Decimal("150.01")),
            ("size", 100, Decimal("150.01")),
            ("value", 66, Decimal("150.01")),
            ("price", 1, Decimal("151.51")),
        ]
        assert all(p.answer is not None and not p.code for p in probes)


@pytest.mark.parametrize(
    ("precautions", "refused"),
    [
        (Precautions(size_limit=Decimal(99)), {"size": 383}),
        (Precautions(size_limit=Decimal(50)), {"size": 383, "value": 383}),
        (Precautions(value_limit=Decimal(9000)), {"size": 451, "value": 451}),
        (Precautions(percentage=Decimal("0.9")), {"price": 163}),
    ],
)
async def test_what_is_refused_has_the_code_and_words_of_tws(
    precautions: Precautions, refused: dict[str, int]
) -> None:
    async with asked(precautions) as probes:
        assert {p.edge: p.code for p in probes if p.code} == refused
        assert len(probes) == 4
        assert all("Precautionary Settings" in p.reason for p in probes if p.code)


async def test_a_read_only_api_is_asked_once() -> None:
    async with asked(Precautions(is_read_only=True)) as probes:
        (only,) = probes
        assert (only.edge, only.code) == ("smallest", 321)


async def test_without_a_price_nothing_is_asked() -> None:
    async with Floor().trader() as trader:
        details = await trader.learn("AAPL")
        bare = Quote(contract=details.contract, at=trader.clock.now())
        assert await probe_limits(trader, details, bare, limits=LIMITS, timeout=1) == []


async def test_a_broker_that_is_gone_is_no_refusal() -> None:
    async with Floor().trader() as trader:
        details = await trader.learn("AAPL")
        quote = await trader.price(details.contract, timeout=1)
        assert quote is not None
        trader.broker.close()  # type: ignore[attr-defined] # the simulator's
        (only,) = await probe_limits(trader, details, quote, limits=LIMITS, timeout=1)
        assert (only.answer, only.code) == (None, 0)
        assert only.reason
