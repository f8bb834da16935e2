"""What one command placed, another changes, cancels or closes."""

from __future__ import annotations

from tests.cli.conftest import CommandLine
from tests.cli.families.test_orders import BRACKET


def working(cli: CommandLine) -> dict[str, dict[str, object]]:
    return {str(order["role"]): order for order in cli("orders --json").document["orders"]}


def test_a_stop_is_moved_and_stays_moved(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    stop = working(cli)["stop"]
    done = cli(f"modify {stop['id']} --stop 147.50 --json")
    assert done.code == 0, done
    assert done.document["order"]["stop_price"] == "147.5"
    assert done.document["before"]["stop_price"] == "145"
    assert working(cli)["stop"]["stop_price"] == "147.5"


def test_a_dry_run_changes_nothing(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    before = working(cli)
    for line in (
        f"modify {before['stop']['id']} --stop 147.50",
        "cancel --all",
        "close AAPL",
    ):
        code, out, _ = cli(f"{line} --dry-run")
        assert code == 0
        assert "would " in out
        assert "Nothing was sent." in out
    after = working(cli)
    assert {role: one["stop_price"] for role, one in after.items()} == {
        role: one["stop_price"] for role, one in before.items()
    }


def test_cancelled_orders_are_gone(cli: CommandLine) -> None:
    placed = cli(
        "order --symbol MSFT --side buy --no-stop --quantity 5 --type limit --limit 410 --json"
    )
    order_id = placed.document["orders"][0]["id"]
    done = cli(f"cancel {order_id} --json")
    assert done.code == 0, done
    assert done.document["orders"][0]["status"] == "CANCELLED"
    assert working(cli) == {}
    assert "nothing to cancel" in cli(f"cancel {order_id} --dry-run").out
    again = cli(f"cancel {order_id} --json")  # cancelling twice is harmless
    assert again.code == 0
    assert again.document["orders"][0]["status"] == "CANCELLED"
    (past,) = cli("orders --all --json").document["orders"]
    assert (past["id"], past["status"]) == (order_id, "CANCELLED")
    assert cli(f"orders {order_id} --json").document["orders"] == [past]
    nothing = cli("cancel --all")
    assert nothing.code == 0
    assert "nothing to cancel" in nothing.out


def test_only_the_symbol_that_was_named_is_cancelled(cli: CommandLine) -> None:
    for symbol, limit in (("MSFT", "410"), ("AAPL", "148")):
        line = (
            f"order --symbol {symbol} --side buy --no-stop"
            f" --quantity 5 --type limit --limit {limit}"
        )
        assert cli(line).code == 0
    assert cli("cancel --symbol MSFT").code == 0
    left = cli("orders --json").document["orders"]
    assert [order["symbol"] for order in left] == ["AAPL"]


def test_which_one_must_be_said(cli: CommandLine) -> None:
    for line in ("cancel", "cancel x --all", "close", "close AAPL --all", "modify x"):
        code, _, err = cli(line)
        assert code == 2
        assert "fix: ibkr-trader " in err


def test_close_ends_flat_without_orphans(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    done = cli("close AAPL --json")
    assert done.code == 0, done
    assert done.document["is_flat"] is True
    assert cli("positions --json").document["positions"] == []
    assert working(cli) == {}
    again = cli("close AAPL")
    assert again.code == 0
    assert "flat already" in again.out


def test_a_symbol_that_is_not_held_is_answered_with_what_is(cli: CommandLine) -> None:
    assert "flat already; nothing was sent" in cli("close APPL").out
    assert cli("order --symbol AAPL --side buy --no-stop --quantity 1 --wait filled").code == 0
    assert cli("close APPL").out.endswith("APPL is flat already; nothing was sent\nHeld: AAPL\n")


def test_the_loss_of_a_stop_that_was_placed_alone_is_told(cli: CommandLine) -> None:
    assert cli("order --symbol AAPL --side buy --no-stop --quantity 1 --wait filled").code == 0
    stop = "order --symbol AAPL --side sell --quantity 1 --type stop --stop 140"
    assert cli(stop).code == 0
    assert "Not protected any more: +1 AAPL." in cli("cancel --all").out


def test_a_group_is_cancelled_whole(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    group = str(working(cli)["stop"]["group"])
    would = cli("cancel 1 --dry-run")
    assert would.code == 0
    assert would.out.count("would cancel") == 2
    code, out, err = cli("cancel 1")
    assert code == 0, err
    assert "2 of 2 cancelled" in out
    assert "+10 AAPL. Next: ibkr-trader undo  ibkr-trader close AAPL" in out
    assert working(cli) == {}
    assert "nothing to cancel" in cli(f"cancel {group}").out
    entry = f"{BRACKET} --limit 149 --quantity 5"  # the last --quantity counts
    assert cli(entry).code == 0
    whole = cli("cancel 2 --json").document["orders"]
    assert {(order["role"], order["status"]) for order in whole} == {
        ("entry", "CANCELLED"),
        ("target", "CANCELLED"),
        ("stop", "CANCELLED"),
    }


def test_a_change_needs_one_order_and_says_which_there_are(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    for line, fix in (
        ("modify 1 --stop 147", "modify 1-stop --stop 147"),
        ("modify 1 --limit 156", "modify 1-target --limit 156"),
        ("modify --quantity 1 1", "modify --quantity 1 1-target"),
    ):
        code, out, err = cli(line)
        assert (code, out) == (2, "")
        assert "1-stop" in err
        assert "1-target" in err
        assert f"fix: ibkr-trader {fix}" in err
    assert cli("modify 1-s --stop 147").code == 0
    assert cli("cancel 1-").code == 2  # the beginning of several is no group


def test_a_class_of_shares_is_named_with_a_point(cli: CommandLine) -> None:
    assert cli("order --symbol BRK.B --side buy --no-stop --quantity 1 --wait filled").code == 0
    (held,) = cli("positions --symbol BRK.B --json").document["positions"]
    assert held["quantity"] == "1"
    assert cli("close BRK.B --json").document["closed"] == [held["symbol"]]


def test_a_preview_neither_counts_nor_is_counted(cli: CommandLine) -> None:
    (cli.folder / "config.toml").write_text("[risk]\nmax_openings_per_second = 1\n")
    line = "order --symbol AAPL --side buy --no-stop --type limit --limit 149 --quantity"
    assert cli(f"{line} 3").code == 0
    for _ in range(2):
        assert cli(f"{line} 4 --dry-run").code == 0


def test_what_is_over_is_said_to_be_and_as_what(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    assert cli("cancel 1-stop").code == 0
    for line in (
        "modify 1-stop --stop 140",
        "modify 1-stop --stop 140 --dry-run",
        "trail 1-stop --trail-percent 2",
        "trail 1-stop --off",
    ):
        code, _, err = cli(line)
        assert code == 2, line
        assert "1-stop is CANCELLED" in err, line
    assert "1-entry is FILLED" in cli("modify 1-entry --quantity 5").err
    assert "order 9-stop is unknown" in cli("modify 9-stop --stop 140").err
