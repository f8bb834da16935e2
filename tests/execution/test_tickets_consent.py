"""Whoever must agree to a ticket has agreed before it is used up: from there on nobody is asked."""

from __future__ import annotations

import pytest

from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution.consent import asked_by
from ibkr_trader.execution.placing import Prepared, Wait, place, prepare
from ibkr_trader.execution.tickets import Ticket, redeem, reopen
from tests.execution.arming_stage import Desk, Person, arm, live
from tests.execution.parts import request
from tests.execution.test_tickets import HERE, Claims, ticket_of


async def ticket(desk: Desk) -> Ticket:
    return ticket_of(desk.trader, await prepare(desk.trader, request(limit="140")))


async def test_a_person_is_asked_once_and_before_it_is_used_up() -> None:
    async with live() as desk:
        arm(desk)
        person, claims = Person(), Claims()
        one = await ticket(desk)
        with asked_by(person):
            quote = await reopen(desk.trader, one)
            assert len(person.asked) == 1
            made = redeem(desk.trader, one, quote, where=HERE, claim=claims)
            assert isinstance(made, Prepared)
            await place(desk.trader, made, wait=Wait.ACCEPTED, timeout=2)
        assert (len(person.asked), claims.count) == (1, 1)


async def test_what_was_denied_when_one_would_have_been_asked_is_not_used_up() -> None:
    """It was not asked about then; asking after the last look would be too late."""
    async with live() as desk:
        arm(desk)
        person, claims = Person(), Claims()
        one = await ticket(desk)
        with asked_by(person):
            desk.trader.outlook.degrade("the disk is full")
            quote = await reopen(desk.trader, one)
            desk.trader.outlook.degrade("")
            with pytest.raises(RiskCheckError, match="nobody was asked") as refused:
                redeem(desk.trader, one, quote, where=HERE, claim=claims)
            assert refused.value.hint == "repeat the commit"
            assert (person.asked, claims.count) == ([], 0)
            redeem(desk.trader, one, quote, where=HERE, claim=claims, sends=False)
