"""What a source of kind `redis` may be told, and in which ranges."""

from __future__ import annotations

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Seconds = Annotated[float, msgspec.Meta(ge=0.01, le=86_400)]


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a source of kind `redis` may be told; times are seconds.

    Attributes:
        url: The server; `rediss://` unless it is on this machine.
        password_env: The variable with the password, so that no file needs to hold it.
        consumer: Our name in the group; empty is the machine's.
        count: The most that is read at once.
        block: How long one read waits for something new.
        patience: How long the server may take to answer.
        claim_after: How long another consumer's entry may be pending before it is ours.
        recover_every: The pause between two looks at what is pending.
        most_dead: The most dead letters that are kept.
        bury_refused: Whether what the desk refuses is a dead letter too.
    """

    url: str = "redis://127.0.0.1:6379/0"
    password_env: str = ""
    ca_file: str = ""
    stream: Name = "signals:ingress"
    group: Name = "ibkr-trader"
    consumer: Annotated[str, msgspec.Meta(max_length=200)] = ""
    dead: Name = "signals:dead"
    most_dead: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000
    bury_refused: bool = True
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100
    block: Annotated[float, msgspec.Meta(ge=0.01, le=60)] = 5.0
    patience: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 5.0
    claim_after: Seconds = 60.0
    recover_every: Seconds = 30.0
    max_deliveries: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 5
    first_pause: Seconds = 0.25
    longest_pause: Seconds = 30.0

    def __post_init__(self) -> None:
        """Refuse a stream that would feed itself."""
        if self.dead == self.stream:
            raise ValueError("dead is the stream itself: what is refused would come back for ever")

    def __repr__(self) -> str:
        return f"<RedisSettings {self.stream}, group {self.group}>"  # the URL may hold a secret

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("stream", self.stream), ("group", self.group)]
