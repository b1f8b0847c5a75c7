"""EIP-1559 offers under their caps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import OutsideTerms
from chains.evm.fees import GWEI, Caps

WEI = st.integers(min_value=0, max_value=10**15)


@given(WEI, WEI, WEI, WEI)
def test_offer__any_market__within_the_caps_or_refused(base: int, tip: int, most: int, priority: int) -> None:
    caps = Caps(most, priority)
    if base + min(tip, priority) > most:
        with pytest.raises(OutsideTerms):
            caps.offer(base, tip, "alpha")
        return
    fees = caps.offer(base, tip, "alpha")
    assert fees.priority == min(tip, priority)
    assert base + fees.priority <= fees.most <= most


def test_offer__calm_market__twice_the_base_fee_and_the_priority() -> None:
    fees = Caps.of_gwei("200", "5").offer(10 * GWEI, 2 * GWEI, "alpha")
    assert (fees.most, fees.priority, fees.expected) == (22 * GWEI, 2 * GWEI, 12 * GWEI)


def test_offer__above_the_cap__says_price_cap_and_setting() -> None:
    with pytest.raises(OutsideTerms, match=r"alpha: gas costs 31 gwei now \(base 30, priority 1\); the cap is 30\.5 gwei"):
        Caps.of_gwei("30.5", "5").offer(30 * GWEI, GWEI, "alpha")
