"""Real money, end to end: nothing is opened but by a person, and everything else always works.

The gateway looks live to the desk; what left the desk is judged by the gateway's wire log.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.live_desk import ALLOWED, LiveLine, live
from tests.scenarios.live_gateway import ACCOUNT
from tests.scenarios.traders import running

pytestmark = pytest.mark.slow
BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
LARGER = "bracket-order --symbol AAPL --quantity 11 --stop-loss 145 --take-profit 155"
TYPED = "Type the account's id to send it"
ARMED = "Type its id to arm it"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[LiveLine]:
    with live(tmp_path) as one:
        yield one


def armed_reasons(line: LiveLine, command: str) -> list[str]:
    """The reasons of the check `armed` for which a command is denied."""
    ran = line(f"{command} --yes --json")
    assert ran.code == 6, ran
    reasons = ran.document["error"]["reasons"]
    assert {one["check"] for one in reasons} == {"armed"}
    return [one["message"] for one in reasons]


def arm(line: LiveLine, *options: str) -> None:
    ran = line.typing(f"arm {' '.join(options)}", answers={ARMED: ACCOUNT})
    assert ran.code == 0, ran
    assert f"LIVE {ACCOUNT}  armed until" in ran.out


def test_an_unarmed_desk_looks_and_reduces_and_opens_nothing(line: LiveLine) -> None:
    assert armed_reasons(line, BRACKET) == ["The live desk is not armed (nobody has armed it)."]
    status = line("status --json").document
    assert status["arming"] == {
        "is_live": True,
        "is_armed": False,
        "until": None,
        "missing": ["The live desk is not armed (nobody has armed it)"],
    }
    assert line.placed() == []
    line.inject("hand buy AAPL 10")  # somebody buys in TWS
    assert "NOT ARMED" in line("positions").out
    covered = line("cover --fix --yes")
    assert covered.code == 0, covered
    (stop,) = line.placed()
    assert "stop" in stop or "cover" in stop
    assert line(f"cancel {stop} --yes").code == 0
    closed = line("close AAPL")
    assert closed.code == 0, closed
    line.inject("hand buy AAPL 5")
    ended = line("eod-close --now")
    assert ended.code == 0, ended
    assert line("positions --json").document["positions"] == []
    assert armed_reasons(line, BRACKET)
    assert all("entry" not in name and "single" not in name for name in line.placed())


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        (f'account = "{ACCOUNT}"\n', "The configuration does not allow live trading."),
        ("allow_live = true\n", "The configuration does not name the live account."),
    ],
)
def test_each_setting_is_asked_for(line: LiveLine, config: str, missing: str) -> None:
    line.config(config)
    line.env["IBKR_ALLOW_LIVE"] = "true"
    assert missing in armed_reasons(line, BRACKET)
    typed = line.typing(BRACKET, answers={TYPED: ACCOUNT})
    assert (typed.code, TYPED in typed.err) == (6, False)
    refused = line.typing("arm", answers={ARMED: ACCOUNT})
    assert refused.code == 6
    assert missing.partition(" does")[0] in refused.err
    assert not line.arming.exists()
    assert (line.placed(), line.asked()) == ([], 0)


def test_an_account_is_typed_for_one_order(line: LiveLine) -> None:
    wrong = line.typing(f"{BRACKET} --yes", answers={TYPED: "U0000001"})
    assert wrong.code == 9
    assert line.placed() == []
    right = line.typing(BRACKET, answers={TYPED: ACCOUNT})
    assert right.code == 0, right
    assert len(line.placed()) == 3
    assert armed_reasons(line, LARGER), "and not for the next one"
    assert len(line.placed()) == 3


def test_arming_takes_a_person_and_a_gateway_in_order(line: LiveLine) -> None:
    alone = line("arm --yes")
    assert alone.code == 9
    assert "there is no terminal" in alone.err
    assert line.typing("arm", answers={ARMED: "U0000001"}).code == 9
    assert not line.arming.exists()
    line.inject("precaution size-limit 50")
    refused = line.typing("arm", answers={ARMED: ACCOUNT})
    assert refused.code == 6
    assert "size precaution" in refused.err
    unknown = line.typing("arm --waive size", answers={ARMED: ACCOUNT})
    assert unknown.code == 2
    assert not line.arming.exists()
    asked = line.asked()
    assert asked >= 3
    ran = line.typing("arm --hours 2 --waive size-precaution", answers={ARMED: ACCOUNT})
    assert ran.code == 0, ran
    assert line.placed() == [], "what was asked about was never placed"
    assert line.arming.stat().st_mode & 0o777 == 0o600
    tail = line("status --json").document["arming"]
    assert tail["is_armed"]
    assert not tail["missing"]
    needs_yes = line(BRACKET)
    assert needs_yes.code == 9
    assert line.placed() == []
    assert line(f"{BRACKET} --yes").code == 0
    assert len(line.placed()) == 3
    assert line("disarm").code == 0
    assert not line.arming.exists()
    assert armed_reasons(line, LARGER) == ["The live desk is not armed (somebody disarmed it)."]


def is_armed(line: LiveLine) -> bool:
    return bool(line("status --json").document["arming"]["is_armed"])


def damage(line: LiveLine) -> None:
    content = bytearray(line.arming.read_bytes())
    content[len(content) // 2] ^= 1
    line.arming.write_bytes(content)


def link(line: LiveLine) -> None:
    real = line.arming.with_name("real.json")
    line.arming.rename(real)
    line.arming.symlink_to(real)


def start_the_machine_again(line: LiveLine) -> None:
    line.env["LIVE_BOOT"] = "another"


def set_the_clock_back(line: LiveLine) -> None:
    line.env["LIVE_CLOCK_AHEAD"] = str(float(line.env["LIVE_CLOCK_AHEAD"]) - 3600)


def lower_the_loss_limit(line: LiveLine) -> None:
    with (line.folder / "config.toml").open("a") as file:
        file.write("max_daily_loss = 90\n")  # of its table [risk]


def lose_the_journal(line: LiveLine) -> None:
    for one in line.arming.parent.glob("journal.db*"):
        one.unlink()


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (damage, "is damaged"),
        (lambda line: line.arming.chmod(0o640), "has mode 0640"),
        (link, "is a link"),
        (start_the_machine_again, "the machine was started again"),
        (set_the_clock_back, "clock was set back"),
        (lower_the_loss_limit, "the configuration was changed"),
        (lambda line: line("halt --yes"), "HALTED"),
        (lose_the_journal, "the journal knows of no armed time"),
    ],
)
def test_what_ends_an_armed_time_ends_it_for_good(
    line: LiveLine, deed: Callable[[LiveLine], object], why: str
) -> None:
    """A command that only looks sees it; then all is again as it was, the file included."""
    arm(line)
    assert is_armed(line)
    kept, env = line.arming.read_bytes(), dict(line.env)
    deed(line)
    line("status")
    assert not line.arming.exists()
    line.config(ALLOWED)
    line.env |= env
    line.env.pop("LIVE_BOOT", None)
    line("resume --reason checked --yes")
    assert not is_armed(line)
    line.arming.write_bytes(kept)
    line.arming.chmod(0o600)
    (said,) = armed_reasons(line, BRACKET)
    assert said.startswith("The live desk is not armed (that armed time has ended: ")
    assert why in said
    assert not line.arming.exists()
    assert line.placed() == []


def test_a_copy_of_the_file_arms_nothing_after_disarm(line: LiveLine) -> None:
    arm(line)
    kept = line.arming.read_bytes()
    assert line("disarm").code == 0
    line.arming.write_bytes(kept)
    line.arming.chmod(0o600)
    ended = "The live desk is not armed (that armed time has ended: somebody disarmed it)."
    assert armed_reasons(line, BRACKET) == [ended]
    assert not line.arming.exists()
    assert line.placed() == []


def test_looser_limits_of_an_armed_desk_wait_without_a_trader_too(line: LiveLine) -> None:
    def shares() -> tuple[str, list[str]]:
        found = line("limits --json").document
        held = next(one for one in found["symbols"] if one["symbol"] == "AAPL")
        return held["max_position_size"]["limit"], [one["after"] for one in found["waiting"]]

    assert line("set-symbol-limit --symbol AAPL --max-position 50 --yes").code == 0
    arm(line)
    looser = line("set-symbol-limit --symbol AAPL --max-position 70 --yes")
    assert "what is looser waits for: ibkr-trader disarm" in looser.out
    assert shares() == ("50", ["70"])
    assert shares() == ("50", ["70"]), "nor for the command after"
    assert line("set-symbol-limit --symbol AAPL --max-position 40 --yes").code == 0
    assert shares() == ("40", [])
    assert line("set-symbol-limit --symbol AAPL --max-position 70 --yes").code == 0
    assert line("disarm").code == 0
    assert shares() == ("70", [])


def test_a_trader_takes_the_armed_time_and_it_dies_with_it(line: LiveLine) -> None:
    arm(line)
    with running(line) as trader:
        assert f"LIVE {ACCOUNT} armed until" in trader.said[0]
        assert not line.arming.exists()
        assert line(f"{BRACKET} --yes").code == 0
        trader.process.send_signal(signal.SIGKILL)
        trader.process.wait(timeout=20)
    ended = ["The live desk is not armed (the trader that was armed has ended)."]
    assert armed_reasons(line, LARGER) == ended
    assert armed_reasons(line, LARGER) == ended, "it is on record by now"
    with running(line) as trader:
        assert "NOT ARMED" in trader.said[0]
        assert armed_reasons(line, LARGER)
        assert line("close AAPL").code == 0
    roles = [name.rpartition("-")[2] for name in line.placed()]
    assert roles == ["entry", "target", "stop", "close"]


def test_arming_at_a_running_trader_and_what_ends_it_there(line: LiveLine) -> None:
    with running(line) as trader:
        assert armed_reasons(line, BRACKET)
        wrong = line.typing(BRACKET, answers={TYPED: "U0000001"})
        assert wrong.code == 9
        assert line.placed() == []
        assert line.typing(BRACKET, answers={TYPED: ACCOUNT}).code == 0
        assert len(line.placed()) == 3
        arm(line)
        trader.hear("armed for 8 hours")
        assert not line.arming.exists()
        assert line(f"{LARGER} --yes").code == 0
        line.config(ALLOWED + "# edited\n")
        trader.hear("disarmed: ")
        line.config(ALLOWED)
        assert "was changed" in armed_reasons(line, BRACKET.replace("10", "12", 1))[0]
        assert line("close AAPL").code == 0


def test_a_trader_is_examined_as_deeply_and_places_nothing(line: LiveLine) -> None:
    with running(line):
        found = line("doctor --deep --json")
        assert found.code == 0, found.out
        names = {check["name"] for check in found.document["checks"]}
        assert {"trader", "size precaution", "file permissions", "clock"} <= names
        assert (line.placed(), line.asked()) == ([], 4)
        line.inject("precaution read-only")
        refused = line.typing("arm", answers={ARMED: ACCOUNT})
        assert refused.code == 6
        assert "untick" in refused.err
        assert line("doctor --deep").code == 5
        assert armed_reasons(line, BRACKET)
    assert line.placed() == []


def test_a_halt_disarms_a_trader_and_resuming_does_not_arm_it(line: LiveLine) -> None:
    with running(line) as trader:
        arm(line)
        assert line("halt --yes").code == 0
        trader.hear("disarmed: The desk is HALTED")
        assert line("resume --reason checked --yes").code == 0
        assert armed_reasons(line, BRACKET)
        assert line("disarm").code == 0
    assert line.placed() == []
