"""What the journal tells the pages, folded once and kept until something is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordinator.app import App
from coordinator.daemon.turns import Turn, Turns
from coordinator.ledger.entry import Entry
from coordinator.plan import Plan
from coordinator.saga.machine import SagaState
from coordinator.views.trace import trace
from coordinator.views.transfers import saga_rows
from coordinator.views.words import Names

MOST_TURNS = 1000


@dataclass(frozen=True, slots=True)
class Run:
    """One saga with its plan, its rows of the transfers view, and the facts of each leg."""

    saga: SagaState
    plan: Plan
    rows: Sequence[dict[str, Any]]
    facts: Mapping[str, Sequence[dict[str, Any]]]

    @property
    def began(self) -> int:
        return self.plan.created

    @property
    def outcome(self) -> str:
        """One word: needs you, under way, delivered or partly."""
        if self.saga.parked and not self.saga.ended:
            return "needs you"
        if not self.saga.ended:
            return "under way"
        return "delivered" if all(row["state"] == "delivered" for row in self.rows) else "partly"


@dataclass
class Records:
    """`extent`: how long the journal was when the rest was folded. Plans and ended sagas never change and are kept for good."""

    app: App
    extent: tuple[int, int, int] = (-1, -1, -1)
    _ended: dict[str, Run] = field(default_factory=dict)
    _runs: tuple[Run, ...] = ()
    _entries: tuple[Entry, ...] = ()
    _turns: list[Turn] = field(default_factory=list)
    _turns_size: int = -1

    def __post_init__(self) -> None:
        self.turns = Turns(self.app.treasury.database)

    def refresh(self) -> bool:
        """Fold again if something was written since; true if so."""
        extent = self.app.journal.extent()
        if extent == self.extent:
            return False
        names = self.app.journal.sagas()
        self._runs = tuple(self._run(name) for name in names)
        self._ended.update({run.saga.id: run for run in self._runs if run.saga.ended})
        self._entries = tuple(self.app.journal.entries())
        self.extent = extent
        return True

    def newest_turns(self) -> list[Turn]:
        """The daemon's, newest first; read again when the file has grown."""
        size = self.turns.path.stat().st_size if self.turns.path.exists() else 0
        if size != self._turns_size:
            self._turns, self._turns_size = self.turns.newest(MOST_TURNS), size
        return self._turns

    def _run(self, name: str) -> Run:
        if name in self._ended:
            return self._ended[name]
        journal = self.app.journal
        saga = journal.saga(name)
        plan = journal.plan(saga.plan)
        if plan is None:
            raise KeyError(saga.plan)
        natives = {chain: settings.native_token for chain, settings in self.app.treasury.chains.items()}
        return Run(saga, plan, saga_rows(self.app, saga, Names(self.app.treasury)), trace(journal.story(name), natives))

    @property
    def runs(self) -> tuple[Run, ...]:
        """Newest first."""
        return self._runs[::-1]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Oldest first."""
        return self._entries

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every leg ever begun, newest run first."""
        return [row for run in self.runs for row in run.rows]

    def of_plan(self, plan: str) -> Run | None:
        """By a plan's id or the beginning of it (at least eight characters), when only one fits."""
        found = [run for run in self._runs if len(plan) >= 8 and run.plan.id.startswith(plan)]
        return found[0] if len(found) == 1 else None

    def of_saga(self, saga: str) -> Run | None:
        return next((run for run in self._runs if run.saga.id == saga), None)

    def of_leg(self, leg: str) -> tuple[Run, dict[str, Any]] | None:
        return next(((run, row) for run in self._runs for row in run.rows if row["leg"] == leg), None)
