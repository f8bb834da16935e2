"""A map that only grows, and costs little to copy: for the day's past.

Every change makes a new map and leaves the old one as it was. The two share their layers,
each at least as large as all newer ones together, so that adding is O(log n) on average
and a day of ten thousand fills costs no more per fill than a day of ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, ValuesView
from typing import Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class GrowingMap(Mapping[K, V], Generic[K, V]):
    """An immutable map; iteration is in order of first entry."""

    __slots__ = ("_layers", "_size")

    def __init__(self, entries: Mapping[K, V] | None = None) -> None:
        self._layers: tuple[dict[K, V], ...] = (dict(entries),) if entries else ()  # newest first
        self._size = len(entries) if entries else 0

    def plus(self, key: K, value: V) -> GrowingMap[K, V]:
        """Return the map with `key` entered, or with its value replaced."""
        newest, layers = {key: value}, self._layers
        while layers and len(layers[0]) <= len(newest):
            newest, layers = {**layers[0], **newest}, layers[1:]
        grown: GrowingMap[K, V] = GrowingMap()
        grown._layers = (newest, *layers)
        grown._size = self._size + (key not in self)
        return grown

    def only(self, keep: Callable[[V], bool]) -> GrowingMap[K, V]:
        """Return the map without the values that `keep` refuses; costs a whole copy."""
        return GrowingMap({key: value for key, value in self.items() if keep(value)})

    def since(self, former: GrowingMap[K, V]) -> list[tuple[V | None, V]] | None:
        """Return what is new since `former`, with what it replaces; None if something is gone.

        It costs as much as the layers that the two do not share: of one step, next to nothing.
        """
        ours, theirs = list(self._layers), list(former._layers)
        while ours and theirs and ours[-1] is theirs[-1]:
            ours.pop()
            theirs.pop()
        newer, older = _merged(ours), _merged(theirs)
        if not older.keys() <= newer.keys():
            return None
        found = ((older[key] if key in older else former.get(key), newer[key]) for key in newer)
        return [(old, new) for old, new in found if old is not new]

    def values(self) -> ValuesView[V]:
        """Return the values, in order of first entry."""
        return _merged(self._layers).values()

    @overload
    def get(self, key: K, /) -> V | None: ...

    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...

    def get(self, key: K, /, default: V | D | None = None) -> V | D | None:
        """Return the value of `key`, or `default`; without the exception that `Mapping` takes."""
        for layer in self._layers:
            if key in layer:
                return layer[key]
        return default

    def __getitem__(self, key: K) -> V:
        for layer in self._layers:
            if key in layer:
                return layer[key]
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        for layer in self._layers:  # noqa: SIM110 - asked for each fill: a generator costs as much again
            if key in layer:
                return True
        return False

    def __iter__(self) -> Iterator[K]:
        return iter(_merged(self._layers))

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"GrowingMap({dict(self)!r})"


def _merged(layers: Sequence[dict[K, V]]) -> dict[K, V]:
    """All of `layers`, newest first, as one: what is older comes first, what is newer counts."""
    if len(layers) == 1:
        return layers[0]
    merged: dict[K, V] = {}
    for layer in reversed(layers):
        merged.update(layer)
    return merged
