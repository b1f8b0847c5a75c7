"""Assets, tokens and amounts: what is worth the same anywhere, where it lies, and how much of it.

An asset ("USDC") has one price wherever it lies. A token is an asset on one chain, with that contract's
decimals. An amount is an integer number of a token's base units and refuses to mix with another token.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from chains.ids import ChainId, TokenId

AssetId = str  # the symbol the treasury's configuration gives an asset; unique in it


class MixedTokens(TypeError):
    """Two amounts of different tokens met in one sum: a bug, never a rounding question."""


@dataclass(frozen=True, slots=True, order=True)
class Token:
    """An asset on one chain. `decimals` is read from the chain, never guessed."""

    id: TokenId
    asset: AssetId
    decimals: int

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= 36:
            raise ValueError(f"{self.id}: {self.decimals} decimals; allowed: 0 to 36")

    @property
    def chain(self) -> ChainId:
        return self.id.chain

    @property
    def unit(self) -> Fraction:
        """One base unit, in whole tokens."""
        return Fraction(1, 10**self.decimals)

    def __str__(self) -> str:
        return f"{self.asset}@{self.chain}"


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact number of base units of one token; negative only where a change is meant (postings, deltas)."""

    token: Token
    units: int

    @classmethod
    def parse(cls, token: Token, text: str) -> Amount:
        """Whole tokens as decimal text ("1.5", "25_000") -> exact base units. Raises ValueError when not exact."""
        try:
            units = Decimal(text.replace("_", "")) * 10**token.decimals
        except InvalidOperation:
            raise ValueError(f"{text!r} is not a decimal number of {token.asset}") from None
        if not units.is_finite() or units != int(units):
            raise ValueError(f"{text} {token.asset} is finer than its {token.decimals} decimals")
        return cls(token, int(units))

    def __add__(self, other: Amount) -> Amount:
        return Amount(self._same(other).token, self.units + other.units)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self._same(other).token, self.units - other.units)

    def __neg__(self) -> Amount:
        return Amount(self.token, -self.units)

    def __lt__(self, other: Amount) -> bool:
        return self._same(other).units < other.units

    def __le__(self, other: Amount) -> bool:
        return self._same(other).units <= other.units

    def _same(self, other: Amount) -> Amount:
        if self.token.id != other.token.id:
            raise MixedTokens(f"{self.token} and {other.token} do not add up")
        return self

    @property
    def whole(self) -> Fraction:
        """In whole tokens, exact."""
        return Fraction(self.units, 10**self.token.decimals)

    def __str__(self) -> str:
        """Whole tokens, every significant decimal, thousands separators: `1,234.5 USDC`."""
        sign = "-" if self.units < 0 else ""
        whole, part = divmod(abs(self.units), 10**self.token.decimals)
        digits = str(part).rjust(self.token.decimals, "0").rstrip("0") if part else ""
        return f"{sign}{whole:,}{'.' + digits if digits else ''} {self.token.asset}"
