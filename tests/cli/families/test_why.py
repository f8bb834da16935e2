"""`why` tells of whatever is on record: of what is closed, people ask most."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.families.test_orders import BRACKET


@pytest.fixture
def closed(cli: CommandLine) -> CommandLine:
    """A command line after a trade, in and out again."""
    assert cli(f"{BRACKET} --wait filled").code == 0
    assert cli("close AAPL").code == 0
    assert cli("orders --json").document["orders"] == []
    return cli


def test_a_closed_order_is_told_by_each_of_its_names(closed: CommandLine) -> None:
    past = closed("orders --all --json").document["orders"]
    (entry,) = [one for one in past if one["role"] == "entry"]
    number = closed("why 1-entry").out.partition("the broker's ")[2].partition(",")[0]
    for name in ("1-entry", "1-ent", entry["id"], number):
        told = closed(f"why {name}")
        assert told.code == 0, told
        for words in (
            "1-entry  BUY 10 AAPL MARKET",
            "FILLED, filled 10 of 10 at 150.01",
            "group 1:\n",
            "1-stop  SELL 10 AAPL STOP 145.00  CANCELLED",
            "filled 1-entry BUY 10 AAPL @ 150.01",
        ):
            assert words in told.out, name
    stop = closed("why 1-stop --json")
    assert stop.code == 0, stop
    assert stop.document["lines"][1] == "CANCELLED, filled 0 of 10"


def test_a_group_is_told_by_its_number_alive_and_closed(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    (held,) = cli("positions --json").document["positions"]
    assert "+10 AAPL at 150.01" in cli(f"why {held['con_id']}").out
    alive = cli("why 1")
    assert alive.code == 0, alive
    assert "1-entry  BUY 10 AAPL MARKET  FILLED, filled 10" in alive.out
    assert "1-target  SELL 10 AAPL LIMIT 155.00  SUBMITTED" in alive.out
    assert cli("close AAPL").code == 0
    full = cli("orders --all --json").document["orders"][0]["group"]
    for name in ("1", full):
        told = cli(f"why {name}").out
        assert "1-target  SELL 10 AAPL LIMIT 155.00  CANCELLED" in told
        for words in ("sent 1-stop SELL 10 AAPL STOP 145.00", "filled 1-entry BUY 10 AAPL @"):
            assert words in told, name
        assert "2-close" not in told


def test_a_symbol_that_is_flat_tells_its_latest_orders_and_names_the_others(
    closed: CommandLine,
) -> None:
    told = closed("why aapl")
    assert told.code == 0, told
    assert "before it: 1; ibkr-trader why 1" in told.out
    assert "2-close  SELL 10 AAPL MARKET" in told.out
    assert "FILLED, filled 10 of 10 at 149.99" in told.out
    assert closed("why MSFT").code == 2


def test_a_symbol_of_which_something_else_is_told_has_its_orders_too(closed: CommandLine) -> None:
    assert closed(f"{BRACKET} --quantity 5000").code == 6
    told = closed("why AAPL").out
    assert told.count("denied") >= 2, "once in the story, once in the order's own history"
    assert "before it: 1, 2; ibkr-trader why 2" in told


def test_what_nobody_knows_is_not_on_record(closed: CommandLine) -> None:
    for name in ("99-entry", "99", "nonsense"):
        told = closed(f"why {name}")
        assert told.code == 2
        assert f"nothing on record is about {name}" in told.err


def test_a_beginning_of_several_groups_must_be_said_in_full(closed: CommandLine) -> None:
    install = closed("status --json").document["install"]
    told = closed(f"why {install[:4]}")
    assert told.code == 2
    assert "names several orders; say which: 1-entry" in told.err


def test_what_the_broker_says_again_at_each_look_is_told_once(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    for _ in range(3):
        assert cli("orders").code == 0
    again = cli("why 1-stop").out
    assert again.count("the broker has SELL 10 AAPL STOP 145.00") == 1
    assert again.count("held by the broker (trigger)") == 1
    assert cli("modify 1-stop --stop 146").code == 0
    moved = cli("why 1-stop").out
    assert "the broker has SELL 10 AAPL STOP 146.00" in moved
