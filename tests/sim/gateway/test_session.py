"""A session answers or refuses whatever it is asked, without a socket."""

import struct
from datetime import UTC, datetime

import pytest

from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.gateway.floor import Floor
from ibkr_trader.sim.gateway.framing import API_SIGNATURE, Prologue, frame
from ibkr_trader.sim.gateway.session import Session, negotiate
from ibkr_trader.sim.universe import load_universe
from tests.sim.gateway.samples import SHAPES, client_at
from tests.sim.gateway.test_requests import CASES, frame_of

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
# TWS says nothing to these either: what they change is not there, or shows later.
SILENT = {
    "setServerLogLevel", "reqMarketDataType", "reqRealTimeBars", "cancelPositions",
    "cancelPositionsMulti", "cancelAccountUpdatesMulti", "cancelAccountSummary", "cancelPnL",
    "cancelPnLSingle", "cancelHeadTimeStamp", "cancelHistogramData",
    "cancelCalculateImpliedVolatility", "cancelNewsBulletins", "cancelFundamentalData",
    "cancelWshMetaData", "cancelWshEventData", "reqGlobalCancel",
}  # fmt: skip


@pytest.mark.parametrize(
    ("offer", "version"),
    [
        ((157, 176), 176),  # ib_insync
        ((157, 178), 178),  # ib_async
        ((100, 157), 157),  # ibapi 9.81
        ((100, 226), 178),  # ibapi 10.5x
        ((100, 173), 173),  # rust-ibapi 2
        ((100, 158), 157),  # read differently by two clients: avoided
        ((158, 158), None),
        ((100, 156), None),
        ((213, 220), None),  # protobuf only
    ],
)
def test_versions(offer: tuple[int, int], version: int | None) -> None:
    assert negotiate(Prologue(min_version=offer[0], max_version=offer[1])) == version


@pytest.fixture
def floor() -> Floor:
    exchange = Exchange(ExchangeConfig(opened_at=NOW), load_universe(NOW.date()))
    return Floor(exchange, now=NOW)


def greeted(floor: Floor, offer: bytes = b"v157..176") -> Session:
    session = Session(floor)
    session.receive(API_SIGNATURE + struct.pack(">I", len(offer)) + offer)
    assert session.talk.take()
    return session


def started(floor: Floor, client_id: int = 1) -> Session:
    session = greeted(floor)
    session.receive(frame(("71", "2", str(client_id), "")))
    assert session.client_id == client_id
    assert session.talk.take()
    return session


def said(session: Session) -> list[list[str]]:
    data = session.talk.take()
    replies = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        replies.append(data[4:end].decode().split("\0")[:-1])
        data = data[end:]
    return replies


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_every_request_is_answered_or_refused(
    floor: Floor, case: tuple[str, tuple[object, ...], object]
) -> None:
    method, args, _ = case
    session = started(floor)
    session.receive(frame(frame_of(176, method, args)))
    assert bool(said(session)) == (method not in SILENT)
    session.receive(frame(("49", "1")))
    assert said(session)[-1][0] == "49", "and the conversation goes on"


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_nothing_is_done_before_the_api_is_started(
    floor: Floor, case: tuple[str, tuple[object, ...], object]
) -> None:
    method, args, _ = case
    session = greeted(floor)
    session.receive(frame(frame_of(176, method, args)))
    [refusal] = said(session)
    assert refusal[:1] == ["4"]
    assert refusal[3] == "321"


def test_the_api_starts_once(floor: Floor) -> None:
    session = started(floor)
    session.receive(frame(("71", "2", "2", "")))
    assert said(session)[0][3] == "321"
    assert session.client_id == 1


def test_a_second_session_of_the_same_id_is_refused_and_closed(floor: Floor) -> None:
    started(floor)
    second = greeted(floor)
    second.receive(frame(("71", "2", "1", "")))
    assert said(second)[0][2:4] == ["-1", "326"]
    assert second.is_closed
    assert second.client_id == -1


def test_a_client_id_below_zero_is_refused_and_closed(floor: Floor) -> None:
    session = greeted(floor)
    session.receive(frame(("71", "2", "-5", "")))
    assert said(session)[0][3] == "321"
    assert session.is_closed
    assert floor.is_empty


@pytest.mark.parametrize("order_id", ["0", "-1", "2147483646999"])
def test_an_order_id_that_cannot_be_is_refused(floor: Floor, order_id: str) -> None:
    session = started(floor)
    client, sent = client_at(176)
    client.placeOrder(1, *SHAPES["limit"])
    session.receive(frame(("3", order_id, *sent[0][2:])))
    [refusal] = said(session)
    assert refusal[2:4] == [order_id, "321"]
    session.receive(frame(("8", "1", "1")))
    assert said(session) == [["9", "1", "1"]]


def test_a_closed_session_says_nothing_and_frees_its_id(floor: Floor) -> None:
    session = started(floor)
    session.close()
    session.close()
    session.receive(frame(("49", "1")))
    assert not session.talk.has_output
    assert started(floor).client_id == 1


def test_the_next_valid_id_is_asked_for(floor: Floor) -> None:
    session = started(floor)
    session.receive(frame(("8", "1", "1")))
    [reply] = said(session)
    assert reply[:2] == ["9", "1"]
    assert int(reply[2]) >= 1


@pytest.mark.parametrize("version", [157, 163, 164, 170, 173, 176, 178])
def test_every_version_gets_its_whole_first_picture(floor: Floor, version: int) -> None:
    session = greeted(floor, b"v100..%d" % version)
    session.receive(frame(("71", "2", "0", "")))
    for request in (("61", "1"), ("5", "1"), ("99", "0"), ("6", "2", "1", "")):
        session.receive(frame(request))
    session.receive(frame(("7", "3", "1", "0", "", "", "", "", "", "")))
    ends = {"62", "53", "102", "54", "55"}
    assert ends <= {reply[0] for reply in said(session)}


def test_subscriptions_that_clash_or_do_not_exist(floor: Floor) -> None:
    session = started(floor)
    subscribe = frame_of(176, *next((m, a) for m, a, _ in CASES if m == "reqMktData"))
    session.receive(frame(subscribe))
    said(session)
    session.receive(frame(subscribe))
    assert said(session)[0][2:4] == ["4", "322"]
    session.receive(frame(("2", "2", "4")))
    assert said(session) == []
    session.receive(frame(("2", "2", "4")))
    assert said(session)[0][2:4] == ["4", "300"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (("9", "8", "4", "0", "ZZZZ", "STK", *[""] * 9, "0", "", "", ""), "200"),
        (("91", "99999"), "321"),
        (("78", "4", "AAPL", "", "STK", "1"), "200"),
        (("81", "4", ""), None),
        (("6", "2", "1", "DU999"), "321"),
        (("92", "4", "DU999", ""), "321"),
        (("62", "1", "4", "Nobody", "NetLiquidation"), "321"),
        (("59", "1", "9"), "321"),
        (("7", "3", "4", "0", "", "yesterday", "", "", "", ""), "321"),
        (("15", "1", "1"), "321"),
    ],
)
def test_questions_about_what_does_not_exist(
    floor: Floor, fields: tuple[str, ...], code: str | None
) -> None:
    session = started(floor)
    session.receive(frame(fields))
    [reply] = said(session)
    if code is None:
        assert reply[0] != "4"
    else:
        assert (reply[0], reply[3]) == ("4", code)
