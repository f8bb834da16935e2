"""`--preview` shows everything and sends nothing; `commit` sends exactly that, once, or nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.sim.gateway.background import start_background
from tests.cli.conftest import CommandLine

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
RESTING = "order --symbol AAPL --side buy --no-stop --quantity 2 --type limit --limit 140"


def preview(cli: CommandLine, line: str = BRACKET) -> dict[str, Any]:
    done = cli(f"{line} --preview --json")
    assert done.code == 0, done
    document = done.document
    assert document["schema"] == "ibkr-trader/ticket/1"
    return document


def tickets(cli: CommandLine) -> Path:
    return cli.data / "sim" / "tickets"


def rewrite(cli: CommandLine, token: str, **changes: Any) -> None:
    """Change what a ticket's file says."""
    file = tickets(cli) / f"{token}.json"
    ticket = json.loads(file.read_text())
    for name, value in changes.items():
        if name in ticket["basis"]:
            ticket["basis"][name] = value
        else:
            ticket[name] = value
    file.write_text(json.dumps(ticket))


def reasons(done: Any) -> list[str]:
    assert done.code == 6, done
    return [reason["message"] for reason in done.document["error"]["reasons"]]


def test_a_preview_shows_all_and_sends_nothing(cli: CommandLine) -> None:
    code, out, err = cli(f"{BRACKET} --preview")
    assert code == 0, err
    rows = out.splitlines()
    assert "would be sent" in rows[0]
    assert rows[1].split() == ["ROLE", "SIDE", "QTY", "TYPE", "PRICE", "TIF"]
    assert "target +" in out
    assert "reward to risk" in out
    assert "commission 1.00 USD" in out
    assert "Margin +" in out
    assert ["position_size", "AAPL", "0", "10", "100", "10", "%"] in [row.split() for row in rows]
    assert "Nothing was sent. This is good for 60 s, until 2026-" in rows[-2]
    assert rows[-1].startswith("  ibkr-trader commit ")
    assert cli("orders --all --json").document["orders"] == []
    assert cli("positions --json").document["positions"] == []


def test_the_document_of_a_ticket(cli: CommandLine) -> None:
    ticket = preview(cli)
    assert ticket["sent"] is False
    assert [order["role"] for order in ticket["orders"]] == ["entry", "target", "stop"]
    assert float(ticket["loss"]) < 0 < float(ticket["gain"])
    assert float(ticket["reward_to_risk"]) > 0
    (told,) = ticket["what_if"]
    assert told["commission"] == "1"
    assert float(told["initial_margin_change"]) > 0
    assert (told["refused"], told["unanswered"]) == (None, None)
    sizes = [use for use in ticket["limits"] if use["check"] == "position_size"]
    assert [(use["before"], use["after"]) for use in sizes] == [("0", "10")]
    assert ticket["commit"] == f"ibkr-trader commit {ticket['token']}"
    made = json.loads((tickets(cli) / f"{ticket['token']}.json").read_text())
    assert made["expires_at"] == ticket["expires_at"]
    assert made["command"]["group_id"] == ticket["group"]
    assert (ticket["warnings"], ticket["denials"]) == ([], [])


def test_commit_sends_exactly_that(cli: CommandLine) -> None:
    ticket = preview(cli)
    done = cli(f"commit {ticket['token'].lower()} --wait filled --json")
    assert done.code == 0, done
    placed = done.document
    assert placed["schema"] == "ibkr-trader/placed/1"
    assert placed["group"] == ticket["group"]
    assert [order["id"] for order in placed["orders"]] == [o["id"] for o in ticket["orders"]]
    for name in ("side", "quantity", "type", "limit_price", "stop_price", "time_in_force"):
        assert [o[name] for o in placed["orders"]] == [o[name] for o in ticket["orders"]]
    (position,) = cli("positions --json").document["positions"]
    assert (position["quantity"], position["is_covered"]) == ("10", True)

    again = cli(f"commit {ticket['token']} --json")
    assert again.code == 2
    error = again.document["error"]
    assert error["code"] == "ticket"
    assert "was used already" in error["message"]
    assert ticket["group"] in error["message"]
    assert error["hint"] == "ibkr-trader orders --all"
    assert len(cli("fills --json").document["fills"]) == 1


def test_a_dry_run_of_commit_keeps_the_ticket(cli: CommandLine) -> None:
    token = preview(cli)["token"]
    dry = cli(f"commit {token} --dry-run")
    assert dry.code == 0, dry.err
    assert "Nothing was sent." in dry.out
    assert cli(f"commit {token}").code == 0


