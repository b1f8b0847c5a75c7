"""A simulated network: its state, mempool, blocks, finality and the levers that disturb them.

It is the world's side and outlives every `SimulatedChain` that looks at it. EVM-like networks order an
account's transactions by nonce; Solana-like ones have none and let a transaction expire instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chains.base import Call, Height, Receipt
from chains.errors import Reverted
from chains.ids import SOLANA, AccountId, ChainId, TokenId
from chains.simulated.faults import Faults
from chains.simulated.machine import Contract, Frame, Key, State, TokenContract, address_of, digest, net, run, units_at
from chains.tokens import Token

WORK_PER_CALL = 50_000  # gas or compute units that every simulated call costs


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction as the network sees it. `signers`: public names of everyone who signed. `fee`: native base units."""

    reference: str
    sender: AccountId
    sequence: int | None
    valid_until: int | None
    calls: tuple[Call, ...]
    signers: tuple[str, ...]
    fee: int
    ready: int = 0  # first block that may hold it


@dataclass(frozen=True, slots=True)
class Pace:
    """How a network keeps time: seconds a block, blocks until a block is final, blocks for which a transaction can land (Solana-like)."""

    block_s: int = 2
    finality: int = 3
    expiry: int = 40


class SimulatedNetwork:
    """One network. `price`: native base units for one unit of work, as the next `prepare` will pay."""

    def __init__(self, native: Token, pace: Pace | None = None, price: int = 10) -> None:
        self.native = native
        self.pace = pace or Pace()
        self.price = price
        self.faults = Faults()
        self.contracts: dict[str, Contract] = {}
        self.tokens: dict[TokenId, Token] = {native.id: native}
        self.mempool: list[Transaction] = []
        self.number = 0
        self.state: State = {}
        self._genesis = 0
        self._forks: list[tuple[int, int]] = []  # (height, salt): hashes from this height on carry the salt
        self._blocks: dict[int, tuple[Transaction, ...]] = {}  # empty ones are not kept
        self._before: dict[int, State] = {}  # the state that a block which is not final started from
        self._receipts: dict[str, Receipt] = {}
        self._sent = 0
        self._issued = 0

    @property
    def id(self) -> ChainId:
        return self.native.chain

    @property
    def atomic(self) -> bool:
        return self.id.namespace == SOLANA

    # time

    def begin(self, time: int) -> None:
        """Called by the world: block 0 is at `time`."""
        self._genesis = time

    @property
    def next_block(self) -> int:
        """Unix seconds at which the next block is due."""
        return self._genesis + (self.number + 1) * self.pace.block_s

    @property
    def finalized(self) -> int:
        return max(0, self.number - self.pace.finality)

    def height(self, number: int) -> Height:
        salt = max((salt for start, salt in self._forks if start <= number), default=0)
        return Height(number, "0x" + digest(self.id, number, salt), self._genesis + number * self.pace.block_s)

    def skip(self, time: int) -> None:
        """Let empty blocks pass until `time`."""
        self.number = max(self.number, (time - self._genesis) // self.pace.block_s)
        self._forget_states()

    def mine(self) -> None:
        """Produce the next block."""
        self.number += 1
        landed: list[Transaction] = []
        while (turn := self._eligible()) is not None:
            if not landed:
                self._before[self.number] = dict(self.state)
            self.mempool.remove(turn)
            self._execute(turn)
            landed.append(turn)
        self.mempool = [t for t in self.mempool if self._can_land(t)]
        if landed:
            self._blocks[self.number] = tuple(landed)
        self._forget_states()

    def _forget_states(self) -> None:
        for number in [n for n in self._before if n <= self.finalized]:
            del self._before[number]

    def _can_land(self, transaction: Transaction) -> bool:
        if transaction.valid_until is not None:
            return self.number < transaction.valid_until
        return transaction.sequence is None or transaction.sequence >= self.nonce(transaction.sender)

    def _eligible(self) -> Transaction | None:
        for transaction in self.mempool:
            in_turn = transaction.sequence is None or transaction.sequence == self.nonce(transaction.sender)
            alive = transaction.valid_until is None or self.number <= transaction.valid_until
            paid = units_at(self.state, "balance", self.native.id, transaction.sender.address) >= transaction.fee
            if in_turn and alive and paid and transaction.ready <= self.number:
                return transaction
        return None

    def _execute(self, transaction: Transaction) -> None:
        sender = transaction.sender.address
        charged = self.state
        charged[("balance", self.native.id, sender)] = units_at(charged, "balance", self.native.id, sender) - transaction.fee
        charged[("nonce", sender)] = units_at(charged, "nonce", sender) + 1
        attempt = dict(charged)
        frame = self.frame(attempt, transaction)
        reason = self.faults.reverts.popleft() if self.faults.reverts else ""
        try:
            if not reason:
                self.apply(frame, transaction.calls)
        except Reverted as refusal:
            reason = str(refusal)
        self.state = charged if reason else attempt
        self._receipts[transaction.reference] = Receipt(
            chain=self.id,
            reference=transaction.reference,
            sender=transaction.sender,
            height=self.height(self.number),
            succeeded=not reason,
            final=False,
            fee=transaction.fee,
            movements=() if reason else net(frame.movements),
            logs=() if reason else tuple(frame.logs),
            reason=reason,
        )

    def frame(self, state: State, transaction: Transaction) -> Frame:
        return Frame(
            chain=self.id,
            native=self.native.id,
            state=state,
            contract="",
            sender=transaction.sender.address,
            reference=transaction.reference,
            height=self.number,
            time=self.height(self.number).time,
            signers=transaction.signers,
        )

    def apply(self, frame: Frame, calls: Sequence[Call]) -> None:
        """Run the calls of one transaction in a frame. Raises Reverted."""
        for call in calls:
            frame.contract, frame.value = call.target, call.value
            run(frame, call, self.contracts)

    # what is known

    def nonce(self, account: AccountId) -> int:
        return units_at(self.state, "nonce", account.address)

    def state_at(self, number: int) -> State:
        """The state after block `number`, which is the newest final one or a newer one."""
        later = [n for n in self._before if n > number]
        return self._before[min(later)] if later else self.state

    def receipt(self, reference: str) -> Receipt | None:
        found = self._receipts.get(reference)
        return None if found is None else replace(found, final=found.height.number <= self.finalized)

    def receipts(self, since: int) -> list[tuple[Transaction, Receipt]]:
        """Everything that landed from height `since` on, oldest first."""
        blocks = sorted(n for n in self._blocks if n >= since)
        pairs = [(t, self.receipt(t.reference)) for n in blocks for t in self._blocks[n]]
        return [(t, receipt) for t, receipt in pairs if receipt is not None]

    def issue(self) -> int:
        """A number that no other transaction carries."""
        self._issued += 1
        return self._issued

    # levers

    def knows(self, reference: str) -> bool:
        """True when the transaction waits or has landed."""
        return reference in self._receipts or any(t.reference == reference for t in self.mempool)

    def accept(self, transaction: Transaction) -> bool:
        """Take a transaction into the mempool. True also when it is known already; False when it can no longer land."""
        if self.knows(transaction.reference):
            return True
        if not self._can_land(transaction):
            return False
        self.mempool.append(transaction)
        return True

    def send_as(self, account: AccountId, calls: Sequence[Call], delay: int = 0) -> str:
        """Put a transaction of any account into the mempool: an agent's, a third party's, or a foreign one in ours. Its reference.

        Costs nothing; on EVM-like networks it takes the account's next nonce, past a pending one of ours if need be.
        """
        self._sent += 1
        own = [i for i, t in enumerate(self.mempool) if t.sender == account]
        free = [i for i in own if self.mempool[i].fee == 0]
        transaction = Transaction(
            reference="0x" + digest(self.id, account, "sent as", self._sent),
            sender=account,
            sequence=None if self.atomic else self.nonce(account) + len(free),
            valid_until=None,
            calls=tuple(calls),
            signers=(account.address,),
            fee=0,
            ready=self.number + 1 + delay,
        )
        overtaken = [i for i in own if i not in free]
        self.mempool.insert(overtaken[0] if overtaken else len(self.mempool), transaction)
        return transaction.reference

    def reorganise(self, depth: int, forget: bool = False) -> None:
        """Replace the newest `depth` blocks, never a final one, by empty ones; their transactions wait again, or are forgotten."""
        if depth > self.number - self.finalized:
            raise ValueError(f"{depth} blocks are more than the {self.number - self.finalized} that are not final")
        gone = sorted(n for n in self._blocks if n > self.number - depth)
        if gone:
            self.state = self._before[gone[0]]
        returned = [t for n in gone for t in self._blocks.pop(n)]
        for number in gone:
            del self._before[number]
        for transaction in returned:
            del self._receipts[transaction.reference]
        self._forks.append((self.number - depth + 1, len(self._forks) + 1))
        if not forget:
            self.mempool[:0] = [replace(t, ready=self.number + 1) for t in returned]

    def add(self, token: Token) -> TokenContract:
        """Deploy a token."""
        contract = TokenContract(token.id)
        self.tokens[token.id] = token
        self.contracts[contract.address] = contract
        return contract

    def install(self, contract: Contract) -> None:
        self.contracts[contract.address] = contract

    def account(self, label: str) -> AccountId:
        """The account that a label names on this network, always the same."""
        return AccountId(self.id, address_of(self.id, label))

    def fund(self, account: AccountId, token: TokenId, units: int) -> None:
        """Give (or take) units as though the account had always had them."""
        self._always(("balance", token, account.address), lambda old: old + units)

    def pause(self, token: TokenId, paused: bool = True) -> None:
        self._always(("paused", token), lambda _: int(paused))

    def block(self, token: TokenId, account: AccountId, blocked: bool = True) -> None:
        """Put an account on the token's blacklist, or take it off."""
        self._always(("blocked", token, account.address), lambda _: int(blocked))

    def _always(self, key: Key, change: Callable[[int], int]) -> None:
        for state in (self.state, *self._before.values()):
            state[key] = change(units_at(state, *key))

    def supply(self, token: TokenId) -> int:
        """Sum of all balances of the token now."""
        return sum(v for k, v in self.state.items() if k[:2] == ("balance", token) and isinstance(v, int))
