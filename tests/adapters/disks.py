"""A disk that fills up while it is written: the kernel takes a part of a write, and says nothing.

The limit on a file's size does just that, and needs neither a mount nor a mock.
"""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def takes_only(size: int) -> Iterator[None]:
    """Have no file of this process grow beyond `size` bytes, for the length of the block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