def test_other_commands_may_come_between(cli: CommandLine) -> None:
    """Two previews never get one number, nor does an order that is placed meanwhile."""
    first, second = preview(cli), preview(cli, f"{RESTING}".replace("AAPL", "MSFT"))
    other = RESTING.replace("AAPL", "NVDA").replace("140", "100")
    assert cli(other).code == 0
    groups = {first["group"], second["group"]}
    assert len(groups) == 2
    assert cli(f"commit {second['token']}").code == 0
    assert cli(f"commit {first['token']} --wait filled").code == 0
    orders = cli("orders --all --json").document["orders"]
    assert groups < {order["group"] for order in orders}


@pytest.mark.parametrize(
    "line",
    [
        "order --symbol AAPL --side buy --no-stop --quantity 1 --type limit --limit 149",
        "oco-order --symbol AAPL --buy-limit 145 --buy-stop 155 --quantity 2",
    ],
)
def test_every_order_that_is_placed_can_be_previewed(line: str, cli: CommandLine) -> None:
    ticket = preview(cli, line)
    entries = [order for order in ticket["orders"] if order["parent"] is None]
    assert [told["id"] for told in ticket["what_if"]] == [order["id"] for order in entries]
    done = cli(f"commit {ticket['token']} --json")
    assert done.code == 0, done
    assert done.document["group"] == ticket["group"]


def test_exits_and_additions_can_be_previewed(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    more = preview(cli, "scale-in AAPL --quantity 5")
    assert len(more["orders"]) == 1
    done = cli(f"commit {more['token']} --json")
    assert done.code == 0, done
    assert done.document["schema"] == "ibkr-trader/scaled/1"
    assert {order["quantity"] for order in done.document["orders"][1:]} == {"15"}
    assert cli("close AAPL").code == 0

    assert cli("order --symbol AAPL --side buy --no-stop --quantity 4 --wait filled").code == 0
    trail = preview(cli, "trailing-stop --symbol AAPL --quantity 4 --trail-percent 2")
    assert cli(f"commit {trail['token']}").code == 0
    (position,) = cli("positions --json").document["positions"]
    assert position["is_covered"]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("commit nope", 2, "'nope' is no ticket"),
        ("commit ZZZZZZZ", 2, "there is no ticket ZZZZZZZ"),
        ("commit", 2, "TOKEN"),
        ("commit ZZZZZZZ --wait never", 2, "--wait"),
        (f"{BRACKET} --preview --dry-run", 2, "--preview or --dry-run, not both"),
        (f"{BRACKET} --quantity 1.5 --preview", 2, "--quantity"),
        ("scale-in AAPL --quantity 5 --preview --dry-run", 2, "not both"),
        ("scale-in AAPL --quantity 5 --preview", 2, "nothing is held in AAPL"),
        (
            "bracket-order --symbol AAPL --quantity 5 --stop-loss 155 --take-profit 145 --preview",
            2,
            "",
        ),
    ],
)
def test_what_is_typed_wrong(line: str, code: int, words: str, cli: CommandLine) -> None:
    done = cli(line)
    assert done.code == code, done
    assert words in done.err
    assert not list(tickets(cli).glob("*"))


def test_what_would_be_denied_is_shown_and_has_no_token(cli: CommandLine) -> None:
    line = "bracket-order --symbol AAPL --quantity 5000 --stop-loss 145 --take-profit 155 --preview"
    code, out, err = cli(line)
    assert code == 6, err
    assert "would not be sent" in out.splitlines()[0]
    assert "denied: order_quantity: " in out
    assert "  fix: " in out
    assert out.splitlines()[-1] == "Nothing was sent, and there is no ticket."
    document = cli(f"{line} --json").document
    assert (document["ok"], document["token"], document["commit"]) == (False, None, None)
    assert document["what_if"] == []
    assert {reason["check"] for reason in document["denials"]} >= {"order_quantity"}
    assert not list(tickets(cli).glob("*"))


