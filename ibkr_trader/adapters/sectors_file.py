"""`sectors.json`: the sector of each symbol, in the user's own words.

    {"AAPL": "Technology", "BRK.B": "Financial"}

Read as strictly as the limits: a slip could take a symbol out of its sector, and so out of
the sector's limit. A file with a fault says nothing at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.json_places import Document, JsonFault, Number, Object
from ibkr_trader.adapters.limits_reader import spelled
from ibkr_trader.adapters.trusted_file import mark_of, read_trusted
from ibkr_trader.core.text import plain
from ibkr_trader.execution.correlation_watch import SectorsReading
from ibkr_trader.risk.limits_reading import LimitsFault

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.adapters.json_places import Node

FILE = "sectors.json"
MOST = 1_000_000  # bytes
_LONGEST = 40  # characters of a sector's name
_FORMAT = 'the symbols stand at the top: write {"AAPL": "Technology", "JPM": "Financial"}'
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
        try:
            found = read_trusted(self.path, MOST)
        except FileNotFoundError:
            return SectorsReading()
        if found.why:
            return SectorsReading(faults=(LimitsFault(message=found.why),), mark=found.mark)
        sectors, faults = parse(found.data)
        return SectorsReading(sectors={} if faults else sectors, faults=faults, mark=found.mark)


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
        key = plain(member.name, limit=40)
        symbol, why = spelled(member.name)
        sector, odd = _sector(member.node)
        if symbol in found:
            why = why or "it stands here twice: remove one of them"
        if odd == _FORMAT or why:
            fault(member.key, key, odd if odd == _FORMAT else why)
        elif odd:
            fault(member.node, key, odd)
        else:
            found[symbol] = sector
    return found, tuple(faults)


def _sector(node: Node) -> tuple[str, str]:
    """The sector that a value names, or what is wrong with it."""
    value = node.value
    if isinstance(value, Object | list):
        return "", _FORMAT
    if not isinstance(value, str) or isinstance(value, Number):
        return "", _SECTOR
    if not value.strip() or plain(value, limit=_LONGEST) != value:
        return "", f"1 to {_LONGEST} visible characters, please: {_SECTOR}"
    return value, ""
