"""`set-symbol-limit` where a trader runs that answers oddly: what was written stays written."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.adapters.control import Call, Done, Failed
from ibkr_trader.adapters.control_server import Client
from ibkr_trader.cli import limits_setting
from ibkr_trader.cli.face import Face
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.remote import pack_reply
from ibkr_trader.config import Place, Profile
from tests.adapters.control_parts import Serve, door


async def set_at(
    serve: Serve, data: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Reply, list[Call]]:
    """Set a limit at a door that serves in a way of its own."""
    calls: list[Call] = []

    async def noting(call: Call, client: Client) -> Done | Failed:
        calls.append(call)
        return await serve(call, client)

    face = Face(data_dir=str(data), profile="sim", arguments=["set-symbol-limit"])
    given = {"--max-position": "50"}
    async with door(noting) as folder:
        place = _Elsewhere(profile=Profile.SIM, data_dir=folder)
        monkeypatch.setattr(Face, "place", lambda _: place)
        reply = await asyncio.to_thread(
            limits_setting.set_limits, face, "AAPL", given, is_default=False, is_removal=False
        )
    return reply, calls


class _Elsewhere(Place, frozen=True, kw_only=True):
    """The place of a trader whose door is in a folder with a short name."""

    @property
    def folder(self) -> Path:
        return self.data_dir


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


def written(data: Path) -> object:
    return json.loads((data / "symbol_limits.json").read_text())["symbol_limits"]


async def test_the_trader_is_asked_to_look_and_says_what_waits(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = {
        "symbol": "*",
        "key": "max_daily_loss",
        "before": None,
        "after": "70",
        "is_looser": True,
    }

    async def serve(call: Call, client: Client) -> Done:
        return pack_reply(
            Reply(schema="x/1", data={"pid": 7, "fault": "", "waiting": [waits]}, blocks=[]),
            json=True,
        )

    reply, (call,) = await set_at(serve, data, monkeypatch)
    assert call.command == "risk.limits-look"
    assert reply.data["trader"] == {"pid": 7, "waiting": [waits]}
    assert reply.blocks[-1] == "  every other symbol max_daily_loss – → 70"
    assert written(data) == {"AAPL": {"max_position_size": "50"}}


async def test_a_trader_that_cannot_say_is_told_of(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = Failure(code="bug", message="of another version", exit_code=1)

    async def serve(call: Call, client: Client) -> Failed:
        return Failed(failure=msgspec.Raw(msgspec.json.encode(failure)))

    reply, _ = await set_at(serve, data, monkeypatch)
    assert reply.blocks[-1] == (
        "A trader runs and did not answer (of another version): it looks by itself."
    )
    assert (reply.data["written"], reply.data["trader"]) == (True, {"pid": None, "waiting": []})
    assert written(data) == {"AAPL": {"max_position_size": "50"}}