def test_a_halted_desk_shows_why(cli: CommandLine) -> None:
    token = preview(cli)["token"]
    assert cli("halt --reason enough --yes").code == 0
    shown = cli(f"{BRACKET} --preview")
    assert shown.code == 6
    assert "denied: trading_state: " in shown.out
    (said, *_) = reasons(cli(f"commit {token} --json"))
    assert said.startswith("The trading state was ACTIVE and is HALTED")
    assert cli("orders --all --json").document["orders"] == []


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-11-26T10:00:00-05:00", "The market is closed today, Thursday"),
        ("2026-11-25T15:40:00-05:00", "The market closes in 20 minutes, at 16:00"),
        ("2026-11-25T15:40:00-05:00", "After today the market rests for a day"),
        ("2026-11-27T10:00:00-05:00", "AAPL closes early: at 2026-11-27 13:00:00 EST."),
    ],
)
def test_what_the_calendar_says(moment: str, words: str, cli: CommandLine) -> None:
    folder = cli.data / "sim" / "gateway"
    folder.mkdir(parents=True)
    start_background(state_dir=folder, at=datetime.fromisoformat(moment))
    shown = cli(f"{BRACKET} --preview")
    assert f"note: {words}" in shown.out
    assert "A half day" not in shown.out, "the guard has said so, and once is enough"
    assert shown.code == (6 if "closed" in words else 0)


def test_a_minute_later_it_is_void(cli: CommandLine) -> None:
    token = preview(cli)["token"]
    ticket = json.loads((tickets(cli) / f"{token}.json").read_text())
    back = {
        name: (datetime.fromisoformat(ticket[name]) - timedelta(seconds=61)).isoformat()
        for name in ("made_at", "expires_at")
    }
    rewrite(cli, token, **back)
    done = cli(f"commit {token}")
    assert done.code == 2
    assert "expired" in done.err
    assert cli("orders --all --json").document["orders"] == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("held", "5", "The position was 5 and is 0."),
        ("mark", "140", "The market moved"),
        ("profile", "paper", "The profile was paper and is sim."),
        ("account", "SIM0000002", "The account was SIM0000002 and is SIM0000001."),
        ("config", "0", "The settings are not those of the preview."),
        ("limits", "0", "The limits in force have changed."),
        ("state", "REDUCING", "The trading state was REDUCING and is ACTIVE."),
        ("orders", {"k7qav-1-stop": "SELL 5 STOP 140.00"}, "does not work any more."),
    ],
)
def test_a_picture_that_is_not_the_present_one(
    name: str, value: Any, words: str, cli: CommandLine
) -> None:
    token = preview(cli)["token"]
    rewrite(cli, token, **{name: value})
    (said,) = reasons(cli(f"commit {token} --json"))
    assert words in said
    assert cli("orders --all --json").document["orders"] == []
    assert (tickets(cli) / f"{token}.json").exists()  # nothing was used up


def test_what_changed_since_is_named(cli: CommandLine) -> None:
    token = preview(cli)["token"]
    assert cli(RESTING).code == 0
    (said,) = reasons(cli(f"commit {token} --json"))
    assert "(BUY 2 LIMIT 140.00) works, and did not." in said


def test_other_limits_are_another_desk(cli: CommandLine) -> None:
    token = preview(cli)["token"]
    config = cli.folder / "config.toml"
    config.write_text(config.read_text() + "max_position_size = 50\n")
    said = reasons(cli(f"commit {token} --json"))
    assert "The limits in force have changed." in said
    assert "The settings are not those of the preview." in said


def test_a_refusal_by_the_broker_is_shown(cli: CommandLine) -> None:
    assert cli("gateway start").code == 0
    assert cli("gateway inject reject 201 whatIf --text no").code == 0
    shown = cli(f"{BRACKET} --preview")
    assert shown.code == 5, shown
    assert "would be rejected by the broker: 201" in shown.out
    assert not list(tickets(cli).glob("*"))


def test_a_broker_that_does_not_answer_is_no_obstacle(cli: CommandLine) -> None:
    assert cli("gateway start").code == 0
    assert cli("gateway inject swallow whatIf").code == 0
    shown = cli(f"{BRACKET} --preview")
    assert shown.code == 0, shown
    assert "note: The broker does not say what" in shown.out
    assert "  ibkr-trader commit " in shown.out


def test_the_call_names_the_same_desk(cli: CommandLine) -> None:
    shown = cli(f"{BRACKET} --preview --profile sim --data-dir {cli.data}")
    last = shown.out.splitlines()[-1]
    assert last.startswith(f"  ibkr-trader commit --profile sim --data-dir {cli.data} ")
    assert cli(last.strip().removeprefix("ibkr-trader ")).code == 0
