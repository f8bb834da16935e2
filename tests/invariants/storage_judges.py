"""S31 and S34: what a damaged disk may change, and what nothing may ever tell.

Judged by what a reader is given, and by the bytes that are left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

Read = Callable[[bytes], object]


def s31_noticed(truth: object, copies: Iterable[bytes], read: Read) -> list[str]:
    """Judge that a damaged copy is refused, or read as what was written.

    `read` returns what a copy says, or None if it says that it is damaged.
    """
    return [
        f"S31 copy {number} was read as something else"
        for number, copy in enumerate(copies)
        if (found := read(copy)) is not None and found != truth
    ]


def s34_no_secret(canaries: Mapping[str, str], left: Mapping[str, bytes]) -> list[str]:
    """Judge that no secret stands in anything that was written or shown."""
    return [
        f"S34 the {secret} stands in {where}"
        for secret, text in canaries.items()
        for where, content in left.items()
        if text.encode() in content
    ]
