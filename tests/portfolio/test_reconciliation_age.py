"""A journal that is older than the broker's orders: sound in itself, and not the last one."""

from __future__ import annotations

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.portfolio.evidence import Evidence
from ibkr_trader.portfolio.state import PortfolioState
from tests.orders.samples import fill, spec
from tests.portfolio.stage import S, held, settle, snapshot, theirs


@pytest.mark.parametrize(("last", "is_older"), [(None, False), (0, True), (1, False), (2, False)])
@pytest.mark.parametrize("seen", ["open", "completed", "traded"])
def test_a_journal_that_ends_before_what_the_broker_has_seen_is_an_old_one(
    last: int | None, seen: str, *, is_older: bool
) -> None:
    """A backup that was put back: it may have lost a halt, too, so a person has to look."""
    truth = {
        "open": snapshot(theirs(spec())),
        "completed": snapshot(completed_orders=(theirs(spec(), S.CANCELLED),)),
        "traded": snapshot(fills=(fill(10),), positions=(held(10),)),
    }[seen]
    _, outcome = settle(PortfolioState(), truth, Evidence(install="memo", last_group=last))
    found = [e for e in outcome.events if isinstance(e, ev.DriftEvent) and e.needs_look]
    told = [(e.subject, e.ours, e.theirs) for e in found if e.subject == "the journal"]
    assert told == ([("the journal", "ends with order 0", "order 1")] if is_older else [])
