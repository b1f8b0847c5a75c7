"""Quantities as people write them ("$25_000", "45%", "5pp", "50bps", "1h"), to exact numbers and back.

A bare number is refused where its unit would be a guess: money carries `$` or `USD`, shares carry `%`,
widths carry `pp` (percentage points), rates carry `%` or `bps`. Nothing here is ever a float.
"""

from __future__ import annotations

import re
from fractions import Fraction

_DIGITS = "[0-9]+(?:_[0-9]+)*"
_NUMBER = rf"(?P<number>{_DIGITS}(?:\.{_DIGITS})?)"
_USD = re.compile(rf"\$\s*{_NUMBER}(?P<scale>[kKmM]?)|{_NUMBER.replace('number', 'plain')}\s*USD")
_SHARE = re.compile(rf"{_NUMBER}\s*%")
_POINTS = re.compile(rf"{_NUMBER}\s*pp")
_RATE = re.compile(rf"{_NUMBER}\s*(?P<unit>%|bps)")
_DECIMAL = re.compile(_NUMBER)
_DURATION = re.compile(rf"(?P<count>{_DIGITS})\s*(?P<unit>s|m|h|d|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SCALES = {"": 1, "k": 1_000, "m": 1_000_000}


class Refused(ValueError):
    """A text that is not the quantity it should be: what was found, what is allowed, how to mend it."""

    def __init__(self, found: str, allowed: str = "", mend: str = "") -> None:
        super().__init__("; ".join(part for part in (found, f"allowed: {allowed}" if allowed else "", mend) if part))
        self.found = found
        self.allowed = allowed
        self.mend = mend


def usd(value: object) -> Fraction:
    """US dollars: "$25_000.50", "$5k", "250 USD". Raises Refused."""
    text = _text(value)
    match = _USD.fullmatch(text)
    if match is None:
        bare = _DECIMAL.fullmatch(text)
        raise Refused(f'found "{text}"', "an amount in US dollars, as in $25_000", f"write ${text}" if bare else "")
    if match["number"] is None:
        return _fraction(match["plain"])
    return _fraction(match["number"]) * _SCALES[match["scale"].lower()]


def share(value: object) -> Fraction:
    """A share of the whole: "45%". Raises Refused, also outside 0 % to 100 %."""
    text = _text(value)
    match = _SHARE.fullmatch(text)
    if match is None:
        bare = _DECIMAL.fullmatch(text)
        raise Refused(f'found "{text}"', "a share of the whole, as in 45%", f"write {text}%" if bare else "")
    found = _fraction(match["number"]) / 100
    if found > 1:
        raise Refused(f'found "{text}"', "0% to 100%")
    return found


def points(value: object) -> Fraction:
    """A width in percentage points of the whole: "5pp". Raises Refused."""
    text = _text(value)
    match = _POINTS.fullmatch(text)
    if match is None:
        number = _DECIMAL.match(text)
        raise Refused(
            f'found "{text}"', "percentage points, as in 5pp (% would leave open: of what?)", f"write {number[0]}pp" if number else ""
        )
    return _fraction(match["number"]) / 100


def rate(value: object) -> Fraction:
    """A relative size: "50bps" or "0.5%". Raises Refused, also above 100 %."""
    text = _text(value)
    match = _RATE.fullmatch(text)
    if match is None:
        raise Refused(f'found "{text}"', "a rate, as in 50bps or 0.5%")
    found = _fraction(match["number"]) / (100 if match["unit"] == "%" else 10_000)
    if found > 1:
        raise Refused(f'found "{text}"', "0% to 100% (10_000bps)")
    return found


def duration(value: object) -> int:
    """Whole seconds, above zero: "90s", "15m", "1h", "7d" or bare seconds. Raises Refused."""
    text = _text(value)
    match = _DURATION.fullmatch(text)
    seconds = int(match["count"]) * _SECONDS[match["unit"]] if match else 0
    if seconds <= 0:
        raise Refused(f'found "{text}"', "a duration above zero, as in 90s, 15m, 1h or 7d")
    return seconds


def decimal(value: object) -> Fraction:
    """A plain decimal number, zero or above: "1.5", "25_000". Raises Refused."""
    text = _text(value)
    if _DECIMAL.fullmatch(text) is None:
        raise Refused(f'found "{text}"', "a decimal number, zero or above, as in 1_000.5")
    return _fraction(text)


def positive(value: object) -> Fraction:
    """A plain decimal number above zero. Raises Refused."""
    found = decimal(value)
    if not found:
        raise Refused(f'found "{value}"', "a decimal number above zero")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refused(f"found {_kind(value)}", "a value")
    return value.strip()


def _kind(value: object) -> str:
    return {"dict": "a mapping", "list": "a list", "NoneType": "nothing"}.get(type(value).__name__, f"a {type(value).__name__}")


def _fraction(text: str) -> Fraction:
    return Fraction(text.replace("_", ""))


def show_usd(value: Fraction) -> str:
    """`$1,234.56`; a value that would read as nothing is `<$0.01`."""
    if value < 0:
        return f"-{show_usd(-value)}"
    if 0 < value < Fraction(1, 100):
        return "<$0.01"
    return f"${_places(value, 2)}"


def show_share(value: Fraction) -> str:
    """`12.5%`: at most four decimals, trailing zeros dropped."""
    return f"{_trimmed(value * 100, 4)}%"


def show_rate(value: Fraction) -> str:
    """`50 bps`: at most two decimals, trailing zeros dropped."""
    return f"{_trimmed(value * 10_000, 2)} bps"


def show_decimal(value: Fraction) -> str:
    """A price or quantity with up to eight decimals, trailing zeros dropped."""
    return _trimmed(value, 8)


def _places(value: Fraction, places: int) -> str:
    """Rounded half to even at `places` decimals, with thousands separators, by integer arithmetic only."""
    sign = "-" if value < 0 else ""
    scaled = round(abs(value) * 10**places)
    whole, part = divmod(scaled, 10**places)
    return f"{sign}{whole:,}.{str(part).rjust(places, '0')}" if places else f"{sign}{whole:,}"


def _trimmed(value: Fraction, places: int) -> str:
    return _places(value, places).rstrip("0").rstrip(".")
