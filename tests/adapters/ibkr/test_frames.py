from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.ibkr.frames import MAX_FRAME, BrokenFrame, FrameSplitter, framed


def test_a_frame_is_its_fields() -> None:
    (frame,) = FrameSplitter().feed(framed("9\x001\x0042\x00"))
    assert frame.fields == ["9", "1", "42"]
    assert frame.is_clean


@given(
    texts=st.lists(st.text(alphabet="abc9é.", max_size=8).map(lambda t: f"{t}\0"), max_size=6),
    cuts=st.lists(st.integers(min_value=0, max_value=90), max_size=6),
)
def test_the_cuts_of_the_stream_do_not_matter(texts: list[str], cuts: list[int]) -> None:
    stream = b"".join(framed(text) for text in texts)
    splitter, at, fields = FrameSplitter(), 0, []
    for cut in [*sorted(cuts), len(stream)]:
        fields += [frame.fields for frame in splitter.feed(stream[at:cut])]
        at = max(at, cut)
    assert fields == [text.split("\0")[:-1] for text in texts]


def test_one_byte_at_a_time() -> None:
    splitter = FrameSplitter()
    frames = [frame for byte in framed("4\x002\x00") for frame in splitter.feed(bytes([byte]))]
    assert [frame.fields for frame in frames] == [["4", "2"]]


def test_a_length_that_no_frame_has_is_refused_at_once() -> None:
    with pytest.raises(BrokenFrame, match=str(MAX_FRAME + 1)):
        FrameSplitter().feed((MAX_FRAME + 1).to_bytes(4, "big"))


def test_text_that_is_no_utf8_is_kept_and_marked() -> None:
    payload = b"4\x00\xff\xfe\x00"
    (frame,) = FrameSplitter().feed(len(payload).to_bytes(4, "big") + payload)
    assert frame.fields == ["4", "\\xff\\xfe"]
    assert not frame.is_clean
