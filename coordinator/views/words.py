"""Numbers and names as views write them: exact decimals as text, money to the cent, shares as percent."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from chains.ids import ChainId, TokenId
from chains.tokens import Amount
from coordinator.config.treasury import Treasury


def usd(value: Fraction) -> str:
    """Dollars and cents, half to even: `-1234.50`."""
    return _fixed(value, 2)


def percent(share: Fraction | None) -> str | None:
    """A share as percent with two decimals, without the sign: `12.50`."""
    return None if share is None else _fixed(share * 100, 2)


def whole(amount: Amount) -> str:
    """Whole tokens, exact, no separators: `1234.5`."""
    sign, units, scale = ("-" if amount.units < 0 else ""), abs(amount.units), 10**amount.token.decimals
    digits = str(units % scale).rjust(amount.token.decimals, "0").rstrip("0") if units % scale else ""
    return f"{sign}{units // scale}{'.' + digits if digits else ''}"


def _fixed(value: Fraction, places: int) -> str:
    scaled = round(value * 10**places)  # Fraction rounds half to even
    digits = str(abs(scaled)).rjust(places + 1, "0")
    return f"{'-' if scaled < 0 else ''}{digits[:-places]}.{digits[-places:]}"


class Names:
    """What people call chains and tokens; ids where there is no name."""

    def __init__(self, treasury: Treasury | None) -> None:
        self._chains: Mapping[ChainId, str] = {id_: s.name for id_, s in treasury.chains.items()} if treasury else {}
        self._tokens: Mapping[TokenId, str] = treasury.names if treasury else {}

    def chain(self, chain: ChainId) -> str:
        return self._chains.get(chain, str(chain))

    def token(self, token: TokenId) -> str:
        return self._tokens.get(token, str(token))

    def told(self, text: str) -> str:
        """A text in which policies named chains and tokens by their ids, as people call them; tokens first, their ids hold a chain's."""
        for id_, name in (*self._tokens.items(), *self._chains.items()):
            text = text.replace(str(id_), name)
        return text
