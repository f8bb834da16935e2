"""`reconcile` shows what differs, and does it only as it was shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.cli.conftest import CommandLine
from tests.cli.families.test_orders import BRACKET
from tests.cli.families.test_protect import BUY
from tests.cli.families.test_revise import working


def by_kind(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["kind"]: step for step in document["steps"]}


def test_nothing_differs_with_nothing_held_and_with_a_bracket(cli: CommandLine) -> None:
    nothing = cli("reconcile")
    assert (nothing.code, "broker and intent agree" in nothing.out) == (0, True), nothing
    assert cli(BRACKET).code == 0
    done = cli("reconcile --plan --json")
    assert done.code == 0, done
    assert (done.document["is_clean"], done.document["steps"]) == (True, [])
    assert (done.document["fine"], done.document["token"]) == (3, None)


def test_what_a_manual_close_left_is_planned_and_taken_away_once(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("gateway inject hand close AAPL").code == 0
    plan = cli("reconcile")
    assert plan.code == 7, plan
    assert "  - cancel orphan 1-target  SELL 10 LIMIT 155.00: nothing is held" in plan.out
    assert working(cli).keys() == {"stop", "target"}
    token = plan.out.split()[-1]
    dry = cli(f"reconcile --apply {token} --dry-run")
    assert dry.code == 7
    assert working(cli).keys() == {"stop", "target"}
    done = cli(f"reconcile --apply {token} --json")
    assert done.code == 0, done
    assert sorted(done.document["done"]) == ["cancel-1-stop", "cancel-1-target"]
    assert working(cli) == {}
    again = cli(f"reconcile --apply {token} --json")
    assert (again.code, again.document["error"]["code"]) == (2, "ticket"), again
    assert "was used already" in again.document["error"]["message"]
    assert cli("reconcile").code == 0


def test_one_step_of_a_plan_leaves_the_others(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("gateway inject hand close AAPL").code == 0
    token = cli("reconcile --json").document["token"]
    wrong = cli(f"reconcile --apply {token} --only cancel-1-entry")
    assert (wrong.code, "there is: cancel-1-stop, cancel-1-target" in wrong.err) == (2, True)
    done = cli(f"reconcile --apply {token} --only cancel-1-target --json")
    assert done.code == 7, done
    assert done.document["done"] == ["cancel-1-target"]


def test_a_world_that_moved_is_named_and_nothing_is_sent(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("gateway inject hand close AAPL 4").code == 0
    plan = cli("reconcile --json")
    assert by_kind(plan.document)["resize"]["words"].endswith("10 -> 6"), plan
    assert cli("gateway inject hand close AAPL 2").code == 0
    refused = cli(f"reconcile --apply {plan.document['token']} --json")
    assert refused.code == 7, refused
    assert "The position in AAPL was 6 and is 4." in refused.document["moved"]
    assert refused.document["sent"] is False
    assert {one["quantity"] for one in working(cli).values()} == {"10"}
    done = cli(f"reconcile --apply {refused.document['token']} --json")
    assert done.code == 0, done
    assert {one["quantity"] for one in working(cli).values()} == {"4"}


def test_a_position_without_a_stop_is_told_or_planned_as_the_settings_say(
    cli: CommandLine,
) -> None:
    assert cli(BUY).code == 0
    told = cli("reconcile --json")
    assert told.code == 7
    assert by_kind(told.document)["naked"]["next"] == "ibkr-trader cover --fix"
    assert told.document["token"] is None
    config = cli.folder / "config.toml"
    config.write_text(f'{config.read_text()}\n[protection]\npolicy = "attach"\n')
    plan = cli("reconcile --json")
    assert by_kind(plan.document)["stop"]["words"].startswith("stop SELL 5 at"), plan
    done = cli(f"reconcile --apply {plan.document['token']} --json")
    assert done.code == 0, done
    assert working(cli)["stop"]["quantity"] == "5"


def test_what_others_hold_and_placed_is_told_and_left_alone(cli: CommandLine) -> None:
    assert cli("status").code == 0
    assert cli("gateway inject hand buy MSFT 7").code == 0
    told = cli("reconcile --json")
    assert told.code == 0, told
    assert by_kind(told.document)["foreign"]["symbol"] == "MSFT"


def test_words_that_do_not_go_together_are_refused(cli: CommandLine) -> None:
    both = cli("reconcile --plan --apply K7QAV2X")
    assert (both.code, "fix: ibkr-trader reconcile --apply K7QAV2X\n" in both.err) == (2, True)
    assert both.err.count("fix:") == 1, "the token alone would be no command"
    assert cli("reconcile --only cancel-1-stop").code == 2
    assert "is no plan" in cli("reconcile --apply what").err


def by_hand(cli: CommandLine, quantity: int = 10, symbol: str = "AAPL") -> None:
    """Buy in TWS."""
    assert cli("status").code == 0
    assert cli(f"gateway inject hand buy {symbol} {quantity}").code == 0


def care(cli: CommandLine) -> str | None:
    (held,) = cli("positions --json").document["positions"]
    found: str | None = held["care"]
    return found


def test_a_position_by_hand_is_adopted_with_a_stop_and_a_target(cli: CommandLine) -> None:
    by_hand(cli)
    told = cli("adopt AAPL")
    assert (told.code, "say where it belongs" in told.err) == (2, True), told
    assert "ibkr-trader adopt AAPL --stop 5%" in told.err
    assert working(cli) == {}
    dry = cli("adopt AAPL --stop 3% --dry-run")
    assert (dry.code, "would adopt +10 AAPL" in dry.out, care(cli)) == (0, True, None), dry
    both = cli("adopt AAPL --stop 140 --target 160 --dry-run").out
    assert "would place  a stop for 10 at 140.00, and a target at 160.00" in both
    trail = cli("adopt AAPL --trail 2% --dry-run").out
    assert "would place  a stop for 10 that follows the market by 2%" in trail
    trails = cli("adopt AAPL --trail 3 --target 160 --quantity 4 --dry-run").out
    assert "a stop for 4 that follows the market by 3.00, and a target at 160.00" in trails
    done = cli("adopt AAPL --stop 3% --target 8% --json")
    assert done.code == 0, done
    exits = working(cli)
    assert {one["quantity"] for one in exits.values()} == {"10"}
    assert exits["stop"]["oca_group"] == exits["target"]["oca_group"] != ""
    assert (done.document["is_covered"], care(cli)) == (True, "adopted")
    again = cli("adopt AAPL --stop 3% --json")
    assert (again.code, again.document["sent"], len(working(cli))) == (0, False, 2)
    assert "adopted" in cli("status").out
    assert cli("reconcile").code == 0


def test_a_part_may_be_adopted_with_a_trail(cli: CommandLine) -> None:
    by_hand(cli)
    done = cli("adopt AAPL --trail 2% --quantity 4 --json")
    assert done.code == 0, done
    (stop,) = working(cli).values()
    assert (stop["type"], stop["trail_percent"], stop["quantity"]) == ("TRAIL", "2", "4")
    assert done.document["adopted"] == "4"


SMALL = "order --symbol AAPL --side buy --quantity 2 --type limit --limit 120 --no-stop"


def lost(cli: CommandLine, *placed: str) -> dict[str, str]:
    """Place orders, lose the journal, and return the step of each by its role."""
    for command in placed:
        assert cli(command).code == 0
    for path in Path(cli("status --json").document["data_dir"]).rglob("journal*.db*"):
        path.unlink()
    told = cli("reconcile --json")
    steps = {one["id"]: one for one in told.document["steps"] if one["kind"] == "lost"}
    assert (told.code, {one["command"] for one in steps.values()}) == (7, {"TakeOver"}), told
    roles = {key: re.search(r"-\d-([a-z]+) ", one["words"]) for key, one in steps.items()}
    return {found[1]: key for key, found in roles.items() if found is not None}


def test_an_order_of_a_lost_journal_is_taken_over_by_its_number(cli: CommandLine) -> None:
    number = lost(cli, SMALL)["single"].removeprefix("lost-foreign-")
    assert cli("adopt AAPL --order nonsense").code == 2
    wrong = cli("adopt AAPL --order 1")
    assert (wrong.code, "1 is no AAPL order of a lost journal of ours" in wrong.err) == (2, True)
    assert cli(f"adopt AAPL --order {number} --stop 3%").code == 2
    nothing = cli("adopt AAPL --stop 3%")
    assert (nothing.code, "fix: ibkr-trader reconcile --plan" in nothing.err) == (2, True)
    dry = cli(f"adopt AAPL --order {number} --dry-run")
    assert (dry.code, "would take over 1 order" in dry.out) == (0, True), dry
    one = cli(f"adopt AAPL --order {number} --json")
    (order,) = one.document["orders"]
    assert (one.code, order["id"].endswith("-1-single"), one.document["unproven"]) == (0, True, [])
    told = cli(f"why {order['id']}")
    assert (told.code, f"taken over {order['id']}" in told.out) == (0, True), told
    assert cli(f"cancel {order['id']}").code == 0
    assert cli("orders --json").document["orders"] == []


def test_a_lost_bracket_is_taken_over_by_the_plan_and_with_its_position(cli: CommandLine) -> None:
    steps = lost(cli, BRACKET)
    token = cli("reconcile --json").document["token"]
    done = cli(f"reconcile --apply {token} --only {steps['stop']} --json")
    assert (done.code, done.document["done"]) == (7, [steps["stop"]]), done
    dry = cli("adopt AAPL --dry-run")
    assert "would take over  " in dry.out
    rest = cli("adopt AAPL --json")
    assert (rest.code, len(rest.document["taken_over"])) == (0, 1), rest
    assert cli("reconcile").code == 0
    assert not any(one["is_foreign"] for one in cli("orders --json").document["orders"])
    # The new journal begins to count anew: a short name may mean an order of each.
    assert cli(f"{BRACKET} --wait accepted").code == 0
    unclear = cli("cancel 1-stop")
    assert unclear.code == 2
    assert len(set(re.findall(r"[a-z][a-z0-9]{4}-1-stop", unclear.err))) == 2, unclear


def test_what_cannot_be_adopted_is_refused_with_the_reason(cli: CommandLine) -> None:
    nothing = cli("adopt AAPL --stop 3%")
    assert (nothing.code, "no AAPL is held" in nothing.err) == (2, True), nothing
    by_hand(cli)
    wrong = cli("adopt AAPL --stop 170")
    assert wrong.code == 6, wrong
    assert cli("adopt AAPL --target 8%").code == 2
    assert cli("adopt AAPL --stop 3% --trail 2%").code == 2
    assert cli("adopt AAPL --stop 300%").code == 2
    assert (working(cli), care(cli)) == ({}, None)


def test_a_released_position_is_left_alone_until_it_is_adopted(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    gone = cli("release AAPL")
    assert (gone.code, "released +10 AAPL; nothing was sent" in gone.out) == (0, True), gone
    assert care(cli) == "released"
    assert cli("gateway inject hand close AAPL 4").code == 0
    assert cli("cancel nothing").code == 2  # a desk that changes something opens, and clears up
    assert {one["quantity"] for one in working(cli).values()} == {"10"}
    assert cli("cover").code == 0
    shown = cli("positions").out
    assert ("its exits could trade" in shown, "cover --fix" in shown) == (False, False), shown
    told = cli("reconcile --json")
    assert (told.code, by_kind(told.document)["released"]["symbol"]) == (0, "AAPL"), told
    more = cli(BRACKET)
    assert (more.code, "was released" in more.err) == (6, True), more
    over = cli("eod-close --now")
    assert (over.code, "released: left alone" in over.out) == (0, True), over
    assert cli("adopt AAPL").code == 0
    assert care(cli) == "adopted"
    assert {one["quantity"] for one in working(cli).values()} == {"6"}
    assert cli("close AAPL").code == 0


def test_a_practice_account_is_brought_back_to_nothing(cli: CommandLine) -> None:
    nothing = cli("reset-account --json")
    assert (nothing.code, nothing.document["sent"]) == (0, False), nothing
    assert cli(BRACKET).code == 0
    assert cli("gateway inject hand buy MSFT 7 --limit 300").code == 0
    dry = cli("reset-account --dry-run")
    assert (dry.code, dry.out.count("would cancel"), len(working(cli))) == (0, 3, 3), dry
    asked = cli("reset-account")
    assert (asked.code, "whoever placed them" in asked.err, len(working(cli))) == (9, True, 3)
    done = cli("reset-account --yes --json")
    assert done.code == 0, done
    assert (done.document["is_flat"], done.document["closed"]) == (True, ["AAPL"])
    assert len(done.document["cancelled"]) == 3
    assert (working(cli), cli("positions --json").document["positions"]) == ({}, [])
    assert cli("alarms").code == 0, "what was asked for calls nobody"


def test_what_a_closed_market_keeps_is_left_and_said(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("gateway inject advance 7h").code == 0
    left = cli("reset-account --yes --json")
    assert left.code == 7, left
    assert left.document["left_positions"] == [{"symbol": "AAPL", "quantity": "10"}]
    assert "the market of AAPL is closed" in left.document["troubles"][0]
    roles = [name.rpartition("-")[2] for name in left.document["left_orders"]]
    assert roles == ["target", "stop"], "as is said: its exits stay as they are"


def test_what_is_not_closed_is_explained_once(cli: CommandLine) -> None:
    for line in (BRACKET, "gateway inject halt AAPL"):
        assert cli(line).code == 0
    assert cli("reset-account --yes --timeout 1").code == 7
    assert cli("gateway inject hand buy MSFT 7 --limit 300").code == 0
    again = cli("reset-account --yes --timeout 1")  # it takes the close of the first along
    assert (again.code, again.out.count("works on")) == (7, 1), again
    assert "is not closed" not in again.out + again.err, again
    assert [name.rpartition("-")[2] for name in working(cli)] == ["close"], again


def test_a_live_account_is_never_reset(cli: CommandLine) -> None:
    refused = cli("--profile live reset-account --yes")
    assert (refused.code, "real money" in refused.err) == (3, True), refused
