"""Messages go where apprise takes them: to a server of our own, over a real socket."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from ibkr_trader.adapters.notify.apprise_notifier import notifier_of
from ibkr_trader.adapters.secret_text import Secret
from ibkr_trader.core.errors import ConfigError, NotifyFailed

CANARY = "canarytoken"


class Sink(HTTPServer):
    """Takes what is posted; `status` is what it answers."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 200
        self.open = threading.Event()  # until then nothing is answered
        self.open.set()
        super().__init__(("127.0.0.1", 0), Taker)


class Taker(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(json.loads(body))
        self.server.open.wait()
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    server = Sink()
    worker = threading.Thread(target=server.serve_forever, args=(0.01,))
    worker.start()
    monkeypatch.setenv("DESK_NOTIFY_URL", f"json://127.0.0.1:{server.server_port}/{CANARY}")
    yield server
    server.open.set()
    server.shutdown()
    worker.join()
    server.server_close()


async def test_a_message_arrives(sink: Sink) -> None:
    await notifier_of(["DESK_NOTIFY_URL"]).notify("two alarms", "the day is NOT ended flat")
    (taken,) = sink.taken
    assert (taken["title"], taken["message"]) == ("two alarms", "the day is NOT ended flat")


async def test_a_message_has_no_secret_in_it(sink: Sink) -> None:
    token = Secret("hunter22")
    words = f"the broker said {token.reveal()}"
    await notifier_of(["DESK_NOTIFY_URL"]).notify(words, words)
    (taken,) = sink.taken
    assert (taken["title"], taken["message"]) == ("the broker said ***",) * 2


async def test_a_way_that_fails_is_named_and_its_address_is_not(
    sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    sink.status = 500
    with caplog.at_level(logging.DEBUG), pytest.raises(NotifyFailed) as failed:
        await notifier_of(["DESK_NOTIFY_URL"]).notify("t", "b")
    assert "DESK_NOTIFY_URL (JSON)" in failed.value.message
    assert CANARY not in failed.value.message + caplog.text


async def test_one_way_that_fails_keeps_no_other_from_its_message(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_NOTIFY_MAIL", "json://127.0.0.1:9/nobody")
    tried = await notifier_of(["DESK_NOTIFY_MAIL", "DESK_NOTIFY_URL"]).tried("t", "b")
    assert [(way.name, went) for way, went in tried] == [
        ("DESK_NOTIFY_MAIL", False),
        ("DESK_NOTIFY_URL", True),
    ]
    assert len(sink.taken) == 1


@pytest.mark.parametrize("value", ["", f"nonsense-{CANARY}", f"unknown://{CANARY}"])
def test_what_is_no_address_is_refused_without_being_shown(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_NOTIFY_URL", value)
    with pytest.raises(ConfigError) as refused:
        notifier_of(["DESK_NOTIFY_URL"])
    assert "DESK_NOTIFY_URL" in refused.value.message
    assert CANARY not in refused.value.message + refused.value.hint


async def test_a_server_that_never_ends_its_answer_holds_up_neither_loop_nor_program(
    sink: Sink,
) -> None:
    """A thread of the loop's own would be waited for at the end of the program, for ever."""
    sink.open.clear()
    notifier = notifier_of(["DESK_NOTIFY_URL"], patience=0.2)
    with pytest.raises(NotifyFailed) as failed:
        await notifier.notify("t", "b")
    assert "DESK_NOTIFY_URL" in failed.value.message
    under_way = [one for one in threading.enumerate() if one.name == "notify"]
    assert [one.daemon for one in under_way] == [True]
    assert [went for _, went in await notifier.tried("t", "again")] == [False]
    assert [one for one in threading.enumerate() if one.name == "notify"] == under_way
    sink.open.set()
    under_way[0].join(5)
    await notifier.notify("t", "at last")
    assert [one["message"] for one in sink.taken] == ["b", "at last"]
