"""Orders placed by one process are there for the next: real commands, a real socket."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import CommandLine, Shell

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"


def test_the_bracket_of_the_readme(shell: Shell) -> None:
    """Each command is a process of its own, and so is the gateway."""
    cli = shell
    code, out, err = cli(BRACKET)
    assert code == 0, err
    assert "SIM SIM0000001  bracket" in out
    assert "FILLED" in out or "SUBMITTED" in out
    assert "target +" in out
    assert "stop -" in out

    orders = cli("orders --json").document["orders"]
    assert {order["role"] for order in orders} == {"target", "stop"}
    assert {order["time_in_force"] for order in orders} == {"GTC"}
    (position,) = cli("positions --json").document["positions"]
    assert (position["quantity"], position["is_covered"]) == ("10", True)
    assert (position["stop"], position["target"]) == ("145", "155")
    (fill,) = cli("fills --json").document["fills"]
    assert fill["quantity"] == "10"
    assert fill["commission"] is not None

    # The simulator's account outlives the simulator.
    assert cli("gateway stop").code == 0
    again = cli("orders --json").document["orders"]
    assert [order["id"] for order in again] == [order["id"] for order in orders]
    assert again[0]["perm_id"] == orders[0]["perm_id"]


def test_a_dry_run_sends_nothing(cli: CommandLine) -> None:
    code, out, _ = cli(f"{BRACKET} --dry-run")
    assert code == 0
    assert "Nothing was sent." in out
    document = cli(f"{BRACKET} --dry-run --json").document
    assert document["schema"] == "ibkr-trader/preview/1"
    assert document["sent"] is False
    assert [order["role"] for order in document["orders"]] == ["entry", "target", "stop"]
    assert cli("orders --all --json").document["orders"] == []


def test_the_exits_last_as_long_as_asked(cli: CommandLine) -> None:
    orders = cli(f"{BRACKET} --exit-tif day --dry-run --json").document["orders"]
    assert {order["role"]: order["time_in_force"] for order in orders[1:]} == {
        "target": "DAY",
        "stop": "DAY",
    }
    now_or_never = cli(f"{BRACKET} --exit-tif fok --json")
    assert now_or_never.code == 2
    assert "DAY or GTC" in now_or_never.document["error"]["message"]


def test_a_bracket_with_several_targets(cli: CommandLine) -> None:
    line = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145"
    code, out, _ = cli(f"{line} --take-profit 155:6 --take-profit 160 --dry-run")
    assert code == 0
    assert [row.split() for row in out.splitlines()[1:7]] == [
        ["ROLE", "SIDE", "QTY", "TYPE", "PRICE", "TIF"],
        ["entry", "BUY", "10", "MARKET", "–", "DAY"],
        ["target", "SELL", "6", "LIMIT", "155.00", "GTC"],
        ["stop", "SELL", "6", "STOP", "145.00", "GTC"],
        ["target", "SELL", "4", "LIMIT", "160.00", "GTC"],
        ["stop", "SELL", "4", "STOP", "145.00", "GTC"],
    ]
    assert "target 6 +" in out
    assert "target 4 +" in out
    assert max(map(len, out.splitlines())) <= 88
    document = cli(f"{line} --take-profit 155 --take-profit 160 --json").document
    exits = document["orders"][1:]
    assert [order["quantity"] for order in exits] == ["5", "5", "5", "5"]
    assert exits[0]["oca_group"] == exits[1]["oca_group"] != exits[2]["oca_group"]
    (position,) = cli("positions --json").document["positions"]
    assert position["is_covered"]


def test_a_trail_may_be_the_stop_and_what_to_mind_is_noted(cli: CommandLine) -> None:
    line = "bracket-order --symbol AAPL --quantity 10 --take-profit 155:4 --trail-percent 2"
    code, out, _ = cli(f"{line} --exit-tif day --outside-rth --dry-run")
    assert code == 0
    assert "trail 2%" in out
    assert "DAY ext" in out
    assert "The stop lasts for the day: what is held overnight will have none." in out
    assert "6 have no target: their stop ends them." in out
    assert "trail -" in out
    code, _, err = cli("bracket-order --symbol AAPL --quantity 10 --take-profit 155")
    assert code == 2
    assert "a bracket needs one of --stop-loss, --trail-amount and --trail-percent" in err


@pytest.mark.parametrize("line", ["--dry-run", ""])
def test_a_denial_has_every_reason(cli: CommandLine, line: str) -> None:
    done = cli(f"order --symbol AAPL --side buy --no-stop --quantity 1000 --json {line}")
    assert done.code == 6
    error = done.document["error"]
    assert error["code"] == "risk_denied"
    assert len(error["reasons"]) > 1
    assert {"check", "message", "limit", "actual"} <= set(error["reasons"][0])
    assert cli("fills --json").document["fills"] == []


def test_single_orders(cli: CommandLine) -> None:
    limit = cli(
        "order --symbol MSFT --side buy --no-stop --quantity 5 --type limit --limit 410 --json"
    )
    assert limit.code == 0, limit
    (order,) = limit.document["orders"]
    assert (order["type"], order["limit_price"], order["status"]) == ("LIMIT", "410", "SUBMITTED")
    filled = cli(
        "order --symbol AAPL --side buy --no-stop --quantity 1 --wait filled --json"
    ).document
    assert filled["orders"][0]["status"] == "FILLED"


@pytest.mark.parametrize("tif", ["ioc", "fok"])
def test_an_order_that_could_not_wait_is_not_working(cli: CommandLine, tif: str) -> None:
    line = (
        f"order --symbol MSFT --side buy --no-stop"
        f" --quantity 5 --type limit --limit 410 --tif {tif}"
    )
    code, out, _ = cli(line)
    assert code == 7
    assert "Not working: " in out


@pytest.mark.parametrize(
    "line",
    [
        "order --symbol AAPL --side buy --no-stop --quantity 1 --type limit",
        "order --symbol AAPL --side buy --no-stop --quantity 1 --type market --limit 150",
        "order --symbol AAPL --side buy --no-stop --quantity 1 --type stop",
        "order --symbol ZZZZ --side buy --no-stop --quantity 1",
        "quote ZZZZ",
        "orders nothing-like-it",
        "modify nothing-like-it --limit 3",
        "cancel nothing-like-it",
    ],
)
def test_what_contradicts_itself_or_is_unknown_is_usage(cli: CommandLine, line: str) -> None:
    done = cli(f"{line} --json")
    assert done.code == 2, done
    assert done.document["error"]["message"]


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        (
            "bracket-order --symbol AAPL --quantity 10 --stop-loss 160 --take-profit 165",
            "use --stop-loss below 1",
        ),
        (
            "bracket-order --symbol AAPL --quantity 10 --stop-loss 130 --take-profit 140",
            "use --take-profit above 1",
        ),
        (
            "order --symbol AAPL --side sell --no-stop --quantity 10 --type stop --stop 160",
            ", or --side buy",
        ),
    ],
)
def test_a_stop_on_the_wrong_side_of_the_market_has_a_fix(
    cli: CommandLine, line: str, fix: str
) -> None:
    code, _, err = cli(line)
    assert code == 6
    assert fix in err.split("fix: ", 1)[1]


def test_nobody_listens(cli: CommandLine) -> None:
    cli.env |= {"IBKR_PROFILE": "paper", "IBKR_PORT": "9"}
    code, out, err = cli(BRACKET)
    assert (code, out) == (4, "")
    assert "127.0.0.1:9" in err
    assert "fix: start TWS" in err
    assert "port 9" in err
    assert "gateway start" not in err
    assert cli(f"{BRACKET} --json").document["error"]["code"] == "gateway_unreachable"


def test_the_account_decides_and_not_the_port(cli: CommandLine) -> None:
    port = cli("gateway start --json").document["port"]
    cli.env["IBKR_PORT"] = str(port)
    code, _, err = cli(BRACKET)
    assert code == 3
    assert "error[account_mismatch]" in err


def test_a_data_folder_that_is_none(cli: CommandLine) -> None:
    cli.data.write_text("")
    code, _, err = cli("orders")
    assert code == 3
    assert "error[config]" in err
    assert "--data-dir" in err
    cli.data.unlink()


def test_a_damaged_journal_sends_nothing(cli: CommandLine) -> None:
    assert cli("orders").code == 0
    (cli.data / "sim" / "journal.db").write_bytes(b"")
    done = cli(f"{BRACKET} --json")
    assert done.code == 3
    error = done.document["error"]
    assert error["code"] == "journal"
    assert "damaged" in error["message"]
    assert "mv " in error["hint"]


def test_json_is_one_document_and_nothing_else(cli: CommandLine) -> None:
    for line in ("orders", "positions", "fills", "account", "quote AAPL", "status", "doctor"):
        done = cli(f"{line} --json")
        assert done.code == 0, done
        assert done.out.count("\n") == 1
        document = json.loads(done.out)
        assert document["ok"] is True
        assert document["schema"].startswith("ibkr-trader/")


def test_a_fill_that_does_not_come_in_time_is_incomplete(cli: CommandLine) -> None:
    line = "order --symbol AAPL --side buy --no-stop --quantity 5 --type limit --limit 148"
    done = cli(f"{line} --wait filled --timeout 1 --json")
    assert done.code == 7, done
    assert done.document["ok"] is False
    (order,) = done.document["orders"]
    assert (order["status"], order["filled"]) == ("SUBMITTED", "0")
    (working,) = cli("orders --json").document["orders"]
    assert working["id"] == order["id"], "it works on, and is not sent a second time"
    assert cli(f"cancel {order['id']}").code == 0


# -- opening without a stop ---------------------------------------------------------------------

NAKED = "order --symbol MSFT --side buy --quantity 5 --type limit --limit 410"


def test_an_order_that_opens_without_a_stop_needs_a_word(cli: CommandLine) -> None:
    denied = cli(NAKED)
    assert denied.code == 6
    assert "protective_plan: BUY 5 MSFT opens without a stop" in denied.err
    assert "use --no-stop if that is meant, or ibkr-trader bracket-order" in denied.err
    assert cli("orders --json").document["orders"] == []
    assert cli(f"{NAKED} --no-stop --dry-run").code == 0
    assert cli(f"{NAKED} --no-stop").code == 0


def test_the_hint_is_a_command_that_works(cli: CommandLine) -> None:
    hint = cli(f"{NAKED} --json").document["error"]["hint"]
    command = hint.partition(", or ibkr-trader ")[2].replace("PRICE", "390")
    done = cli(f"{command} --take-profit 450")
    assert done.code == 0, done


def test_what_closes_needs_none(cli: CommandLine) -> None:
    assert cli("order --symbol AAPL --side buy --quantity 1 --wait filled --no-stop").code == 0
    assert cli("order --symbol AAPL --side sell --quantity 1 --wait filled").code == 0


def test_it_may_be_switched_off(cli: CommandLine) -> None:
    config = cli.folder / "config.toml"
    config.write_text(config.read_text() + "require_stop = false\n")
    assert cli(NAKED).code == 0


def test_an_option_that_is_none_is_never_mended_into_one_that_is_given(cli: CommandLine) -> None:
    err = cli("order --symbol AAPL --side buy --size 10").err
    assert "No such option: --size" in err
    assert "--side 10" not in err
    assert "fix: ibkr-trader order --symbol" in err
    near = cli("order --symbol AAPL --side buy --quantty 10 --dry-run").err
    assert "fix: ibkr-trader order --symbol AAPL --side buy --quantity 10 --dry-run" in near
