"""A command at a trader asks the person at the other terminal, and takes only what is right."""

from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.adapters.control import Call
from ibkr_trader.cli.exits import Unconfirmed
from ibkr_trader.cli.remote_face import RemoteFace


class Typist:
    """A client who types what it is told to."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[tuple[str, bool]] = []

    async def ask(self, question: str, *, is_typed: bool = False) -> str:
        self.asked.append((question, is_typed))
        return self.answer


def face(client: Typist, **call: Any) -> RemoteFace:
    made = Call(command="x.do", **call)
    nothing: Any = None
    return RemoteFace(made, client, settings=nothing, desk=nothing, trader=nothing)  # type: ignore[arg-type] # as much of a client as is needed


async def test_what_was_typed_is_compared_here() -> None:
    right = Typist("U0000000")
    await face(right, yes=True).ask_typed("Which account?", "U0000000")
    assert right.asked == [("Which account?", True)], "--yes answers nothing"
    for wrong in ("", "y", "u0000000", "U000000", "U00000000"):
        with pytest.raises(Unconfirmed, match="not what had to be typed"):
            await face(Typist(wrong)).ask_typed("Which account?", "U0000000")


def test_what_is_streamed_is_the_clients_affair() -> None:
    class Screen(Typist):
        def stream(self, payload: bytes) -> bool:
            return payload == b"{}"

    assert face(Screen("")).stream(b"{}")
    assert not face(Screen("")).stream(b"[]"), "the caller hears that it was left out"


@pytest.mark.parametrize("is_attended", [True, False])
def test_the_client_says_whether_anybody_sits_there(*, is_attended: bool) -> None:
    assert face(Typist(""), is_attended=is_attended).is_attended is is_attended
