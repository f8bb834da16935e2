"""Messages as tables: rows in wire order, each with the server versions that have it.

A `Layout` is a struct and its rows. Compiled for one negotiated version it both reads fields into
the struct and writes the struct as fields, so a rule of the wire is stated once. A new version
gate is a row with `since` or `until`; nothing else knows about versions.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from ibkr_trader.sim.gateway.items import FOREVER, Item, MalformedMessage, Row
from ibkr_trader.sim.gateway.kinds import Kind
from ibkr_trader.sim.gateway.steps import Step, compile_rows, read_all

T = TypeVar("T", bound=msgspec.Struct)


class Layout(Generic[T]):
    """The rows of one struct, compiled on first use for each version."""

    def __init__(
        self, struct: type[T], *rows: Item, scopes: Mapping[str, type[Any]] | None = None
    ) -> None:
        self.struct = struct
        self.rows = rows
        self._scopes = dict(scopes or {})
        self._compiled: dict[int, tuple[Step, ...]] = {}

    def at(self, version: int) -> tuple[Step, ...]:
        """Return the compiled steps for `version`."""
        steps = self._compiled.get(version)
        if steps is None:
            steps = self._compiled[version] = compile_rows(self.rows, version)
        return steps

    def read(self, fields: Sequence[str], *, version: int, at: int = 0) -> T:
        """Read one struct; unknown trailing fields are ignored.

        Raises:
            MalformedMessage: A field is missing or unreadable.
        """
        try:
            values, _ = read_all(self.at(version), fields, at)
        except IndexError:
            message = f"too few fields ({len(fields)})"
            raise MalformedMessage(message) from None
        for name, struct in self._scopes.items():
            values[name] = struct(**values[name])
        return self.struct(**values)

    def write(self, value: T, version: int) -> list[str]:
        """Return the fields of `value`."""
        out: list[str] = []
        for step in self.at(version):
            step.write(value, out)
        return out


def rows(kind: Kind, names: str, *, since: int = 0, until: int = FOREVER) -> tuple[Row, ...]:
    """Return one row per name in `names` (separated by spaces), all of one kind and gate."""
    return tuple(Row(name, kind, since, until) for name in names.split())
