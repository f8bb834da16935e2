from __future__ import annotations

import pytest

from ibkr_trader.core.hosts import is_loopback


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("", False),
    ],
)
def test_this_machine_is_known_by_name_and_address(host: str, is_here: bool) -> None:
    assert is_loopback(host) is is_here
