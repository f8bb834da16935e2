"""`trailing-stop` and `oco-order`: real commands, a real socket."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.cli.conftest import CommandLine

OCO = "oco-order --symbol AAPL --buy-limit 145 --sell-limit 155 --quantity 10"
EXITS = "oco-order --symbol AAPL --sell-limit 170 --sell-stop 140 --quantity 10"
TRAIL = "trailing-stop --symbol AAPL --quantity 10 --trail-percent 2.0"


def hold(cli: CommandLine) -> None:
    line = "order --symbol AAPL --side buy --no-stop --quantity 10 --wait filled --json"
    assert cli(line).document["orders"][0]["status"] == "FILLED"


def test_the_oco_order_of_the_seeds(cli: CommandLine) -> None:
    code, out, err = cli(OCO)
    assert code == 0, err
    assert "OCO " in out
    assert "AAPL, 2 legs" in out
    assert "Entries: they end nothing that is held. A trade cancels the others, at IBKR." in out
    assert re.search(r"ibkr-trader cancel \w+-1\n$", out), "the group's name is all of it"
    orders = cli("orders --json").document["orders"]
    assert [(o["role"], o["side"], o["limit_price"]) for o in orders] == [
        ("entry", "BUY", "145"),
        ("entry", "SELL", "155"),
    ]
    assert {(o["oca_type"], o["time_in_force"]) for o in orders} == {("CANCEL", "DAY")}
    assert len({o["oca_group"] for o in orders}) == 1


def test_exits_of_what_is_held(cli: CommandLine) -> None:
    hold(cli)
    code, out, err = cli(EXITS)
    assert code == 0, err
    assert "Exits of what is held (SELL): a trade reduces the others, at IBKR." in out
    (position,) = cli("positions --json").document["positions"]
    assert (position["stop"], position["target"], position["is_covered"]) == ("140", "170", True)
    orders = cli("orders --json").document["orders"]
    assert {(o["oca_type"], o["time_in_force"]) for o in orders} == {("REDUCE", "GTC")}


def test_several_exits_with_legs(cli: CommandLine) -> None:
    hold(cli)
    line = "oco-order --symbol AAPL --leg sell:limit:165:5 --leg sell:lmt:170:3 --quantity 10"
    code, out, err = cli(f"{line} --leg sell:stop:140 --dry-run")
    assert code == 0, err
    assert "would be sent" in out
    assert "IBKR reduces pro rata" in out
    assert "Nothing was sent." in out
    assert max(map(len, out.splitlines()[1:])) <= 80
    orders = cli(f"{line} --leg sell:trail:2% --oca reduce --on-race keep --exit-tif day --json")
    assert orders.code == 0, orders
    found = [(o["role"], o["type"], o["quantity"]) for o in orders.document["orders"]]
    assert found == [
        ("stop", "TRAIL", "5"),
        ("stop", "TRAIL", "3"),
        ("stop", "TRAIL", "2"),
        ("target", "LIMIT", "5"),
        ("target", "LIMIT", "3"),
    ]
    assert {o["time_in_force"] for o in orders.document["orders"]} == {"DAY"}
    assert orders.document["orders"][0]["trail_percent"] == "2"


def test_exits_and_entries_do_not_mix(cli: CommandLine) -> None:
    hold(cli)
    code, out, err = cli(OCO)
    assert (code, out) == (2, "")
    assert "would end the position" in err
    assert cli("orders --json").document["orders"] == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("oco-order --symbol AAPL --quantity 10", "needs two legs or more, and none is given"),
        ("oco-order --symbol AAPL --quantity 10 --buy-limit 145", "and 1 is given"),
        ("oco-order --symbol AAPL --buy-limit 145 --sell-limit 155", "--quantity is missing"),
        ("oco-order --symbol AAPL --leg sell:limit --leg b", "must be SIDE:TYPE:PRICE[:N]"),
        ("oco-order --symbol AAPL --leg sell:market:1:1 --leg b", "a limit, a stop or a trail"),
        ("oco-order --symbol AAPL --leg x:limit:155:1 --leg b", "none of: buy, sell"),
        ("oco-order --symbol AAPL --leg sell:limit:1,5:1 --leg b", "must have a point"),
        ("oco-order --symbol AAPL --leg sell:limit:5%:1 --leg b", "must be a price"),
        (f"{OCO} --oca both", "none of: cancel, reduce"),
        (f"{OCO} --on-race pray", "none of: flatten, keep"),
        (f"{OCO} --tif ioc", "DAY or GTC"),
        ("trailing-stop --symbol AAPL --quantity 1", "one of them is missing"),
        (f"{TRAIL} --trail-amount 3", "give one of them, not both"),
        (TRAIL, "there is nothing to protect"),
        (f"{TRAIL} --managed --side sell", "a managed trail protects what is held"),
        ("trailing-stop --symbol AAPL --quantity 1 --trail-percent 100", "is no stop"),
    ],
)
def test_what_contradicts_itself_is_usage(cli: CommandLine, line: str, why: str) -> None:
    done = cli(f"{line} --json")
    assert done.code == 2, done
    assert why in done.document["error"]["message"]


def test_a_trail_that_ibkr_keeps(cli: CommandLine) -> None:
    hold(cli)
    done = cli(f"{TRAIL} --json")
    (order,) = done.document["orders"]
    assert (order["type"], order["side"], order["role"]) == ("TRAIL", "SELL", "stop")
    assert (order["trail_percent"], order["time_in_force"]) == ("2", "GTC")
    (position,) = cli("positions --json").document["positions"]
    assert position["is_covered"] is True


def test_a_trail_from_an_activation_price_on(cli: CommandLine) -> None:
    hold(cli)
    line = "trailing-stop --symbol AAPL --quantity 10 --trail-amount 3 --activation-price 170"
    code, out, err = cli(f"{line} --dry-run")
    assert code == 0, err
    assert "until the market is at 170.00; then IBKR trails it." in out
    assert max(map(len, out.splitlines()[1:])) <= 80
    (order,) = cli(f"{line} --stop 140 --tif day --json").document["orders"]
    assert (order["type"], order["stop_price"], order["time_in_force"]) == ("STOP", "140", "DAY")
    assert order["adjustment"]["trigger"] == "170"
    assert order["adjustment"]["type"] == "TRAIL"
    assert Decimal(order["adjustment"]["stop_price"]) == 167


def test_a_trail_that_a_trader_keeps(cli: CommandLine) -> None:
    hold(cli)
    code, out, err = cli(f"{TRAIL} --managed")
    assert code == 0, err
    assert "a running trader keeps it 2.0% behind" in out
    (order,) = cli("orders --json").document["orders"]
    assert order["type"] == "STOP"
    assert order["held_for"] == "trigger"
