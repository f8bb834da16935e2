"""`n`: notes the alarms that were read, and no other."""

from __future__ import annotations

from typing import Any

from ibkr_trader.cli.face import DESK_COMMANDS
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.steps import READ
from ibkr_trader.dashboard.view import view
from tests.dashboard.play import (
    answer,
    asking,
    desk,
    entry,
    head,
    looking,
    play,
    text_of,
    the_act,
    wait,
)


def alarm(key: str, message: str = "AAPL: 4 of 10 have no stop") -> tuple[str, str]:
    return key, message


def standing(*alarms: tuple[str, str]) -> dict[str, Any]:
    """The trader's answer: rows for people, and the names as they are."""
    rows = [f"{key}   2026-11-20 10:01:31 EST     1     0  {what}" for key, what in alarms]
    found = [{"key": key, "message": f"{what} of U1234567"} for key, what in alarms]
    return {"lines": ("SIM SIM0000001  …", "ALARM  SINCE", *rows), "data": {"alarms": found}}


def asked(*alarms: tuple[str, str]) -> Model:
    model, effects = play(desk(entry()), "n")
    (act,) = looking(effects)
    assert (act.command, act.options) == ("alarms.ack", {"everything": True})
    model, _ = play(model, answer(act, **standing(*alarms)))
    return wait(model, READ)[0]


def test_what_stands_is_shown_and_noted_by_name() -> None:
    model = asked(alarm("cover:AAPL"), alarm("link", "over: no link"))
    assert asking(model).title == "Take note of 2 alarms?"
    assert asking(model).lines[:2] == (
        "cover:AAPL 2026-11-20 10:01:31 EST 1 0 AAPL: 4 of 10 have no stop",
        "link 2026-11-20 10:01:31 EST 1 0 over: no link",
    )
    act = the_act(play(model, "y")[1])
    assert (act.command, act.looks) == ("alarms.ack", False)
    assert act.options == {
        "names": ["cover:AAPL", "link"],
        "reason": "from the dashboard's keyboard",
    }


def test_every_other_key_notes_nothing() -> None:
    model, effects = play(asked(alarm("link")), "n")
    assert (effects, model.dialog) == ([], None)


def test_one_without_a_line_is_shown_by_its_name() -> None:
    model, effects = play(desk(entry()), "n")
    given = answer(looking(effects)[0], data={"alarms": [{"key": "link", "message": "U1234567"}]})
    assert asking(play(model, given)[0]).lines[0] == "link"


def test_with_none_nothing_is_asked() -> None:
    model = asked()
    assert (model.dialog, text_of(model)) == (None, "no alarm stands")


def test_only_what_can_be_read_at_once_is_noted() -> None:
    long = "what the broker and our books say differs, and nobody knows why; " * 3
    model = asked(*(alarm(f"group:{one}", long) for one in range(9)))
    title, lines = asking(model).title, asking(model).lines
    names = the_act(play(model, "y")[1]).options["names"]
    assert isinstance(names, list)
    assert 0 < len(names) < 9
    assert title == f"Take note of {len(names)} alarm{'' if len(names) == 1 else 's'}?"
    assert f"{9 - len(names)} more stand: press n again after this." in lines
    for width, height in ((80, 24), (60, 24)):
        text = "\n".join(
            "".join(text for text, _ in line) for line in view(model, width, height, RowCache())
        )
        assert "more lines" not in text
        assert all(f"{name} " in text for name in names)


def test_one_that_is_longer_than_a_screen_is_shown_all_the_same() -> None:
    model = asked(alarm("a", "word " * 400), alarm("b"))
    assert the_act(play(model, "y")[1]).options["names"] == ["a"]


def test_what_the_trader_refuses_is_said() -> None:
    model, effects = play(desk(entry()), "n")
    act = looking(effects)[0]
    said, _ = play(model, answer(act, is_done=False, lines=("not now",)))
    assert text_of(said) == "alarms: not now"
    said, _ = play(model, answer(act, is_done=False))
    assert text_of(said) == "alarms: the trader cannot say"
    said, _ = play(model, "h", answer(act, **standing(alarm("link"))))
    assert asking(said).title == "Halt?"
    assert "press n again" in text_of(said)


def test_the_head_counts_them_and_names_the_key() -> None:
    for count, words in ((1, " 1 alarm: n "), (3, " 3 alarms: n "), (0, "")):
        model = desk(entry(), head=head(alarms=count))
        lines = ["".join(text for text, _ in line) for line in view(model, 80, 24, RowCache())]
        assert any(words in line for line in lines[:3])
        assert ("alarm" in lines[2]) is bool(count)


def test_the_trader_takes_these_options() -> None:
    known = DESK_COMMANDS["alarms.ack"]
    assert not known.required
    assert {"names", "reason", "everything"} <= known.options.keys()
