"""The actor: one turn of a treasury, through the same doors as `plan` and `apply`, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass

from chains.errors import Fault
from coordinator.app import App
from coordinator.commands.applying import begin, carry_out
from coordinator.daemon.turns import Outcome, Turn
from coordinator.daemon.voice import Voice
from coordinator.exits import Exit
from coordinator.plan import Plan
from coordinator.proposal import judge, propose
from coordinator.saga.machine import SagaState, State
from coordinator.turn import Seen, look, open_sagas
from coordinator.views.words import usd
from policies.drift import unpriced

Came = tuple[Outcome, str, str]
"""What a turn came to, why, and the plan it was about (or nothing)."""


@dataclass
class Actor:
    """`app` was opened with keys, unless `dry`. `deadline`: seconds the solver may take."""

    app: App
    voice: Voice
    dry: bool = False
    deadline: float = 30.0
    seen: Seen | None = None

    @property
    def acting(self) -> bool:
        """Whether something that was begun has not ended."""
        return bool(open_sagas(self.app))

    async def turn(self) -> Turn:
        """Go on with what was begun; otherwise look, and act if it is time. A fault of the outside world is an outcome; a bug is raised."""
        start, self.seen = self.app.clock.now(), None
        self.voice.errors.clear()
        try:
            outcome, reason, plan = await self._act()
        except Fault as fault:
            outcome, reason, plan = "failed", str(fault), ""
        self.voice.note(f"{outcome}: {reason}")
        now = self.app.clock.now()
        return Turn(now, outcome, reason, plan, self._nav(), now - start)

    def _nav(self) -> str | None:
        priced = self.seen is not None and not unpriced(self.seen.portfolio)
        return usd(self.seen.portfolio.nav) if priced and self.seen is not None else None

    async def _act(self) -> Came:
        if under_way := open_sagas(self.app):
            return await self._go_on(under_way)
        self.seen = seen = await look(self.app)
        if refusal := unpriced(seen.portfolio):
            return "blind", refusal, ""
        if not seen.decision.act:
            return "waits", seen.decision.reason, ""
        return await self._plan(seen)

    async def _go_on(self, under_way: tuple[SagaState, ...]) -> Came:
        newest = under_way[-1]
        if self.dry:
            return "would resume", f"{newest.id} is under way", newest.plan
        return _ended(await carry_out(self.app, self.voice, replans=0))

    async def _plan(self, seen: Seen) -> Came:
        plan = (await propose(self.app, seen, self.deadline)).plan
        if not plan.legs:
            unmet = "; ".join(f"{one.target}: {one.why}" for one in plan.unmet)
            return ("blocked", unmet or seen.decision.reason, "") if plan.violation else ("nothing", seen.decision.reason, "")
        objections = (await judge(self.app, plan, seen)).objections
        if objections:
            return "refused", str(objections[0]), plan.id
        if self.dry:
            return "would act", f"{seen.decision.reason}: {len(plan.legs)} leg(s), {plan.hops} hop(s), ${usd(plan.cost.total)}", plan.id
        return await self._apply(plan, seen)

    async def _apply(self, plan: Plan, seen: Seen) -> Came:
        """From here as `apply` does it: look again, hold the plan against what is seen, write down that it begins, carry it out."""
        self.voice.note(
            f"{seen.decision.reason}: plan {plan.id[:12]}, {len(plan.legs)} leg(s), {plan.hops} hop(s), ${usd(plan.cost.total)}"
        )
        refused = await begin(self.app, plan, self.voice)
        if refused is not None:
            reason = self.voice.errors[0] if self.voice.errors else refused.name
            return "moved" if refused is Exit.STALE else "refused", reason, plan.id
        return _ended(await carry_out(self.app, self.voice, replans=0))


def _ended(sagas: list[SagaState]) -> Came:
    """What the newest saga came to; a parked one wherever it is comes first."""
    newest = sagas[-1]
    parked = next(((saga, leg) for saga in sagas for leg in saga.parked if not leg.state.ended), None)
    if parked:
        saga, leg = parked
        return "needs you", f"leg {leg.leg.id[:8]} of {saga.id}: {leg.parked}", saga.plan
    if not newest.ended:
        return "under way", newest.id, newest.plan
    undone = [leg for leg in newest.legs.values() if leg.state is not State.DELIVERED]
    if undone:
        return "partly", f"{len(undone)} leg(s) of {newest.id} did not happen: {undone[0].reason}", newest.plan
    return "delivered", f"every leg of {newest.id}", newest.plan
