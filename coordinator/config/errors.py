"""What is wrong in a configuration: where, what was found, what is allowed, how to mend it. All of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place: a file with line and column (both from 1), or an environment variable (line 0)."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class ConfigError:
    """One finding. Reads `treasury.yaml:11:5: targets.assets.USDC: found …; allowed: …; how to mend`."""

    where: Where
    path: str
    found: str
    allowed: str = ""
    mend: str = ""

    def __str__(self) -> str:
        said = "; ".join(part for part in (self.found, f"allowed: {self.allowed}" if self.allowed else "", self.mend) if part)
        return f"{self.where}: {self.path}: {said}" if self.path else f"{self.where}: {said}"


class ConfigErrors(Exception):
    """Everything that is wrong, in the order of the file. `errors` is never empty."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(sorted(set(errors)))
        count = len(self.errors)
        told = [str(error) for error in self.errors]
        super().__init__("\n".join([*told, f"{count} error{'s' if count != 1 else ''}. Nothing was started."]))


@dataclass(slots=True)
class Findings:
    """Collects errors, so that a person sees all of them in one run."""

    errors: list[ConfigError] = field(default_factory=list)

    def add(self, where: Where, path: Iterable[str], found: str, allowed: str = "", mend: str = "") -> None:
        self.errors.append(ConfigError(where, ".".join(path), found, allowed, mend))

    def raise_if_any(self) -> None:
        if self.errors:
            raise ConfigErrors(self.errors)


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`did you mean "x"?` for the nearest valid name, or nothing when none is near. Case is ignored."""
    by_lower = {option.lower(): option for option in options}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f'did you mean "{by_lower[near[0]]}"?' if near else ""


def listed(options: Iterable[str], most: int = 20) -> str:
    """Names in a stable order for a message; a long list is cut, and says so."""
    names = list(options)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "") if names else "none are configured"
