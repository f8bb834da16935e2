from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES

from ibkr_trader.dashboard.terminal.replies import MOST_PASTED, Replies

# What terminals say by themselves, or when somebody has asked them.
REPLIES = [
    "\x1b[?62;22c",  # DA1: ends in c, which cancels
    "\x1b[>41;354;0c",  # DA2
    "\x1b[=c",
    "\x1bP!|00000000\x1b\\",  # DA3
    "\x1b[24;80R",  # CPR
    "\x1b[1;5R",  # CPR that some take for Ctrl-F3
    "\x1b[?24;80;1R",
    "\x1b[0n",
    "\x1b[I",  # focus
    "\x1b[O",
    "\x1b[<0;33;12M",  # mouse, SGR
    "\x1b[<35;1;1m",
    "\x1b[96;14;13M",  # mouse, urxvt
    "\x1b[M jc",  # mouse, X10: three characters, letters too
    "\x1b[M" + chr(0x20) + "\x7f\x80",
    "\x1b]11;rgb:1c1c/aaaa/mmmm\x07",
    "\x1b]11;rgb:1c1c/aaaa/mmmm\x1b\\",
    "\x1b]52;c;Y2FuY2Vs\x9c",
    "\x1bP>|xterm(388)\x1b\\",
    "\x1bP1+r544e=78\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b^private\x1b\\",
    "\x1bXsos\x1b\\",
    "\x1b]lcall\x18",
    "\x1b[?2026;2$y",  # DECRPM
    "\x1b[8;24;80t",
    "\x1b[?1u",
    "\x1b[200;5u",
    "\x1b[E",
    "\x1bOz",
    "\x1bO5A",
    "\x9b?62;22c",  # the same in 8 bits
    "\x9d11;rgb:1/a/c\x9c",
    "\x901$r0m\x1b\\",
    "\x8fz",
    "\x84",
    "\ufffd",
    "\x1b[?62\x7f;2\x802ä;c",
    "\x1b[" + "1;" * 5000 + "c",
    "\x1b]52;c;" + "a" * 9000 + "\x07",
]
KNOWN = sorted(
    sequence
    for sequence, key in ANSI_SEQUENCES.items()
    if sequence.startswith("\x1b") and sequence not in {"\x1b", "\x1b[200~"} | set(REPLIES)
    if key not in {"<ignore>", "<scroll-up>", "<scroll-down>"}
)
PASTE = "\x1b[200~c\na\x1b[?62;22c\x1b[201\x1b\x1b[Z~\x07\x1b[201~"
PASTE_OF_AN_ESCAPE = "\x1b[200~c\x1b[20\x1b[201~"
KEYS = [
    *KNOWN,
    "a",
    "Z",
    " ",
    "ä",
    "漢",
    "\r",
    "\t",
    "\x7f",
    "\x01",
    "\x1bx",
    "\x1b\r",
    PASTE,
    PASTE_OF_AN_ESCAPE,
]


def cut(text: str, places: list[int]) -> list[str]:
    """Cut a text at places, which may be the same and beyond its end."""
    ends = [0, *sorted(places), len(text)]
    return [text[begin:end] for begin, end in pairwise(ends)]


def fed(*parts: str) -> list[str]:
    replies = Replies()
    return [key for part in parts for key in replies.feed(part)]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_passes_whole(key: str) -> None:
    assert fed(key) == [key]


@pytest.mark.parametrize("reply", REPLIES)
def test_nothing_of_a_reply_passes(reply: str) -> None:
    assert fed("j", reply, "k") == ["j", "k"]


@given(
    st.lists(st.sampled_from(KEYS + REPLIES), max_size=8),
    st.lists(st.integers(0, 300), max_size=12),
)
def test_keys_pass_and_replies_do_not_however_they_are_cut(
    sent: list[str], places: list[int]
) -> None:
    assert fed(*cut("".join(sent), places)) == [one for one in sent if one in KEYS]


