"""No secret that a desk was given stands anywhere afterwards, whatever went wrong meanwhile."""

from __future__ import annotations

import socket
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.signals.envelope import signed
from tests.cli.conftest import CommandLine
from tests.scenarios.traders import RunningTrader, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
ACCOUNT = "U1234567"  # no account of anybody's: it looks like one
# One for each place that takes a secret, all of them long enough to be unmistakable.
CANARIES = {
    name: f"canary-{number}-{name.lower().replace('_', '-')}"
    for number, name in enumerate(
        (
            "SIGNAL_KEY", "NEXT_SIGNAL_KEY", "API_TOKEN", "QUEUE_PASSWORD",
            "STREAM_PASSWORD", "HOOK_KEY", "HOOK_TOKEN",
        )
    )
}  # fmt: skip
LEAKS = f"""
import os
from ibkr_trader import StrategyProgram

class Leaks(StrategyProgram):
    name, symbols = "leaks", ("AAPL",)

    def on_signal(self, moment):
        told = " ".join(os.environ[name] for name in {sorted(CANARIES)})
        raise RuntimeError(f"account {ACCOUNT} and token={{told}}")
"""


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    one.env |= CANARIES
    yield one
    one.stop_gateway()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def configure(line: CommandLine, door: int) -> None:
    dead = "127.0.0.1:9"  # nobody is there: every source and sink has something to complain of
    (line.folder / "config.toml").write_text(
        f"[signals]\nneeds_signature = true\n"
        f"[signals.webhook]\nport = {door}\n"
        'keys = { k1 = "SIGNAL_KEY", k2 = "NEXT_SIGNAL_KEY" }\n'
        f'[signals.api]\nurl = "http://{dead}"\ntickers = ["AAPL"]\ntoken_env = "API_TOKEN"\n'
        f'[signals.redis]\nurl = "redis://{dead}"\npassword_env = "QUEUE_PASSWORD"\n'
        'keys = { k1 = "SIGNAL_KEY" }\n'
        f'[sinks.redis_streams]\nurl = "redis://{dead}"\npassword_env = "STREAM_PASSWORD"\n'
        f'[sinks.webhook]\nurl = "http://{dead}/x"\nkey_env = "HOOK_KEY"\n'
        'token_env = "HOOK_TOKEN"\n'
        "[metrics]\nport = 0\n"
    )


def post(door: int, key: str, *, signal_id: str, token: str = "") -> int:
    body = signed(
        {
            "v": 1, "id": signal_id, "source": "webhook", "ts": SystemClock().now(),
            "symbol": "AAPL", "action": "BUY", "confidence": Decimal("0.91"),
        },
        key_id="k1",
        key=key.encode(),
    )  # fmt: skip
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{door}/signals", body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def is_open(door: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", door)) == 0


def wait_for(door: int) -> None:
    until = time.monotonic() + 20
    while not is_open(door):
        assert time.monotonic() < until


def scraped(trader: RunningTrader) -> str:
    told = next((one for one in trader.said if "figures are told" in one), None)
    address = (told or trader.hear("figures are told")).split()[-1]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def everything(line: CommandLine) -> dict[str, bytes]:
    """Return every file that was written, and what the archive has."""
    found = {str(one): one.read_bytes() for one in line.folder.rglob("*") if one.is_file()}
    del found[str(line.folder / "leaks.py")]
    with tarfile.open(line.folder / "it.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            found[f"bundle {member.name}"] = content.read()
    return found


def test_no_secret_is_left_anywhere(line: CommandLine) -> None:
    door = free_port()
    configure(line, door)
    (line.folder / "leaks.py").write_text(LEAKS)
    with running(line, "--strategy", str(line.folder / "leaks.py")) as trader:
        figures = scraped(trader)
        wait_for(door)
        assert post(door, "not the key, but long enough", signal_id="bad") >= 400
        token = CANARIES["HOOK_TOKEN"]
        assert post(door, CANARIES["SIGNAL_KEY"], signal_id=f"good-{ACCOUNT}", token=token) == 200
        trader.hear("RuntimeError")
        asked = [line("status"), line("config show"), line("why"), line("doctor")]
        trader.end()
        assert trader.process.stdout is not None
        assert trader.process.stderr is not None
        said = [*trader.said, trader.process.stdout.read(), trader.process.stderr.read()]
    asked += [line("audit tail -n 200"), line("audit export it.tar.gz"), line("audit verify")]
    assert [one.code for one in asked[-3:]] == [0, 0, 0]
    spoken = {f"answer {n}": f"{one.out}{one.err}".encode() for n, one in enumerate(asked)}
    places = everything(line) | spoken
    places |= {"standard streams": "\n".join(said).encode(), "metrics": figures.encode()}
    log = places[str(line.data / "sim" / "ibkr-trader.log")]
    assert b"RuntimeError" in log
    assert b"token=***" in log
    for place, content in places.items():
        for name, canary in CANARIES.items():
            assert canary.encode() not in content, f"{name} stands in {place}"
    assert ACCOUNT.encode() not in log
    for place, content in places.items():
        if place.startswith("bundle"):
            assert ACCOUNT.encode() not in content, place
