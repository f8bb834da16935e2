"""The monitor polls for ever: each ticker by itself, each prediction once, whatever comes back."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from examples.prediction_server import PREDICTIONS, serving
from ibkr_trader.adapters.settings import read_settings
from ibkr_trader.adapters.signals.flow_settings import ApiSettings
from ibkr_trader.adapters.signals.options_flow import OptionsFlowMonitor
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.core.enums import Outcome, SignalAction
from ibkr_trader.core.signals import DUPLICATE, Claim, FlowClaim, Malformed, SignalReply
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.rules.admission import TOO_MANY
from tests.adapters.signals.source_parts import (
    DONE,
    LATER,
    Api,
    Respond,
    Taker,
    at_once,
    http,
    prediction,
)

HOUR = 3_600


def monitor(url: str, tickers: tuple[str, ...] = ("AAPL",), **more: Any) -> OptionsFlowMonitor:
    values = {"url": url, "tickers": list(tickers), **more}
    settings = read_settings(values, ApiSettings, path="signals.api")
    return OptionsFlowMonitor(settings, chance=random.Random(1))  # noqa: S311 - a fixed one


class Watch:
    """A monitor that has polled an API for a while, and what came of it."""

    def __init__(self, respond: Respond, *replies: Any, **settings: Any) -> None:
        self.api = Api(respond)
        self.taker = Taker(*replies)
        self.counts: dict[str, int] = {}
        self.said: list[str] = []
        self._settings = settings

    async def lasts(self, seconds: float) -> Watch:
        async with self.api.serving():
            found = monitor(self.api.url, **self._settings)
            async with alongside(found.run(self.taker.take, say=self.said.append)):
                await asyncio.sleep(seconds)
            self.counts = dict(found.counts)
        return self

    def times(self, ticker: str) -> list[float]:
        return [at for at, path in self.api.times if f"/{ticker}/" in path]


def watched(respond: Respond, seconds: float, *replies: Any, **settings: Any) -> Watch:
    return at_once(Watch(respond, *replies, **settings).lasts(seconds))


def test_the_first_plan_s_threshold_can_be_read() -> None:
    found = monitor("https://api.example.com")
    assert found.thresholds == {"prediction_confidence_min": Decimal("0.75")}
    assert found.name == "api"


def test_a_prediction_is_handed_over_once_however_often_it_is_polled() -> None:
    """F-H01: the same prediction would be a new BUY each minute."""
    watch = watched(lambda _: http(prediction()), HOUR + 1)
    (found,) = watch.taker.taken
    assert isinstance(found, Claim)
    assert (found.source, found.ticker, found.action) == ("api", "AAPL", SignalAction.BUY)
    assert (found.confidence, found.price) == (Decimal("0.82"), Decimal("187.32"))
    assert watch.times("AAPL") == [60 * n for n in range(61)]
    assert watch.counts == {"answers": 61, "handed_over": 1, "repeated": 60}


def test_after_a_restart_it_has_the_same_name() -> None:
    first, second = (watched(lambda _: http(prediction()), 1).taker.taken for _ in range(2))
    assert first == second


def test_below_the_threshold_it_is_counted_and_not_handed_over() -> None:
    watch = watched(lambda _: http(prediction(confidence=0.74)), 121)
    assert watch.taker.taken == []
    assert watch.counts == {"answers": 3, "below_floor": 3}


def test_what_the_journal_did_not_take_is_handed_over_again() -> None:
    watch = watched(lambda _: http(prediction()), 241, LATER, LATER, DONE)
    assert watch.taker.times == [0, 60, 120]
    assert len({repr(one) for one in watch.taker.taken}) == 1


@pytest.mark.parametrize(
    ("reply", "times"),
    [
        (SignalReply(outcome=Outcome.REFUSED, code=TOO_MANY), [0, 60]),
        (SignalReply(outcome=Outcome.FAILED, is_final=False), [0, 60]),
        (SignalReply(outcome=Outcome.FAILED), [0]),
        (SignalReply(outcome=Outcome.REFUSED, code=DUPLICATE), [0]),
    ],
)
def test_a_flood_passes_and_what_is_not_final_comes_again(
    reply: SignalReply, times: list[int]
) -> None:
    watch = watched(lambda _: http(prediction()), 241, reply, DONE)
    assert watch.taker.times == times


def test_the_first_polls_are_spread_over_the_interval() -> None:
    tickers = ("A", "B", "C", "D")
    watch = watched(lambda _: http(prediction()), 119, tickers=tickers)
    assert watch.api.times[:4] == [
        (15 * n, f"/predictions/{t}/latest") for n, t in enumerate(tickers)
    ]
    assert [one.ticker for one in watch.taker.taken if isinstance(one, Claim)] == list(tickers)


def test_a_ticker_is_asked_for_as_the_settings_spell_it() -> None:
    watch = watched(lambda _: http(prediction()), 1, tickers=("brk b",))
    assert watch.api.times[0][1] == "/predictions/brk%20b/latest"
    assert [one.ticker for one in watch.taker.taken if isinstance(one, Claim)] == ["BRK B"]


async def never(_: str) -> bytes:
    await asyncio.Event().wait()
    return b""


TOO_LONG = http(b" " * 10_000_000)
BAD_DAYS: dict[str, Respond] = {
    "slow": never,
    "dead": lambda _: b"",
    "500": lambda _: http(b"{}", status="500 Oh no"),
    "302": lambda _: http(b"", status="302 Over there", extra="Location: /x\r\n"),
    "a page": lambda _: http(b"<p>", kind="text/html"),
    "dropped": lambda _: http(b'{"prediction"', length=500),
    "garbage": lambda _: b"\x00\x01\x02\r\n\r\n",
    "10 MB": lambda _: TOO_LONG,
    "deep": lambda _: http(b"[" * 1_000 + b"]" * 1_000),
    "NaN": lambda _: http(b'{"prediction": {"signal": "BUY", "confidence": NaN}}'),
    "bool": lambda _: http(prediction(confidence=True)),
    "no fields": lambda _: http(b"{}"),
}


@pytest.mark.parametrize("name", BAD_DAYS)
def test_one_bad_ticker_starves_no_other(name: str) -> None:
    """C30: the first plan's loop left all tickers alone when one failed."""
    bad = BAD_DAYS[name]

    def respond(path: str) -> bytes | Awaitable[bytes]:
        return bad(path) if "/BAD/" in path else http(prediction())

    watch = watched(respond, 1_499, tickers=("BAD", "AAPL"))  # the longest pause is among it
    assert watch.times("AAPL") == [30 + 60 * n for n in range(25)]
    claims = [one for one in watch.taker.taken if isinstance(one, Claim)]
    assert [one.ticker for one in claims] == ["AAPL"]
    assert len(watch.times("BAD")) > 3  # it goes on


