"""Frames survive any split of the stream; anything that is not a frame is a typed error."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.sim.gateway.framing import (
    API_SIGNATURE,
    MAX_FRAME,
    Frame,
    FrameReader,
    Prologue,
    ProtocolError,
    frame,
)

HELLO = API_SIGNATURE + struct.pack(">I", 9) + b"v157..176"
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
MESSAGES = st.lists(st.lists(TEXT, min_size=1, max_size=6), max_size=5)


def drain(reader: FrameReader) -> list[Prologue | Frame]:
    events = []
    while (event := reader.next_event()) is not None:
        events.append(event)
    return events


@given(messages=MESSAGES, cuts=st.lists(st.integers(0, 200), max_size=8))
def test_any_split_gives_the_same_events(messages: list[list[str]], cuts: list[int]) -> None:
    stream = HELLO + b"".join(frame(fields) for fields in messages)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = FrameReader()
    events: list[Prologue | Frame] = []
    for start, end in pairwise(edges):
        reader.receive(stream[start:end])
        events += drain(reader)
    assert events[0] == Prologue(min_version=157, max_version=176)
    assert [event.fields for event in events[1:] if isinstance(event, Frame)] == [
        tuple(fields) for fields in messages
    ]


def test_a_stream_may_arrive_byte_by_byte() -> None:
    reader = FrameReader()
    events: list[Prologue | Frame] = []
    for byte in HELLO + frame(("71", "2", "0", "")):
        reader.receive(bytes([byte]))
        events += drain(reader)
    assert events == [
        Prologue(min_version=157, max_version=176),
        Frame(fields=("71", "2", "0", "")),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"v157..176 +PACEAPI", Prologue(min_version=157, max_version=176, options="+PACEAPI")),
        (b"v100..226", Prologue(min_version=100, max_version=226)),
        (b"v176", Prologue(min_version=176, max_version=176)),
        (b"v176\0", Prologue(min_version=176, max_version=176)),
    ],
)
def test_prologues_that_clients_send(text: bytes, expected: Prologue) -> None:
    reader = FrameReader()
    reader.receive(API_SIGNATURE + struct.pack(">I", len(text)) + text)
    assert drain(reader) == [expected]
    assert reader.greeted


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02",
        b"API\1",
        API_SIGNATURE + struct.pack(">I", 2**31),
        API_SIGNATURE + struct.pack(">I", 5) + b"hello",
        API_SIGNATURE + struct.pack(">I", 9) + b"v176..157",
        API_SIGNATURE + struct.pack(">I", 0),
        HELLO + struct.pack(">I", 2**31) + b"x",
        HELLO + struct.pack(">I", MAX_FRAME + 1),
        HELLO + b"\xff\xff\xff\xff",
    ],
)
def test_what_is_not_the_protocol_is_a_protocol_error_and_stays_one(stream: bytes) -> None:
    reader = FrameReader()
    reader.receive(stream)
    with pytest.raises(ProtocolError):
        drain(reader)
    reader.receive(HELLO)
    with pytest.raises(ProtocolError):
        drain(reader)


def test_frames_before_the_garbage_are_delivered() -> None:
    reader = FrameReader()
    reader.receive(HELLO + frame(("49", "1")) + struct.pack(">I", 2**31))
    assert reader.next_event() == Prologue(min_version=157, max_version=176)
    assert reader.next_event() == Frame(fields=("49", "1"))
    with pytest.raises(ProtocolError, match="over the limit"):
        reader.next_event()


def test_bad_utf8_is_replaced_and_the_next_frame_is_read() -> None:
    reader = FrameReader()
    reader.receive(HELLO + struct.pack(">I", 4) + b"8\0\xff\0" + frame(("49", "1")))
    assert drain(reader)[1:] == [Frame(fields=("8", "�")), Frame(fields=("49", "1"))]


@settings(max_examples=200)
@given(garbage=st.binary(max_size=400))
def test_garbage_never_raises_anything_else(garbage: bytes) -> None:
    for opening in (b"", HELLO):
        reader = FrameReader()
        reader.receive(opening + garbage)
        try:
            drain(reader)
        except ProtocolError:
            continue
