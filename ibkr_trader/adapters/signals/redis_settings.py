"""What a source of kind `redis` may be told, and in which ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from ibkr_trader.adapters.redis_address import RedisTable
from ibkr_trader.adapters.settings import SourceName

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Wait = Annotated[float, msgspec.Meta(ge=0.01, le=60)]
Seconds = Annotated[float, msgspec.Meta(ge=1, le=86_400)]


class RedisSettings(RedisTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which streams of a server, and how patient to be; see `RedisTable` for the server.

    Attributes:
        name: What the source is called.
        keys: The variables of the environment that hold the keys that may sign, by key id.
        stream: Where entries come from.
        group: Traders that are all to have every signal are groups of their own.
        consumer: Our name in the group, the same after a restart; empty is the machine's.
        dead: Where dead letters go.
        most_dead: How many of them are kept, the newest.
        bury_refused: Whether what the desk refuses is a dead letter too.
        count: The most entries that are read at once. Each comes whole, so the memory of so many
            of a producer's longest must be there.
        max_deliveries: An entry that was delivered more often is not looked at any more.
        block_seconds: How long one read waits for something new.
        timeout_seconds: How long the server may take to answer.
        claim_after_seconds: How long another consumer's entry is pending before it is ours. The
            desk must answer within half of it.
        recover_seconds: The pause between two looks at what is pending.
        max_backoff_seconds: The longest pause before a server in trouble is asked again.
    """

    name: SourceName = "redis"
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    stream: Key = "signals:ingress"
    group: Key = "ibkr-trader"
    consumer: Annotated[str, msgspec.Meta(max_length=200)] = ""
    dead: Key = "signals:dead"
    most_dead: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000
    bury_refused: bool = True
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 10
    max_deliveries: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 5
    block_seconds: Wait = 5.0
    timeout_seconds: Wait = 5.0
    claim_after_seconds: Seconds = 60.0
    recover_seconds: Seconds = 30.0
    max_backoff_seconds: Seconds = 30.0

    def __post_init__(self) -> None:
        RedisTable.__post_init__(self)
        if self.dead == self.stream:
            raise ValueError("dead: it is the stream itself, where all of it would come back")