@pytest.mark.parametrize("name", ["10 MB", "deep", "NaN", "bool", "no fields"])
def test_what_is_no_prediction_is_told_once_with_its_beginning(name: str) -> None:
    watch = watched(BAD_DAYS[name], 301)
    (found,) = watch.taker.taken
    assert isinstance(found, Malformed)
    assert found.message
    assert len(found.excerpt) <= 200
    assert watch.counts == {"answers": 6, "malformed": 6, "handed_over": 1}


@pytest.mark.parametrize("name", ["slow", "dead", "500", "302", "a page", "dropped", "garbage"])
def test_a_failure_is_logged_once_and_tried_again_ever_less_often(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ibkr_trader"):
        watch = watched(BAD_DAYS[name], 2 * HOUR)
    assert watch.taker.taken == []
    (line,) = caplog.messages
    assert line.startswith("Error polling predictions of AAPL: ")
    (said,) = watch.said
    assert said.startswith("signals of api do not come: predictions of AAPL: ")
    waited = [late - early for early, late in pairwise(watch.times("AAPL"))]
    slack = 10 if name == "slow" else 0
    for doubled, found in zip([60, 120, 240, 480, 900, 900, 900], waited, strict=False):
        assert doubled <= found <= doubled * 1.5 + slack + 0.01
    assert len(waited) >= 7
    assert len(set(waited)) == len(waited)  # jitter
    assert watch.counts == {"failures": len(watch.times("AAPL"))}


def test_when_it_works_again_that_is_logged_and_the_pace_is_the_usual(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = [http(b"", status="500 Oh no")] * 3 + [http(prediction())] * 100

    with caplog.at_level(logging.INFO, "ibkr_trader"):
        watch = watched(lambda _: answers.pop(0), HOUR)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert caplog.messages[1] == "polling predictions of AAPL works again, after 3 failures"
    assert watch.said[1:] == ["signals of api come again"]
    waited = [late - early for early, late in pairwise(watch.times("AAPL"))]
    assert {round(one, 1) for one in waited[3:]} == {60}
    assert len(watch.taker.taken) == 1


def test_measures_are_handed_over_when_they_cross() -> None:
    premiums = [5.0, 20.0, 21.0, 5.0, 30.0]
    gaps = ["0.1", "-0.4", "-0.5", "0.2"]

    def respond(path: str) -> bytes:
        if path.startswith("/trades"):
            return http({"trades": {"premium": premiums.pop(0) if premiums else 1}})
        if path.startswith("/gaps"):
            return http({"gap": gaps.pop(0) if gaps else "0"})
        return http(b"", status="404 Not Found")

    watch = watched(
        respond, 400, trades={"threshold": 20},
        divergence={"threshold": "-0.3", "path": "/gaps?of={ticker}", "value": "gap",
                    "crossing": "down"},
    )  # fmt: skip
    flows = [one for one in watch.taker.taken if isinstance(one, FlowClaim)]
    assert len(flows) == len(watch.taker.taken)
    assert [(one.measure, one.value, one.threshold) for one in flows] == [
        ("trades", 20, 20), ("divergence", Decimal("-0.4"), Decimal("-0.3")), ("trades", 30, 20),
    ]  # fmt: skip
    assert {one.ticker for one in flows} == {"AAPL"}


def test_one_is_handed_over_at_a_time() -> None:
    async def work() -> int:
        inside = most = 0

        async def take(_: object) -> Any:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(100)
            inside -= 1
            return DONE

        api = Api(lambda _: http(prediction()))
        async with (
            api.serving(),
            alongside(monitor(api.url, tickers=("A", "B", "C")).run(take)),
        ):
            await asyncio.sleep(HOUR)
        return most

    assert at_once(work()) == 1


def test_what_breaks_behind_it_is_not_hidden() -> None:
    async def take(_: object) -> Any:
        raise ZeroDivisionError("ours")

    async def work() -> None:
        api = Api(lambda _: http(prediction()))
        async with api.serving():
            await monitor(api.url, tickers=("A", "B")).run(take)

    with pytest.raises(ZeroDivisionError, match="ours"):
        at_once(work())


def test_whoever_waits_may_be_handed_in() -> None:
    """The pauses are asked for, not taken: a test, or a replay, has its own."""

    async def work() -> list[float]:
        pauses: list[float] = []
        enough = asyncio.Event()

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) > 3:
                enough.set()
                await asyncio.Event().wait()

        api = Api(lambda _: http(prediction()))
        async with api.serving():
            settings = ApiSettings(url=api.url, tickers=("A",), poll_seconds=7)
            source = OptionsFlowMonitor(settings, sleep=sleep)
            async with alongside(source.run(Taker().take)):
                await enough.wait()
        return pauses

    assert at_once(work()) == [0, 7, 7, 7]


def test_it_is_made_from_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"url": "https://api.example.com", "tickers": ["AAPL"], "token_env": "API_TOKEN",
              "name": "flow", "prediction_confidence_min": Decimal("0.8")}  # fmt: skip
    with pytest.raises(
        ValueError, match=r"^signals\.api\.token_env: the environment has no API_TOKEN"
    ):
        SOURCES["api"](values)
    monkeypatch.setenv("API_TOKEN", "s3cret")
    source = SOURCES["api"](values)
    assert isinstance(source, OptionsFlowMonitor)
    assert source.name == "flow"
    assert source.thresholds == {"prediction_confidence_min": Decimal("0.8")}
    assert "s3cret" not in repr(vars(source))
    with pytest.raises(ValueError, match=r"^signals\.api\.poll_seconds: "):
        SOURCES["api"]({**values, "poll_seconds": 0})


