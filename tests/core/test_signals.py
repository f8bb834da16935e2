from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import Outcome, SignalAction
from ibkr_trader.core.signals import Claim, FlowClaim, Malformed, SeenSignal, SignalReply
from tests.orders.samples import AT


def test_a_signal_is_an_intent_and_never_the_side_of_an_order() -> None:
    assert [action.value for action in SignalAction] == ["BUY", "SELL", "SHORT"]


def test_a_claim_vouches_for_nothing_that_its_producer_does_not_say() -> None:
    claim = Claim(
        source="a", signal_id="1", ticker="X", action=SignalAction.SELL, confidence=Decimal(1)
    )
    assert (claim.price, claim.issued_at, claim.sequence, claim.is_signed) == (None,) * 3 + (False,)
    flow = FlowClaim(
        source="a", signal_id="1", ticker="X", measure="m", value=Decimal(1), threshold=Decimal(1)
    )
    assert (flow.issued_at, flow.sequence, flow.is_signed) == (None, None, False)
    assert Malformed(source="a", message="no").code == "malformed"


def test_a_reply_is_final_unless_it_says_otherwise() -> None:
    assert SignalReply(outcome=Outcome.REFUSED).is_final


@pytest.mark.parametrize("kind", [Claim, FlowClaim, Malformed, SeenSignal, SignalReply])
def test_what_is_handed_over_does_not_change(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen


def test_a_remembered_name_survives_the_round_trip() -> None:
    seen = SeenSignal(source="a", signal_id="1", until=AT)
    assert msgspec.json.decode(msgspec.json.encode(seen), type=SeenSignal) == seen
