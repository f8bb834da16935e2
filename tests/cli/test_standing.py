"""`status` tells what is not as it should be, also what an earlier command found."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.cli.standing import doubt, lost
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.models import Contract, GroupId, Order, OrderId, OrderSpec
from tests.cli.conftest import CommandLine


def order(status: OrderStatus) -> Order:
    spec = OrderSpec(
        order_id=OrderId("abcde-1-single"),
        group_id=GroupId("abcde-1"),
        role=OrderRole.SINGLE,
        contract=Contract(symbol="AAPL", con_id=265598),
        account="SIM0000001",
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=OrderType.MARKET,
    )
    return Order(spec=spec, status=status)


def test_an_order_that_may_be_live_is_told() -> None:
    unknown = order(OrderStatus.UNKNOWN)
    assert lost([unknown, order(OrderStatus.SUBMITTED)]) == [unknown]
    assert doubt(unknown) == "1-single BUY 10 AAPL MARKET: it may be live. Never repeat it"


def test_a_desk_in_order_says_so(cli: CommandLine) -> None:
    code, out, _ = cli("status")
    assert code == 0
    assert "UNKNOWN" not in out
    assert "drift before" not in out
    document = cli("status --json").document
    assert (document["unknown_orders"], document["drift"], document["recent_drift"]) == ([], [], [])


def test_drift_that_an_earlier_command_found_is_still_told(cli: CommandLine) -> None:
    assert cli("order --symbol AAPL --side buy --no-stop --quantity 10 --wait filled").code == 0
    assert cli("gateway reset --yes").code == 0  # the broker forgets; the journal does not
    assert cli("positions").code == 0  # finds it, and settles for the broker's word
    (drift,) = cli("status --json").document["recent_drift"]
    assert (drift["ours"], drift["theirs"]) == ("10", "0")
    out = cli("status").out
    (line,) = [line for line in out.splitlines() if line.startswith("drift before")]
    assert "ours 10, the broker's 0, at " in line
    assert " EST" in line


def test_it_shows_how_many_messages_an_order_that_traded_took(cli: CommandLine) -> None:
    (row,) = [line for line in cli("status").out.splitlines() if line.startswith("efficiency")]
    assert row.split(None, 1)[1].strip() == "nothing was sent today; 20 is the most"
    assert cli("order --symbol AAPL --side buy --no-stop --quantity 10 --wait filled").code == 0
    resting = "order --symbol AAPL --side buy --no-stop --quantity 10 --type limit --limit 140"
    assert cli(resting).code == 0
    assert cli("cancel --all").code == 0
    (row,) = [line for line in cli("status").out.splitlines() if line.startswith("efficiency")]
    assert row.split(None, 1)[1].strip() == "1.5 messages an order that traded; 20 is the most"
    document = cli("status --json").document["efficiency"]
    assert document == {"ratio": "1.5", "limit": "20", "messages": 3, "traded": 1}


def test_an_alarm_that_is_over_is_not_told_as_if_it_stood(cli: CommandLine) -> None:
    def rows() -> list[str]:
        return [one for one in cli("status").out.splitlines() if one.startswith("ALARM")]

    assert cli("halt --reason odd").code == 0
    (stands,) = rows()
    assert stands.split(None, 1)[1] == "the desk is HALTED: odd"
    assert cli("resume --reason checked --yes").code == 0
    (row,) = rows()
    said = row.split(None, 1)[1]
    assert said == "over: the desk is HALTED: odd"
    assert said in cli("alarms").out, "both say it alike"