def test_the_token_is_sent_and_never_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cret")
    caplog.set_level(logging.DEBUG)

    async def work() -> list[str]:
        api = Api(lambda _: http(b"no", status="401 No"))
        async with api.serving():
            values = {"url": api.url, "tickers": ["AAPL"], "token_env": "API_TOKEN"}
            async with alongside(SOURCES["api"](values).run(Taker().take)):
                await asyncio.sleep(HOUR)
        return api.heads

    heads = at_once(work())
    assert all("authorization: bearer s3cret" in head.lower() for head in heads)
    assert caplog.messages
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("scenario", sorted(PREDICTIONS))
async def test_a_server_of_somebody_else_s_is_read(scenario: str) -> None:
    """The sample server is no part of ours: threads, and the standard library's HTTP."""

    async def next_turn(_: float) -> None:
        await asyncio.sleep(0)

    with serving(scenario) as url:
        settings = ApiSettings(url=url, tickers=("AAPL", "BRK.B"))
        source = OptionsFlowMonitor(settings, sleep=next_turn)
        taker = Taker()
        async with asyncio.timeout(30), alongside(source.run(taker.take)):
            await taker.has({"calm": 2, "day": 4, "trouble": 4}[scenario])
    ours = [one for one in taker.taken if isinstance(one, Claim)]
    expected = {
        "calm": ["BUY 187.32"],
        "day": ["BUY 187.32", "SELL 188.5"],
        "trouble": ["SHORT 185.34"],
    }
    told = [f"{one.action} {one.price}" for one in ours if one.ticker == "AAPL"]
    assert told == expected[scenario]
    assert {one.ticker for one in ours} == {"AAPL", "BRK B"}
    assert (source.counts.get("failures", 0) > 0) == (scenario == "trouble")