@given(
    st.text(st.sampled_from("\x1b\x1b[]OPM?;12c~\\\x07\x18\x9b\x9c\x9dAjé\r"), max_size=40),
    st.lists(st.integers(0, 40), max_size=12),
)
def test_the_cutting_of_noise_cannot_matter(text: str, places: list[int]) -> None:
    assert fed(*cut(text, places)) == fed(text)


@given(st.sampled_from(REPLIES), st.data())
def test_a_reply_that_is_interrupted_once_leaves_nothing(reply: str, data: st.DataObject) -> None:
    begun = 1 if reply[0] > "\x7f" else 2
    place = data.draw(st.integers(min(begun, len(reply)), len(reply)))
    replies = Replies()
    assert replies.feed(reply[:place]) == []
    assert replies.flush() == []
    assert replies.feed(reply[place:]) == []
    assert replies.flush() == []


def test_a_reply_in_many_pieces_leaves_nothing() -> None:
    replies = Replies()
    for part in ("\x1b]11;r", "gb:aa", "aa/cc", "cc/mm", "mm\x07"):
        assert replies.feed(part) == []
        assert replies.flush() == []
    assert replies.feed("j") == ["j"]


@pytest.mark.parametrize("begun", ["\x1b[", "\x1b]", "\x1bP", "\x1bO", "\x1b[M", "\x1b[12", "\x9b"])
def test_somebody_who_has_pressed_alt_and_a_bracket_loses_one_key(begun: str) -> None:
    replies = Replies()
    assert replies.feed(begun) == []
    assert replies.flush() == []
    assert replies.feed("c") == []
    assert replies.flush() == []
    assert replies.feed("j") == ["j"]


def test_an_arrow_that_was_interrupted_is_no_key() -> None:
    replies = Replies()
    assert replies.feed("\x1b[1;5") + replies.flush() + replies.feed("A") == []


def test_a_lone_escape_waits_for_the_flush() -> None:
    replies = Replies()
    assert replies.feed("\x1b") == []
    assert replies.flush() == ["\x1b"]
    assert replies.flush() == []


def test_an_arrow_in_two_reads_is_an_arrow() -> None:
    replies = Replies()
    assert replies.feed("\x1b") + replies.feed("[B") == ["\x1b[B"]
    assert replies.flush() == []


def test_what_comes_after_the_flush_is_what_it_looks_like() -> None:
    replies = Replies()
    assert replies.feed("\x1b") + replies.flush() + replies.feed("[B") == ["\x1b", "[", "B"]


def test_escape_twice_is_twice_escape() -> None:
    replies = Replies()
    assert replies.feed("\x1b\x1b") == ["\x1b"]
    assert replies.flush() == ["\x1b"]


def test_escape_takes_a_sequence_back() -> None:
    assert fed("\x1b[12\x1b[A", "\x1b]11;x\x1b[B", "\x1bO\x1b[C", "\x1b[M\x1b[D") == [
        "\x1b[A",
        "\x1b[B",
        "\x1b[C",
        "\x1b[D",
    ]


def test_what_is_dropped_is_not_kept() -> None:
    replies = Replies()
    replies.feed("\x1b[" + "1;" * 50_000)
    assert len(replies._held) < 20
    replies.feed("\x18\x1b]" + "a" * 100_000)
    assert len(replies._held) < 20


def test_a_paste_outlasts_a_pause_and_keeps_what_anybody_could_use() -> None:
    replies = Replies()
    assert replies.feed("\x1b[200~c") + replies.flush() + replies.feed("a") == []
    assert replies.flush() + replies.feed("") + replies.flush() == []
    assert replies.feed("\x1b[201~j") == ["\x1b[200~ca\x1b[201~", "j"]
    (paste,) = fed("\x1b[200~" + "x" * MOST_PASTED * 2 + "\x1b[201~")
    assert len(paste) == MOST_PASTED + 12
