"""The words between a command and a running trader, and where the trader is found.

A message is one JSON document behind its length: four bytes, big-endian. The trader says
`Hello` first, the command answers with one `Call`, and from then on the trader tells what
happens until `Done` or `Failed`. Nothing in here waits: the trader's side is
`control_server.py`, the command's `control_client.py`, which must start without asyncio,
a dashboard's `control_line.py`.

The socket lies in the profile's folder, 0600 in a folder that is ours; where its name would
be too long for the system, in the user's runtime folder. `trader.json` says where it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import struct
from datetime import datetime
from pathlib import Path

import msgspec

from ibkr_trader.adapters.account_lock import runtime_folder
from ibkr_trader.adapters.private_files import open_private, private_folder, replace_private
from ibkr_trader.core.errors import ConfigError, TraderError

PROTOCOL = 3
CARD_FILE = "trader.json"
SOCKET_FILE = "trader.sock"
LONGEST_PATH = 100  # bytes: macOS takes 103, Linux 107
MOST_ASKED = 64 * 1024  # bytes of a message to the trader
MOST_TOLD = 16 * 1024 * 1024  # bytes of a message from the trader
HEADER = struct.Struct("!I")
_CARD_LIMIT = 4_000
_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED = 0, 1, struct.Struct("=II")


class FrameFault(TraderError):
    """What came is no message of this protocol."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One message, of either side."""


class Hello(Message, frozen=True, kw_only=True):
    """The trader introduces itself, before anything is asked."""

    protocol: int
    version: str
    pid: int
    since: datetime


class Call(Message, frozen=True, kw_only=True):
    """A command to run: its name, its own options as typed, and the common ones.

    Attributes:
        settings: What was set where the command was typed: name → (text, where).
        arguments: The command line, for the corrected one that an error shows.
        is_attended: Whether a person sits at the terminal, and can be asked.
        both: The reply is wanted in both forms: for scripts and for people.
        operator: Who sits at a dashboard; empty for a command line.
        words: What a person would call the act, for the record beside the operator's name.
    """

    command: str
    options: dict[str, str | bool | list[str] | None] = {}
    json: bool = False
    utc: bool = False
    yes: bool = False
    dry_run: bool = False
    is_attended: bool = False
    both: bool = False
    operator: str = ""
    words: str = ""
    settings: dict[str, tuple[str, str]] = {}
    arguments: list[str] = []


class Yes(Message, frozen=True, kw_only=True):
    """The answer to `Asked`; somebody who says no hangs up.

    What had to be typed is compared by the trader: the client does not know what it should be.
    """

    typed: str = ""


class Refused(Message, frozen=True, kw_only=True):
    """The call is not taken; nothing was begun."""

    message: str
    hint: str = ""


class Started(Message, frozen=True, kw_only=True):
    """From here on the command may have done something."""


class Alive(Message, frozen=True, kw_only=True):
    """The command goes on, and there is nothing to tell."""


class Told(Message, frozen=True, kw_only=True):
    """A line of news; a note is for people alone."""

    text: str
    is_note: bool = False


class Asked(Message, frozen=True, kw_only=True):
    """A question to the person at the terminal: to be answered with yes, or by typing."""

    question: str
    is_typed: bool = False


class Seen(Message, frozen=True, kw_only=True):
    """How things stand, for a screen: what it looks like inside is between the two ends."""

    glimpse: msgspec.Raw


class Done(Message, frozen=True, kw_only=True):
    """The command's reply, as the faces understand it."""

    reply: msgspec.Raw


class Failed(Message, frozen=True, kw_only=True):
    """The command's error, as the faces understand it."""

    failure: msgspec.Raw


