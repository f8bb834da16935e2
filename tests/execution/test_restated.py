"""Which groups are wrong about what they hold, and what is done about it."""

from __future__ import annotations

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import GroupId
from ibkr_trader.execution.restated import RestatedGroups
from ibkr_trader.portfolio.ledger_fold import subject_of
from tests.orders.samples import AAPL, MSFT, later
from tests.portfolio.plan_stage import STOP, bracket

NAMED = STOP.group_id
OTHER = GroupId("memo-9")


def drift(subject: str) -> ev.DriftEvent:
    return ev.DriftEvent(at=later(20), subject=subject, ours="10", theirs="40")


def test_only_groups_that_had_begun_and_are_in_that_contract_are_wrong() -> None:
    restated = RestatedGroups(bracket)
    restated.note(drift(subject_of(MSFT)), [NAMED])
    restated.note(drift(subject_of(AAPL)), [OTHER])
    assert restated.among([NAMED, OTHER]) == ()
    restated.note(drift(subject_of(AAPL)), [NAMED, OTHER])
    assert restated.among([OTHER, NAMED]) == (NAMED,)
    assert (NAMED in restated, OTHER in restated) == (True, False)
    assert restated.untended([OTHER, NAMED]) == (NAMED,)


def test_what_a_checkpoint_knows_is_taken_over_in_the_order_that_is_asked_for() -> None:
    restated = RestatedGroups(bracket)
    restated.recall([NAMED, OTHER])
    assert restated.among([OTHER, NAMED, GroupId("memo-7")]) == (OTHER, NAMED)


def test_where_the_broker_says_otherwise_every_group_is_wrong() -> None:
    state = bracket(ev.DriftEvent(at=later(20), subject=subject_of(AAPL), ours="10", theirs="40"))
    restated = RestatedGroups(lambda: state)
    assert restated.is_wrong(OTHER, AAPL) is (subject_of(AAPL) in state.drift)
    assert not restated.is_wrong(OTHER, MSFT)
    restated.recall([OTHER])
    assert restated.is_wrong(OTHER, MSFT)


def test_of_others_nothing_is_taken_back_and_nothing_is_past() -> None:
    restated = RestatedGroups(bracket)
    assert restated.to_take_back(NAMED) == ()
    assert not restated.is_past(NAMED)
