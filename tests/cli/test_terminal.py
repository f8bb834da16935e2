from __future__ import annotations

import io

import pytest

from ibkr_trader.cli.exits import Unconfirmed
from ibkr_trader.cli.terminal import is_attended, require, typed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stdin", "stderr", "is_so"),
    [
        (Terminal(), Terminal(), True),
        (io.StringIO(), Terminal(), False),
        (Terminal(), io.StringIO(), False),
    ],
)
def test_a_person_sits_where_both_ends_are_a_terminal(
    monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO, stderr: io.StringIO, *, is_so: bool
) -> None:
    monkeypatch.setattr("sys.stdin", stdin)
    monkeypatch.setattr("sys.stderr", stderr)
    assert is_attended() is is_so


def test_a_question_cannot_play_tricks_with_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal("  U0000000 \n"))
    monkeypatch.setattr("sys.stderr", shown)
    assert typed("Which\x1b[2J account?") == "U0000000"
    assert "\x1b" not in shown.getvalue()


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("U" * 10_000))
    monkeypatch.setattr("sys.stderr", Terminal())
    assert len(typed("Which account?")) == 200


def test_nearly_right_is_wrong() -> None:
    require("U0000000", "U0000000")
    for answer in ("", "U000000", "u0000000", "U0000000 ", "U\uff10000000"):
        with pytest.raises(Unconfirmed):
            require(answer, "U0000000")
