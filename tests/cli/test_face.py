from __future__ import annotations

import inspect
import io

import pytest

from ibkr_trader.cli import bundle, limits_setting, reporting
from ibkr_trader.cli.exits import Exit, Unconfirmed, Verdict
from ibkr_trader.cli.face import DESK_COMMANDS, Face
from ibkr_trader.cli.output import Reply
from tests.cli.conftest import ROOT


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_yes_answers_every_question() -> None:
    Face(yes=True).confirm("Sure?")


def test_without_a_terminal_a_question_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(Unconfirmed, match="no terminal") as caught:
        Face().confirm("Sure?")
    assert "--yes" in caught.value.hint


@pytest.mark.parametrize(("answer", "is_yes"), [("y\n", True), ("YES\n", True), ("\n", False)])
def test_a_person_is_asked(monkeypatch: pytest.MonkeyPatch, answer: str, *, is_yes: bool) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", Terminal())
    if is_yes:
        Face().confirm("Sure?")
    else:
        with pytest.raises(Unconfirmed, match="Nothing was done"):
            Face().confirm("Sure?")


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("U0000000\n", True),
        ("  U0000000  \n", True),
        ("U0000001\n", False),
        ("y\n", False),
        ("", False),
    ],
)
async def test_an_account_is_typed_letter_by_letter(
    monkeypatch: pytest.MonkeyPatch, answer: str, *, is_right: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", Terminal())
    face = Face(yes=True)
    assert face.is_attended
    if is_right:
        await face.ask_typed("Which account?", "U0000000")
    else:
        with pytest.raises(Unconfirmed, match="not what had to be typed"):
            await face.ask_typed("Which account?", "U0000000")


async def test_yes_types_nothing_where_nobody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("U0000000\n"))
    face = Face(yes=True)
    assert not face.is_attended
    with pytest.raises(Unconfirmed, match="no terminal") as caught:
        await face.ask_typed("Which account?", "U0000000")
    assert "--yes is no answer here" in caught.value.hint


def test_a_reply_is_shown_in_one_form(capsys: pytest.CaptureFixture[str]) -> None:
    reply = Reply(schema="x/1", data={"a": 1}, blocks=["hello"])
    Face().show(reply)
    assert capsys.readouterr().out == "hello\n"
    Face(json=True).show(reply)
    assert capsys.readouterr().out == '{"schema":"ibkr-trader/x/1","ok":true,"a":1}\n'


def test_a_reply_that_is_not_good_has_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    reply = Reply(schema="x/1", data={}, blocks=["half"], exit=Exit.INCOMPLETE)
    with pytest.raises(Verdict) as caught:
        Face(json=True).show(reply)
    assert caught.value.exit is Exit.INCOMPLETE
    assert '"ok":false' in capsys.readouterr().out


def test_news_for_scripts_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Face(json=True).tell("soon")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "soon\n")


async def test_an_async_body_asks_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    await Face(yes=True).ask("Sure?")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(Unconfirmed, match="no terminal"):
        await Face().ask("Sure?")


# Of the commands with an async body, those that a running trader is not asked for.
LOCAL = {"setup.doctor", "setup.demo", "run.run"}


def test_a_trader_carries_out_every_command_of_a_desk_and_no_other() -> None:
    names = set(DESK_COMMANDS)
    assert {"orders.bracket-order", "revise.close", "look.status", "setup.desk-check"} <= names
    assert not names & LOCAL
    assert not [name for name in names if name.startswith(("gateway.", "setup.config"))]


def test_a_desks_command_never_stands_still_for_an_answer() -> None:
    """`confirm` waits for the keyboard: at a trader, everything else would wait with it."""
    for name, command in DESK_COMMANDS.items():
        assert "face.confirm(" not in inspect.getsource(command.body), name
    families = (ROOT / "ibkr_trader" / "cli").glob("*.py")
    asking = {path.name for path in families if "face.confirm(" in path.read_text()}
    # The client's own, and commands that are not relayed: they need no desk.
    assert asking <= {"remote.py", "limits_setting.py", "reporting.py", "bundle.py"}
    for body in (limits_setting.set_limits, reporting.report, bundle.export):
        assert not inspect.iscoroutinefunction(body)


@pytest.mark.parametrize(
    ("name", "changes", "is_alone"),
    [
        ("orders.order", True, False),
        ("revise.cancel", True, False),
        ("look.orders", False, False),
    ],
)
def test_what_is_whole_in_each_step_waits_for_nobody(
    name: str, *, changes: bool, is_alone: bool
) -> None:
    command = DESK_COMMANDS[name]
    assert (command.changes, command.is_alone) == (changes, is_alone)
