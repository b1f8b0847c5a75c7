"""Domain data to JSON and back: one converter for plan files, the journal and `--json` output.

Ids are their CAIP texts, amounts of base units are strings (a JSON number above 2^53 is not safe in other
readers), fractions are exact texts ("3/7", "0.25"), bytes are 0x-hex. Unions carry their class name in
`"is"`. `canonical` sorts keys and drops white space, so that equal data has equal bytes and one hash.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any, TypeVar, get_type_hints

from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from bridges.base import Arrival
from chains.ids import AccountId, ChainId, TokenId

T = TypeVar("T")
EXACT_INTS = frozenset({"units", "held", "leaving", "arriving", "least", "most", "fee", "value", "low", "high"})
"""Field names that hold base units: written as strings. `int` accepts both on the way back."""


def fraction_text(value: Fraction) -> str:
    """Exact: a decimal where it ends, else numerator/denominator."""
    digits = _decimal_places(value.denominator)
    if digits is None:
        return f"{value.numerator}/{value.denominator}"
    whole, part = divmod(abs(value.numerator) * 10**digits // value.denominator, 10**digits)
    return f"{'-' if value < 0 else ''}{whole}{f'.{part:0{digits}d}' if digits else ''}"


def _decimal_places(denominator: int) -> int | None:
    """How many decimals 1/denominator needs; None when it never ends."""
    counts = {2: 0, 5: 0}
    for prime in counts:
        while denominator % prime == 0:
            denominator //= prime
            counts[prime] += 1
    return max(counts.values()) if denominator == 1 else None


def _converter() -> Converter:
    made = Converter(forbid_extra_keys=True)
    for name in (ChainId, AccountId, TokenId):
        made.register_unstructure_hook(name, str)
        made.register_structure_hook(name, lambda text, kind: kind.parse(text))
    made.register_unstructure_hook(Fraction, fraction_text)
    made.register_structure_hook(Fraction, lambda text, _: Fraction(text))
    made.register_unstructure_hook(bytes, lambda raw: "0x" + raw.hex())
    made.register_structure_hook(bytes, lambda text, _: bytes.fromhex(text[2:]))
    made.register_unstructure_hook_factory(is_dataclass, _exact_ints(made))
    configure_tagged_union(Arrival, made, tag_name="is")
    return made


def _exact_ints(made: Converter) -> Any:
    from cattrs.gen import make_dict_unstructure_fn, override

    def factory(kind: type) -> Any:
        hints = get_type_hints(kind)
        exact = {
            f.name: override(unstruct_hook=_text_or_none)
            for f in fields(kind)
            if f.name in EXACT_INTS and hints[f.name] in (int, int | None)
        }
        return make_dict_unstructure_fn(kind, made, **exact)  # type: ignore[arg-type]  # overrides by field name are cattrs' own calling form

    return factory


def _text_or_none(value: int | None) -> str | None:
    return None if value is None else str(value)


_CONVERTER = _converter()


def tag_union(union: Any) -> None:
    """Let a union of dataclasses be stored: each member carries its class name."""
    configure_tagged_union(union, _CONVERTER, tag_name="is")


def to_data(value: object, kind: Any = None) -> Any:
    """Plain JSON data. `kind` is needed for a union."""
    return _CONVERTER.unstructure(value, unstructure_as=kind)


def from_data(data: Any, kind: type[T]) -> T:
    """Raises cattrs' ClassValidationError, which names every field that is wrong, missing or not known."""
    return _CONVERTER.structure(data, kind)


def canonical(data: Any) -> bytes:
    """The one way to write plain JSON data as bytes (sorted keys, no white space, UTF-8)."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data: Any) -> str:
    """SHA-256 of the canonical bytes, hex."""
    return hashlib.sha256(canonical(data)).hexdigest()
