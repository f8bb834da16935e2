"""Named parts, discovered from a package: how the desk grows by adding files.

A registry maps a name to a part (a check, an order type, a command family). Importing
every module of a package registers what they hold; two parts of one name are refused.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Generic, TypeVar

from ibkr_trader.core.errors import InvariantBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Registry(Generic[T]):
    """The parts of one kind, by name and in its order: whoever imported which of them first."""

    def __init__(self, kind: str, package: str | None = None) -> None:
        self._kind = kind
        self._package = package
        self._parts: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that enters a part under `name`.

        Raises:
            InvariantBroken: If the name is taken.
        """

        def enter(part: T) -> T:
            if name in self._parts:
                message = f"two parts of kind {self._kind!r} are called {name!r}"
                raise InvariantBroken(message)
            self._parts[name] = part
            return part

        return enter

    def __getitem__(self, name: str) -> T:
        self.discover()
        return self._parts[name]

    def __contains__(self, name: str) -> bool:
        self.discover()
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        self.discover()
        return iter(sorted(self._parts))

    def items(self) -> list[tuple[str, T]]:
        """Every name with its part, discovering the package first."""
        self.discover()
        return sorted(self._parts.items(), key=lambda part: part[0])

    def discover(self) -> None:
        """Import every module of the registry's package, once and in order of name."""
        if self._package is None:
            return
        package, self._package = importlib.import_module(self._package), None
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
            importlib.import_module(f"{package.__name__}.{module.name}")
