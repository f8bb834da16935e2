"""The rows that message tables are made of; `steps` compiles them for one version."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from ibkr_trader.sim.gateway.kinds import Kind

FOREVER = 1 << 30


class MalformedMessage(Exception):
    """A message that cannot be read: too short, or a field that is not what it should be."""


class Nestable(Protocol):
    """A layout, as a row that nests it needs to know it."""

    @property
    def struct(self) -> type[Any]:
        """What the rows make."""

    @property
    def rows(self) -> "tuple[Item, ...]":
        """The rows."""


class Row(msgspec.Struct, frozen=True):
    """One field: attribute `name`, present from version `since` and before `until`."""

    name: str
    kind: Kind
    since: int = 0
    until: int = FOREVER


class Literal(msgspec.Struct, frozen=True):
    """A field that carries nothing: written as `text`, skipped when read."""

    text: str = ""
    since: int = 0
    until: int = FOREVER


class Part(msgspec.Struct, frozen=True):
    """A struct inside the struct, its fields in line."""

    name: str
    layout: Nestable
    since: int = 0
    until: int = FOREVER


class Many(msgspec.Struct, frozen=True):
    """A count, then that many structs."""

    name: str
    layout: Nestable
    since: int = 0
    until: int = FOREVER


class Values(msgspec.Struct, frozen=True):
    """A count, then that many tuples of plain values (bare values when `kinds` has one)."""

    name: str
    kinds: tuple[Kind, ...]
    since: int = 0
    until: int = FOREVER


class Variants(msgspec.Struct, frozen=True):
    """A count, then that many structs whose first field says which layout they have."""

    name: str
    layouts: Mapping[int, Nestable]
    since: int = 0
    until: int = FOREVER


class Scope(msgspec.Struct, frozen=True):
    """Rows whose attributes live in the struct at `name`; several scopes may share a name."""

    name: str
    rows: tuple["Item", ...]
    since: int = 0
    until: int = FOREVER


class When(msgspec.Struct, frozen=True):
    """Rows that exist only if `test` holds for an attribute read or written before them."""

    name: str
    test: Callable[[Any], bool]
    rows: tuple["Item", ...]
    since: int = 0
    until: int = FOREVER


Item = Row | Literal | Part | Many | Values | Variants | Scope | When
