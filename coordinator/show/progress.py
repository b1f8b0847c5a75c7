"""Live progress of a saga: a table on a terminal, one line a change elsewhere. Always on stderr."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from rich.live import Live
from rich.text import Text

from coordinator.saga.machine import LegState, SagaState
from coordinator.show.output import Output
from coordinator.show.tables import short, table
from coordinator.views.words import Names

STYLES = {"delivered": "green", "abandoned": "yellow", "refunded": "yellow", "in transit": "cyan", "claiming": "cyan"}


class Progress:
    """`show` is the executor's watch."""

    def __init__(self, names: Names, out: Output) -> None:
        self._names = names
        self._out = out
        self._live = Live(console=out.notes, auto_refresh=False) if out.notes.is_terminal else None
        self._said: dict[str, str] = {}

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def show(self, saga: SagaState, waits: Mapping[str, str]) -> None:
        if self._live is None:
            self._say(saga, waits)
            return
        rows = table("#", "LEG", "STATE", "NOW")
        for number, (name, leg) in enumerate(saga.legs.items(), start=1):
            state = Text(leg.state.value, style=STYLES.get(leg.state.value, ""))
            rows.add_row(str(number), self._title(leg), state, leg.parked or leg.reason or waits.get(name, ""))
        self._live.update(rows, refresh=True)

    def _say(self, saga: SagaState, waits: Mapping[str, str]) -> None:
        for number, (name, leg) in enumerate(saga.legs.items(), start=1):
            now = f"{leg.state.value}{'' if leg.state.ended else ': ' + waits[name] if name in waits else ''}"
            if self._said.get(name) != now:
                self._said[name] = now
                self._out.note(f"{number} {self._title(leg)}: {leg.parked or leg.reason or now}")

    def _title(self, leg: LegState) -> str:
        lane = leg.leg.lane
        source, target = self._names.chain(lane.source.chain), self._names.chain(lane.target.chain)
        route = source if source == target else f"{source}->{target}"
        taken = str(leg.arrived) if leg.arrived else lane.target.asset
        return f"{route} {lane.rail} {short(str(leg.leg.gives))} -> {short(taken)}"
