"""The private door: who may come in, what is answered, and where it is."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from ibkr_trader.sim.gateway.acts import Act, Answer, CannotDo, Lift, Look
from ibkr_trader.sim.gateway.background import GatewayError
from ibkr_trader.sim.gateway.door import inject, knock, open_door


def answer(act: Act) -> Answer:
    """Answer every look, and refuse the rest."""
    if isinstance(act, Look):
        return Answer(text="all is well", data={"orders": []})
    raise CannotDo("not today", "look")


async def ask(path: Path, act: Act) -> Answer:
    return await asyncio.to_thread(knock, path, act, timeout=5)


def say(path: Path, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as visitor:
        visitor.settimeout(5)
        visitor.connect(str(path))
        visitor.sendall(line)
        heard = b""
        while more := visitor.recv(4096):
            heard += more
        return heard


async def test_one_act_one_answer(tmp_path: Path) -> None:
    async with open_door(tmp_path, answer) as path:
        assert path.stat().st_mode & 0o077 == 0
        assert (await ask(path, Look())).text == "all is well"
        assert await ask(path, Lift()) == Answer(ok=False, text="not today", hint="look")
    assert not path.exists()


@pytest.mark.parametrize(
    "line", [b"\n", b"what\n", b'{"do":"fly"}\n', b"\xff\xfe\n", b"x" * 70_000]
)
async def test_anything_else_is_answered_and_harms_nobody(tmp_path: Path, line: bytes) -> None:
    async with open_door(tmp_path, answer) as path:
        assert b"this is not an act" in await asyncio.to_thread(say, path, line)
        assert (await ask(path, Look())).ok


async def test_a_folder_with_a_long_name_has_its_door_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    async with open_door(deep, answer) as path:
        assert path.parent != deep
        assert path.parent.stat().st_mode & 0o077 == 0
        assert (await ask(path, Look())).ok
    assert not path.parent.exists()


async def test_a_door_that_a_killed_gateway_left_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(tmp_path / "door.sock"))
    left.close()
    async with open_door(tmp_path, answer) as path:
        assert (await ask(path, Look())).ok


def test_no_gateway_no_door(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="not running"):
        inject(tmp_path, Look())
