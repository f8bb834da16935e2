"""A person's folder, with settings of his own and nothing from this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader import config
from ibkr_trader.config import Settings


class Desk:
    """A person's folder with the files in it, and nothing from this machine."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.env: dict[str, str] = {}

    def load(self, **flags: object) -> Settings:
        return config.load(flags, environ=self.env, cwd=self.cwd)

    def locate(self, **flags: object) -> config.Place:
        return config.locate(flags, environ=self.env, cwd=self.cwd)

    def dotenv(self, text: str) -> None:
        (self.cwd / ".env").write_text(text)

    def toml(self, text: str) -> Path:
        path = self.cwd / "config.toml"
        path.write_text(text)
        self.env["IBKR_CONFIG"] = str(path)
        return path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg-config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg-data"))
    cwd = tmp_path / "here"
    cwd.mkdir()
    return Desk(cwd)


def origin(settings: Settings, name: str) -> str:
    return next(one.origin for one in settings.effective if one.name == name)


def shown(settings: Settings, name: str) -> str:
    return next(one.value for one in settings.effective if one.name == name)