ToTrader = Call | Yes
FromTrader = Hello | Refused | Started | Alive | Told | Asked | Seen | Done | Failed


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a trader leaves in its folder so that commands find it."""

    pid: int
    socket: str
    since: datetime


def pack(message: Message) -> bytes:
    """Return `message` behind its length.

    Raises:
        FrameFault: If it is larger than the other side would take.
    """
    body = msgspec.json.encode(message)
    limit = MOST_ASKED if isinstance(message, ToTrader) else MOST_TOLD
    if len(body) > limit:
        raise FrameFault(f"a message of {len(body)} bytes is too long; {limit} is the limit")
    return HEADER.pack(len(body)) + body


def size_of(header: bytes, *, limit: int) -> int:
    """Return how long the message behind `header` is.

    Raises:
        FrameFault: If it is longer than `limit`.
    """
    (size,) = HEADER.unpack(header)
    if size > limit:
        raise FrameFault(f"a message of {size} bytes is announced; {limit} is the limit")
    return int(size)


def read_call(body: bytes) -> ToTrader:
    """Return what a command says.

    Raises:
        FrameFault: If it is no such message.
    """
    try:
        message: ToTrader = msgspec.json.decode(body, type=ToTrader)
    except msgspec.MsgspecError as error:
        raise FrameFault(f"not understood: {error}") from error
    return message


def read_answer(body: bytes) -> FromTrader:
    """Return what the trader says.

    Raises:
        FrameFault: If it is no such message.
    """
    try:
        message: FromTrader = msgspec.json.decode(body, type=FromTrader)
    except msgspec.MsgspecError as error:
        raise FrameFault(f"not understood: {error}") from error
    return message


def socket_path(folder: Path) -> Path:
    """Return where the trader of `folder` listens; the folder it lies in is private.

    Raises:
        ConfigError: If every name for it would be too long, or its folder is not ours.
    """
    path = folder / SOCKET_FILE
    if len(os.fsencode(path)) > LONGEST_PATH:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        path = runtime_folder() / f"trader-{name}.sock"
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise ConfigError(
            f"the name of the control socket is too long: {path}",
            hint="choose a shorter one: --data-dir or XDG_RUNTIME_DIR",
        )
    private_folder(path.parent)
    return path


def listen(path: Path) -> socket.socket:
    """Return a socket that listens at `path`, for this user alone.

    Only who holds the account lock may call it: a socket that is there already was left by
    a trader that died, and is removed.

    Raises:
        ConfigError: If something else is there, or it cannot be made.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError(f"{path} is in the way: it is no socket", hint=f"move {path} away")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(16)
        listener.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    except OSError as error:
        listener.close()
        raise ConfigError(f"the control socket cannot be opened at {path}: {error}") from error
    finally:
        os.umask(mask)
    return listener


def peer_uid(line: socket.socket) -> int | None:
    """Return which user is at the other end, as the kernel has it; None if it cannot tell."""
    if hasattr(socket, "SO_PEERCRED"):
        found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", found)[1])
    try:  # macOS and the BSDs: struct xucred begins with a version and the uid
        found = line.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 128)
        return int(_XUCRED.unpack(found[: _XUCRED.size])[1])
    except (OSError, struct.error):
        return None


def write_card(folder: Path, card: Card) -> None:
    """Say in `folder` where the trader is found, whole or not at all.

    Raises:
        ConfigError: If it cannot be written: then no command would find the trader.
    """
    try:
        replace_private(folder / CARD_FILE, msgspec.json.encode(card) + b"\n")
    except OSError as error:
        message = f"{folder / CARD_FILE} cannot be written: {error.strerror}"
        raise ConfigError(message, hint=f"free some space on the disk of {folder}") from error


def read_card(folder: Path) -> Card | None:
    """Return what the last trader of `folder` said, true or not any more; None without one."""
    try:
        descriptor = open_private(folder / CARD_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        return msgspec.json.decode(os.read(descriptor, _CARD_LIMIT), type=Card)
    except (OSError, msgspec.MsgspecError):
        return None
    finally:
        os.close(descriptor)


def take_down(folder: Path, path: Path) -> None:
    """Remove card and socket: nobody is found here any more."""
    for one in (folder / CARD_FILE, path):
        with contextlib.suppress(OSError):
            one.unlink()
