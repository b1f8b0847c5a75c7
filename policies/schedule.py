"""Schedules: cron expressions in a time zone, with catching up, and windows in which nothing is begun.

Times are unix seconds. Cron fields and daylight saving follow Debian's cron (cronsim): a moment that a clock change skips runs when
the clocks have moved, one that happens twice runs once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from policies.base import Decision, Gate, Portfolio, Targets
from policies.drift import blind, drifts, moment, unpriced


class BadSchedule(ValueError):
    """A cron expression or time zone that does not exist; the message says which part."""


@dataclass(frozen=True, slots=True)
class Cron:
    """Recurring moments: five cron fields ("30 9 * * MON-FRI") in a time zone ("Europe/Zurich"). Raises BadSchedule when made."""

    expression: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        try:
            CronSim(self.expression, datetime(2024, 1, 1, tzinfo=ZoneInfo(self.zone)))
        except CronSimError as problem:
            raise BadSchedule(f'"{self.expression}" is no cron expression (minute hour day month weekday): {problem}') from None
        except (ZoneInfoNotFoundError, ValueError):
            raise BadSchedule(f'"{self.zone}" is no time zone; write a name as in Europe/Zurich or UTC') from None

    def latest(self, now: int) -> int | None:
        """The latest moment at or before `now`; None when there is none within 50 years."""
        return self._near(now + 1, reverse=True)

    def following(self, now: int) -> int | None:
        """The first moment after `now`."""
        return self._near(now, reverse=False)

    def _near(self, from_: int, *, reverse: bool) -> int | None:
        local = datetime.fromtimestamp(from_, UTC).astimezone(ZoneInfo(self.zone))
        found = next(CronSim(self.expression, local, reverse=reverse), None)
        return None if found is None else int(found.timestamp())


@dataclass(frozen=True, slots=True)
class CronTrigger:
    """Acts once for every scheduled moment, and once only for several that were missed together.

    `catch_up`: how many seconds late it may still act; later, the moment is let go and the next one waited for (None: any time).
    """

    cron: Cron
    catch_up: int | None = None

    def decide(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Decision:
        refusal = unpriced(portfolio)
        if refusal:
            return blind(refusal)
        now, found = portfolio.time, drifts(portfolio, targets)
        due, coming = self.cron.latest(now), self.cron.following(now)
        nearest = "never again" if coming is None else f"at {moment(coming)}"
        needed = f"a moment of {self.cron.expression} {self.cron.zone} that no plan has followed"
        if due is None or (last_run is not None and last_run >= due):
            told = f"next {nearest}"
        elif self.catch_up is not None and now - due > self.catch_up:
            told = f"{moment(due)} was missed by {now - due} s, more than {self.catch_up} s; next {nearest}"
        else:
            told = f"scheduled at {moment(due)}"
            return Decision(True, told, found, (Gate("cron", True, told, needed),))
        return Decision(False, told, found, (Gate("cron", False, told, needed, nearest),))


@dataclass(frozen=True, slots=True)
class Blackout:
    """Nothing is begun for `length` seconds from every moment of `start` on, the first second included and the last not."""

    start: Cron
    length: int
    memory: int = 0

    def gate(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Gate:
        begun = self.start.latest(portfolio.time)
        needed = f"a time outside the blackout ({self.start.expression} {self.start.zone}, {self.length} s)"
        if begun is None or portfolio.time >= begun + self.length:
            return Gate("blackout", True, "outside", needed)
        return Gate("blackout", False, f"within since {moment(begun)}", needed, f"at {moment(begun + self.length)}")
