"""What is said on the control socket, and where it lies."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.adapters import control
from ibkr_trader.adapters.control import (
    HEADER,
    MOST_ASKED,
    Call,
    Card,
    FrameFault,
    Seen,
    Told,
    Yes,
    listen,
    pack,
    peer_uid,
    read_answer,
    read_call,
    read_card,
    size_of,
    socket_path,
    take_down,
    write_card,
)
from ibkr_trader.core.errors import ConfigError

SINCE = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose name is short, as pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="ib-") as name:
        yield Path(name)


@pytest.mark.parametrize(
    "message",
    [
        Call(
            command="orders.order",
            options={"symbol": "AAPL", "symbols": ["A", "B"], "outside_rth": True, "x": None},
            settings={"port": ("7497", "environment IBKR_PORT")},
            arguments=["order"],
        ),
        Call(command="revise.cancel", both=True, operator="anna", words="cancel 12-stop"),
        Yes(),
        Yes(typed="U0000000"),
    ],
)
def test_a_message_comes_back_as_it_went(message: Call | Yes) -> None:
    frame = pack(message)
    size = size_of(frame[: HEADER.size], limit=MOST_ASKED)
    assert size == len(frame) - HEADER.size
    assert read_call(frame[HEADER.size :]) == message


def test_each_side_understands_the_others_messages_alone() -> None:
    told = pack(Told(text="so"))[HEADER.size :]
    assert read_answer(told) == Told(text="so")
    seen = read_answer(pack(Seen(glimpse=msgspec.Raw(b'{"at": 1}')))[HEADER.size :])
    assert isinstance(seen, Seen)
    assert bytes(seen.glimpse) == b'{"at": 1}'
    with pytest.raises(FrameFault, match="not understood"):
        read_call(told)
    with pytest.raises(FrameFault, match="not understood"):
        read_answer(b"\xff not json")


def test_what_is_too_long_is_neither_sent_nor_taken() -> None:
    with pytest.raises(FrameFault, match="too long"):
        pack(Call(command="x" * MOST_ASKED))
    with pytest.raises(FrameFault, match="announced"):
        size_of(HEADER.pack(MOST_ASKED + 1), limit=MOST_ASKED)
    pack(Told(text="x" * MOST_ASKED))  # a reply may be longer than a call


def test_the_socket_is_for_this_user_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        listener = listen(folder / "trader.sock")
    finally:
        os.umask(before)
    with listener:
        assert stat.S_IMODE((folder / "trader.sock").stat().st_mode) == 0o600


def test_a_socket_that_a_dead_trader_left_is_replaced(folder: Path) -> None:
    path = folder / "trader.sock"
    listen(path).close()
    assert path.is_socket()
    with listen(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_what_is_no_socket_is_left_alone(folder: Path) -> None:
    path = folder / "trader.sock"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="in the way"):
        listen(path)
    assert path.read_text() == "mine"


def test_the_kernel_tells_who_is_at_the_other_end() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer_uid(one) == os.geteuid()


def test_a_long_name_goes_to_the_runtime_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
    assert socket_path(folder / "sim") == folder / "sim" / "trader.sock"
    deep = folder / ("x" * 120) / "sim"
    path = socket_path(deep)
    assert path.parent == folder / "run" / "ibkr-trader"
    assert path != socket_path(folder / ("y" * 120) / "sim")
    listen(path).close()


def test_a_name_that_is_too_long_everywhere_is_a_setting_to_mend(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / ("r" * 120)))
    with pytest.raises(ConfigError, match="too long"):
        socket_path(folder / ("x" * 120))


def test_the_card_says_where_the_trader_is(folder: Path) -> None:
    card = Card(pid=7, socket="/somewhere", since=SINCE)
    assert read_card(folder) is None
    write_card(folder, card)
    assert read_card(folder) == card
    write_card(folder, msgspec.structs.replace(card, pid=8))
    assert read_card(folder) == msgspec.structs.replace(card, pid=8)
    assert [one.name for one in folder.iterdir()] == [control.CARD_FILE]
    assert stat.S_IMODE((folder / control.CARD_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [b"", b"\xff", b"{}", b'{"pid":1}'])
def test_a_card_that_cannot_be_read_is_none(folder: Path, text: bytes) -> None:
    (folder / control.CARD_FILE).write_bytes(text)
    assert read_card(folder) is None


def test_a_card_that_is_a_link_is_not_followed(folder: Path) -> None:
    write_card(folder, Card(pid=7, socket="/somewhere", since=SINCE))
    (folder / control.CARD_FILE).rename(folder / "elsewhere")
    (folder / control.CARD_FILE).symlink_to(folder / "elsewhere")
    with pytest.raises(ConfigError, match="link"):
        read_card(folder)


def test_taking_down_leaves_nothing(folder: Path) -> None:
    path = folder / "trader.sock"
    listen(path).close()
    write_card(folder, Card(pid=7, socket=str(path), since=SINCE))
    take_down(folder, path)
    take_down(folder, path)
    assert list(folder.iterdir()) == []


def test_a_card_that_cannot_be_written_is_an_error_in_words(folder: Path) -> None:
    (folder / control.CARD_FILE).mkdir()  # as a full disk would: it cannot take its place
    with pytest.raises(ConfigError, match=r"trader\.json cannot be written"):
        write_card(folder, Card(pid=7, socket="/somewhere", since=SINCE))
    assert [path.name for path in folder.iterdir()] == [control.CARD_FILE]
