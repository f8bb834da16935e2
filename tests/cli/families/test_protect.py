"""`cover` says what no stop would end, and puts it right; `undo` brings back what was cancelled."""

from __future__ import annotations

from tests.cli.conftest import CommandLine
from tests.cli.families.test_orders import BRACKET
from tests.cli.families.test_revise import working

BUY = "order --symbol AAPL --side buy --no-stop --quantity 5 --type market --wait filled"


def test_cover_is_content_with_nothing_held_and_with_a_bracket(cli: CommandLine) -> None:
    nothing = cli("cover")
    assert (nothing.code, "no positions" in nothing.out) == (0, True), nothing
    assert cli(BRACKET).code == 0
    done = cli("cover --json")
    assert done.code == 0, done
    assert done.document["is_covered"] is True
    (held,) = done.document["positions"]
    assert (held["covered"], held["coverage"], held["surplus"]) == ("10", "1.00", "0")


def test_a_naked_position_is_exit_7_until_it_is_fixed_once(cli: CommandLine) -> None:
    assert cli(BUY).code == 0
    bare = cli("cover")
    assert bare.code == 7
    assert "░░░░░░░░ 0 %" in bare.out
    assert "Next: ibkr-trader cover --fix" in bare.out
    assert max(map(len, bare.out.splitlines())) <= 80
    assert working(cli) == {}
    would = cli("cover --fix --dry-run")
    assert would.code == 7
    assert "would be done: AAPL: a stop for 5 at" in would.out
    assert working(cli) == {}
    fixed = cli("cover --fix --json")
    assert fixed.code == 0, fixed
    stop = working(cli)["stop"]
    assert (stop["quantity"], stop["type"], stop["time_in_force"]) == ("5", "STOP", "GTC")
    assert cli("cover --fix --json").document["done"] == []
    assert cli(BUY.replace("--quantity 5", "--quantity 4")).code == 0
    grown = cli("cover --fix --json")
    assert grown.code == 0, grown
    assert {one["quantity"] for one in working(cli).values()} == {"9"}


def test_the_exits_of_a_bracket_come_back_as_a_pair(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("cancel --all").code == 0
    assert cli("cover").code == 7
    would = cli("undo --dry-run")
    assert would.code == 0, would
    assert working(cli) == {}
    done = cli("undo --json")
    assert done.code == 0, done
    after = working(cli)
    assert (after["stop"]["stop_price"], after["target"]["limit_price"]) == ("145", "155")
    assert after["stop"]["oca_group"] == after["target"]["oca_group"] != ""
    assert cli("cover").code == 0
    again = cli("undo --json")
    assert (again.code, again.document["sent"]) == (0, False), again
    assert working(cli).keys() == after.keys()


def test_one_exit_cancelled_by_mistake_joins_the_other_again(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    before = working(cli)
    for role in ("stop", "target"):
        other = "target" if role == "stop" else "stop"
        kept = working(cli)[other]["id"]
        assert cli(f"cancel {working(cli)[role]['id']}").code == 0
        assert cli("undo --dry-run").code == 0
        assert role not in working(cli)
        done = cli("undo --json")
        assert done.code == 0, done
        after = working(cli)
        assert after[other]["id"] == kept  # nothing was taken away for it
        assert after["stop"]["oca_group"] == after["target"]["oca_group"]
        assert {one["quantity"] for one in after.values()} == {"10"}
        assert cli("cover").code == 0
    assert working(cli)["stop"]["stop_price"] == before["stop"]["stop_price"]


def test_a_single_order_comes_back_once(cli: CommandLine) -> None:
    nothing = cli("undo")
    assert (nothing.code, "nothing to undo" in nothing.out) == (0, True), nothing
    placed = cli(
        "order --symbol MSFT --side buy --no-stop --quantity 5 --type limit --limit 410 --json"
    )
    order_id = placed.document["orders"][0]["id"]
    assert cli(f"cancel {order_id}").code == 0
    done = cli("undo --json")
    assert done.code == 0, done
    assert done.document["undone"] == [order_id]
    (one,) = done.document["orders"]
    assert (one["limit_price"], one["quantity"], one["id"] != order_id) == ("410", "5", True)
    again = cli("undo")
    assert (again.code, f"already undone: {one['id']}" in again.out) == (0, True)
    assert len(working(cli)) == 1


def test_what_has_nothing_to_end_any_more_is_not_placed(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("cancel --all").code == 0
    assert cli("close AAPL").code == 0
    done = cli("undo --json")
    assert done.code == 7, done
    assert "AAPL is not held any more" in done.document["error"]["message"]
    assert working(cli) == {}


def test_a_look_sends_nothing_and_a_change_clears_up(cli: CommandLine) -> None:
    """Exits whose position somebody has closed in TWS."""
    assert cli(BRACKET).code == 0
    assert cli("gateway inject hand close AAPL").code == 0
    for line in (
        "positions",
        "orders",
        "status",
        "cancel --all --dry-run",
        "cover --fix --dry-run",
    ):
        cli(line)
        assert working(cli).keys() == {"stop", "target"}
    bare = cli("cover --json")
    assert (bare.code, bare.document["positions"]) == (7, [])
    (orphans,) = bare.document["orphans"]
    assert (orphans["symbol"], orphans["surplus"], len(orphans["orders"])) == ("AAPL", "10", 2)
    assert (
        cli("order --symbol MSFT --side buy --no-stop --quantity 1 --type limit --limit 400").code
        == 0
    )
    assert working(cli).keys() == {"single"}
    assert cli("cover").code == 0


def test_status_names_what_is_not_covered(cli: CommandLine) -> None:
    assert cli("status --json").document["unprotected"] == []
    assert cli(BUY).code == 0
    assert cli("status --json").document["unprotected"] == ["AAPL"]
    assert "NOT COVERED" in cli("status").out
    assert "Next: ibkr-trader cover --fix" in cli("positions").out
    assert working(cli) == {}
