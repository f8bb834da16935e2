"""What a fault may do to a message, beyond losing, delaying and refusing it (`fault_rules.py`)."""

import msgspec


class MessageAct(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="act", forbid_unknown_fields=True
):
    """What is done to a message."""


# -- to its bytes, on the way to a client ------------------------------------------------------


class HalfFrame(MessageAct, frozen=True, tag="half_frame"):
    """Only so many of its bytes arrive.

    Attributes:
        size: How many, its length prefix (4 bytes) among them.
        is_framed: They come as a message of their own, with a length that fits, and the
            conversation goes on; else they are the last bytes, and the connection ends.
    """

    size: int
    is_framed: bool = False


class BadUtf8(MessageAct, frozen=True, tag="bad_utf8"):
    """A byte that no text has (FF) is put behind its first text."""
