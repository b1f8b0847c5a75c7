"""The five-step rule: what became of a signed Solana transaction, and when it is proved that it can never land.

1. The Submission was journaled before the first send (the executor's part).
2. The same bytes are sent again and again; the answer to a send proves nothing.
3. A *finalized* status, as the quorum sees it, is Landed (a failed transaction has landed too).
4. Dead needs, on each node of the quorum and in this order: the finalized bank's block height is above
   `valid_until`; then a status look through the whole history that finds nothing, answered from a slot at
   or after that bank. A node that lags or has pruned its history also finds nothing, hence quorum and order.
5. Only Dead allows another attempt to be signed.
"""

from __future__ import annotations

from dataclasses import dataclass

from chains.base import Dead, Pending, Submission
from chains.errors import Unknowable
from chains.solana.nodes import Nodes, field, heard, integer, witnesses
from chains.solana.transport import Node


@dataclass(frozen=True, slots=True)
class Seen:
    """One node's status of a signature, read at slot `context`. `slot` None: the node finds nothing."""

    context: int
    slot: int | None
    final: bool = False


@dataclass(frozen=True, slots=True)
class Final:
    """The transaction is in a finalized block, as the quorum sees it."""

    slot: int


@dataclass(frozen=True, slots=True)
class Absence:
    """One node's finalized bank, and what it found of the signature afterwards (None: the bank is not past `valid_until`)."""

    height: int
    slot: int
    after: Seen | None

    @property
    def proves(self) -> bool:
        return self.after is not None and self.after.slot is None and self.after.context >= self.slot


async def fate(nodes: Nodes, submission: Submission) -> Pending | Dead | Final:
    """Where the submission stands. Raises a Fault when no node answers at all."""
    looks = heard(await nodes.every(lambda node: look(node, submission.reference)))
    final = [(node, seen.slot) for node, seen in looks if seen.final and seen.slot is not None]
    slots = [seen.slot for _, seen in looks if seen.slot is not None]
    if final and witnesses([node for node, _ in final]) >= nodes.quorum:
        return Final(final[0][1])
    if slots:
        return Pending(f"seen in slot {min(slots)}; {witnesses([n for n, _ in final])} of {nodes.quorum} trust domain(s) call it final")
    if submission.valid_until is None:
        raise Unknowable(f"submission {submission.reference} has no last valid height; it is no Solana submission")
    return await _absence(nodes, submission, submission.valid_until)


async def look(node: Node, reference: str) -> Seen:
    answer = await node.ask("getSignatureStatuses", [reference], {"searchTransactionHistory": True})
    context, statuses = integer(node, answer, "context", "slot"), field(node, answer, "value")
    if not isinstance(statuses, list) or len(statuses) != 1:
        raise Unknowable(f"{node.place} answers no single status")
    if statuses[0] is None:
        return Seen(context, None)
    return Seen(context, integer(node, statuses[0], "slot"), field(node, statuses[0], "confirmationStatus") == "finalized")


async def _absence(nodes: Nodes, submission: Submission, valid_until: int) -> Pending | Dead:
    async def ask(node: Node) -> Absence:
        bank = await node.ask("getEpochInfo", {"commitment": "finalized"})  # height and slot of one bank
        height, slot = integer(node, bank, "blockHeight"), integer(node, bank, "absoluteSlot")
        return Absence(height, slot, await look(node, submission.reference) if height > valid_until else None)

    answers = heard(await nodes.every(ask))
    if any(absence.after is not None and absence.after.slot is not None for _, absence in answers):
        return Pending("seen by a node after all; waiting for finality")
    proofs = [(node, absence) for node, absence in answers if absence.proves]
    if proofs and witnesses([node for node, _ in proofs]) >= nodes.quorum:
        told = ", ".join(
            f"{node.place}: height {absence.height}, nothing at slot {absence.after.context}" for node, absence in proofs if absence.after
        )
        return Dead(f"could land up to block height {valid_until}; {told}")
    highest = max((absence.height for _, absence in answers), default=0)
    return Pending(f"not seen yet; can land up to block height {valid_until}, final is {highest}")
