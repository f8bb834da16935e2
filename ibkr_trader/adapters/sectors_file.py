"""`sectors.json`: the sector of each symbol, in the user's own words.

    {"AAPL": "Technology", "BRK.B": "Financial"}

Read as strictly as the limits: a slip could take a symbol out of its sector, and so out of
the sector's limit. A file with a fault says nothing at all.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ibkr_trader.adapters.json_places import Document, JsonFault, Number, Object
from ibkr_trader.adapters.limits_reader import spelled
from ibkr_trader.core.text import plain
from ibkr_trader.execution.correlation_watch import SectorsReading
from ibkr_trader.risk.limits_reading import LimitsFault

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.adapters.json_places import Node

FILE = "sectors.json"
MOST = 1_000_000  # bytes
_LONGEST = 40  # characters of a sector's name
_SECTOR = 'write the name of its sector in double quotes, as in "Technology"'


class SectorsFile:
    """The sectors file of one data folder.

    Attributes:
        path: Where it is, or would be.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    @property
    def name(self) -> str:
        """What a message calls it."""
        return str(self.path)

    def mark(self) -> object:
        """Return what changes whenever the file does; None if it is missing."""
        return mark_of(self.path)

    def read(self) -> SectorsReading:
        """Return what the file says; whatever is wrong with it is in the answer."""
        mark = self.mark()
        try:
            data = read_whole(self.path, MOST)
        except FileNotFoundError:
            return SectorsReading()
        except OSError as error:
            fault = LimitsFault(message=f"cannot be read: {error.strerror or error}")
            return SectorsReading(faults=(fault,), mark=mark)
        sectors, faults = parse(data)
        return SectorsReading(sectors={} if faults else sectors, faults=faults, mark=mark)


def mark_of(path: Path) -> object:
    """Return what changes whenever a file does; None if it is missing."""
    try:
        status = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.errno
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size


def read_whole(path: Path, most: int) -> bytes:
    """Return the content of a file, never through a link.

    Raises:
        FileNotFoundError: If there is none.
        OSError: If it cannot be read, or is larger than `most` bytes.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(f"it is larger than {most:,} bytes")
    return data


def parse(data: bytes) -> tuple[dict[str, str], tuple[LimitsFault, ...]]:
    """Return the sector of each symbol, and everything that is wrong with the text."""
    try:
        document = Document(data.decode("utf-8"))
    except UnicodeDecodeError:
        return {}, (LimitsFault(message="this is not UTF-8 text: save it as UTF-8"),)
    except JsonFault as error:
        line, column = error.place
        return {}, (LimitsFault(line=line, column=column, message=error.message),)
    faults: list[LimitsFault] = []

    def fault(node: Node, key: str, message: str) -> None:
        line, column = document.place(node)
        faults.append(LimitsFault(line=line, column=column, key=key, message=message))

    if not isinstance(document.root.value, Object):
        fault(document.root, "", 'it must be an object: write {"AAPL": "Technology"}')
        return {}, tuple(faults)
    found: dict[str, str] = {}
    for member in document.root.value.members:
        key, value = plain(member.name, limit=40), member.node.value
        symbol, why = spelled(member.name)
        if why:
            fault(member.key, key, why)
        elif symbol in found:
            fault(member.key, key, "it stands here twice: remove one of them")
        elif not isinstance(value, str) or isinstance(value, Number):
            fault(member.node, key, _SECTOR)
        elif not value.strip() or plain(value, limit=_LONGEST) != value:
            fault(member.node, key, f"1 to {_LONGEST} visible characters, please: {_SECTOR}")
        else:
            found[symbol] = value
    return found, tuple(faults)
