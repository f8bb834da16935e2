from __future__ import annotations

import getpass

import pytest

from ibkr_trader.adapters.user import user_name


def test_who_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "bert\x1b[2J")
    assert user_name() == "bert[2J"

    def nobody() -> str:
        raise KeyError("uid")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert user_name().startswith("uid ")
