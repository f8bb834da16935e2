from __future__ import annotations

import io

import pytest

from ibkr_trader.cli.exits import Exit, Unconfirmed, Verdict
from ibkr_trader.cli.face import Face
from ibkr_trader.cli.output import Reply


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
