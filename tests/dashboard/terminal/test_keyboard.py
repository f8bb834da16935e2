from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.dashboard.inputs import Pasted, Pressed
from ibkr_trader.dashboard.key_names import NAMES
from ibkr_trader.dashboard.terminal.keyboard import MOST_PASTED, Keyboard, KeyInput

SENT = {
    "up": ["\x1b[A", "\x1bOA"],
    "down": ["\x1b[B", "\x1bOB"],
    "right": ["\x1b[C", "\x1bOC"],
    "left": ["\x1b[D", "\x1bOD"],
    "home": ["\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"],
    "end": ["\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"],
    "pageup": ["\x1b[5~"],
    "pagedown": ["\x1b[6~"],
    "insert": ["\x1b[2~"],
    "delete": ["\x1b[3~"],
    "tab": ["\t"],
    "backtab": ["\x1b[Z"],
    "enter": ["\r"],
    "backspace": ["\x7f", "\x08"],
    "ctrl-a": ["\x01"],
    "ctrl-c": ["\x03"],
    "ctrl-j": ["\n"],
    "ctrl-l": ["\x0c"],
    "ctrl-z": ["\x1a"],
    "f1": ["\x1bOP", "\x1b[11~", "\x1b[[A"],
    "f5": ["\x1b[15~"],
    "f12": ["\x1b[24~"],
}


def read(*reads: bytes) -> list[KeyInput]:
    keyboard = Keyboard()
    return [one for data in reads for one in keyboard.feed(data)]


@pytest.mark.parametrize(("name", "sent"), [(n, s) for n, many in SENT.items() for s in many])
def test_a_key_has_its_name(name: str, sent: str) -> None:
    assert read(sent.encode()) == [Pressed(name)]
    assert name in NAMES


def test_every_name_is_a_key_that_can_be_pressed() -> None:
    controls = {f"ctrl-{chr(byte + 0x60)}": chr(byte) for byte in range(1, 27)}
    functions = {f"f{n}": f"\x1b[{n + 10 + (n > 5) + (n > 10)}~" for n in range(1, 13)}
    keyboard = Keyboard()
    pressed: set[str] = set()
    for sent in [*controls.values(), *functions.values(), *(s for m in SENT.values() for s in m)]:
        pressed.update(one.key for one in keyboard.feed(sent.encode()) if isinstance(one, Pressed))
    keyboard.feed(b"\x1b")
    assert keyboard.flush() == [Pressed("escape")]
    assert pressed | {"escape"} == NAMES


@given(st.characters(exclude_categories=["C", "Z"], exclude_characters="\ufffd"))
def test_a_character_is_its_own_name(char: str) -> None:
    assert read(char.encode()) == [Pressed(char)]


def test_a_space_is_a_character() -> None:
    assert read(b" ") == [Pressed(" ")]


def test_a_character_may_come_in_pieces() -> None:
    assert read(b"\xe6", b"\xbc", b"\xa2j") == [Pressed("漢"), Pressed("j")]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x1bc",  # Alt+c
        b"\x1b\xc3\xa4",
        b"\x1b\r",
        b"\x1b\x7f",
        b"\x1b[1;3A",  # Alt+up: neither Escape nor up
        b"\x1b[3;3~",
        b"\x1b[1;2A",  # Shift+up
        b"\x1b[1;5C",
        b"\x1b[25~",  # F13
        b"\x00",
        b"\x1c",
        b"\xff",
        b"\xc3(",  # half a character, and then one that must not suffer: see below
        b"\xc2\x9b?62;22c",
        b"\x9b?62;22c",  # a reply of a terminal that is not set to UTF-8
        b"\x9d11;rgb:aa/cc/mm\x9c",
        "\u200b\u202e\ue000".encode(),
        b"\x1b[?62;22c\x1b]11;rgb:aaaa/cccc/mmmm\x07\x1b[I",
    ],
)
def test_what_has_no_name_is_no_key(sent: bytes) -> None:
    expected = [Pressed("(")] if sent.endswith(b"(") else []
    assert read(sent, b"j") == [*expected, Pressed("j")]


def test_escape_and_a_letter_that_is_pressed_later() -> None:
    keyboard = Keyboard()
    assert keyboard.feed(b"\x1b") == []
    assert keyboard.flush() == [Pressed("escape")]
    assert keyboard.feed(b"c") == [Pressed("c")]
    assert keyboard.flush() == []


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("12.50", "12.50"),
        ("jjca\nyes\n", "jjca yes"),
        ("12\n5", "12 5"),  # not 125
        ("12\t\r\n\x005\r\n", "12 5"),
        ("a\xa0b", "a b"),
        ("\x1b[31mred", "[31mred"),
        ("a\u202eb\u200b", "ab"),
        ("漢", "漢"),
        ("x" * 3000, "x" * MOST_PASTED),
    ],
)
def test_a_paste_is_one_line_of_text(sent: str, text: str) -> None:
    assert read(f"\x1b[200~{sent}\x1b[201~j".encode()) == [Pasted(text), Pressed("j")]


def test_a_paste_of_nothing_is_nothing() -> None:
    assert read(b"\x1b[200~\n\x00\x1b[201~") == []


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"jjca\nyes\n", "jjca yes"),  # cancelled an order once
        (b"jjca\ryes\r", "jjca yes"),
        (b"cancel all", "cancel all"),
        (b"c\ry", "c y"),
        (b"abcdefghi\x1b[A", "abcdefghi"),
        (b"abcdefghi\x1b[200~j\x1b[201~", "abcdefghij"),
    ],
)
def test_a_paste_without_brackets_presses_nothing(sent: bytes, text: str) -> None:
    assert read(sent) == [Pasted(text)]


def test_a_paste_without_brackets_lasts_until_there_is_a_pause() -> None:
    keyboard = Keyboard()
    assert keyboard.feed(b"cancel the order") == [Pasted("cancel the order")]
    assert keyboard.feed(b"c\r") == [Pasted("c")]
    assert keyboard.feed(b"\r\x1b") == []
    assert keyboard.flush() == []
    assert keyboard.feed(b"c") == [Pressed("c")]


@pytest.mark.parametrize(
    "sent",
    [
        b"j" * 200,
        b"j" * 50 + b"k" * 50,
        b"\x1b[B" * 200,
        b"yes\r",
        b"\x7f" * 30,
        b"jk" * 4,
    ],
)
def test_a_key_that_is_held_down_is_no_paste(sent: bytes) -> None:
    pressed = read(sent)
    assert all(isinstance(one, Pressed) for one in pressed)
    assert len(pressed) == len(sent.replace(b"\x1b[B", b"j"))
