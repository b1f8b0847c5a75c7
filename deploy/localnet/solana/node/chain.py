"""The chain: slots that pass, transactions that land in them, commitments, forks and faults.

Deterministic when ticked by hand: `Chain()` then `tick()`; nothing else moves it.
"""

from __future__ import annotations

from collections.abc import Callable

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from deploy.localnet.solana.node.bank import SYSTEM, AnyMessage, Bank
from deploy.localnet.solana.node.errors import LostResponse, RpcError
from deploy.localnet.solana.node.faults import Faults
from deploy.localnet.solana.node.history import History
from deploy.localnet.solana.node.record import Landed
from deploy.localnet.solana.node.slots import Slots

GENESIS = Hash.hash(b"coordinator local network: solana")
"""Constant, so that the chain id never changes and is never a real cluster's."""
FAUCET = Keypair.from_seed(bytes(Hash.hash(b"coordinator local network: faucet")))
FAUCET_LAMPORTS = 10**18
FINALIZE_SLOTS = 32
LEAST_UNITS = 100_000


class Chain:
    """One local Solana. Not thread-safe: LiteSVM belongs to the thread that made it.

    `slot_ms` is how much chain time one slot is; `finalize_slots` the distance after which a slot is final.
    """

    def __init__(self, *, slot_ms: int = 400, finalize_slots: int = FINALIZE_SLOTS, start_time: int | None = None) -> None:
        self.bank = Bank()
        self.slots = Slots(
            self.bank.first_slot,
            self.bank.blockhash,
            slot_ms=slot_ms,
            finalize_slots=finalize_slots,
            start_time=start_time,
        )
        self.history = History()
        self.faults = Faults()
        self.frozen = False
        """True while a test holds the automatic slots; `tick` by hand still works."""
        self.on_landed: list[Callable[[Landed], None]] = []
        self.on_slot: list[Callable[[], None]] = []
        self._pending: dict[Signature, tuple[int, VersionedTransaction]] = {}
        self._limits = 0
        self.bank.set_account(FAUCET.pubkey(), Account(FAUCET_LAMPORTS, b"", SYSTEM))
        self.tick(finalize_slots + 1)  # so that every commitment has a slot of its own from the start

    # -- time ----------------------------------------------------------------------------------------------------

    def tick(self, count: int = 1) -> int:
        """Let `count` slots pass; what is due lands in its slot. Returns the current slot."""
        for _ in range(count):
            self.slots.advance(self.bank.next_blockhash())
            self.bank.set_time(self.slots)
            self.history.settle(self.slots.at("finalized"))
            due = [signature for signature, (slot, _) in self._pending.items() if slot <= self.slots.now]
            for signature in due:
                self._land(self._pending.pop(signature)[1])
            for listener in self.on_slot:
                listener()
        return self.slots.now

    # -- transactions --------------------------------------------------------------------------------------------

    def age_error(self, message: AnyMessage, commitment: str = "processed") -> str | None:
        """ "BlockhashNotFound" unless the blockhash is one of the last 150 or a live durable nonce."""
        if self.slots.is_recent(message.recent_blockhash, commitment) or self.bank.nonce_account(message) is not None:
            return None
        return "BlockhashNotFound"

    def send(self, transaction: VersionedTransaction) -> None:
        """Take a transaction as a node does: no answer tells whether it will land. Raises `LostResponse`."""
        faults = self.faults
        if faults.drop_next > 0:
            faults.drop_next -= 1
            return
        if faults.delay_slots:
            due = self.slots.now + faults.delay_slots
            self._pending.setdefault(transaction.signatures[0], (due, transaction))
        else:
            self._land(transaction)
        if faults.lose_response > 0:
            faults.lose_response -= 1
            raise LostResponse

    def _land(self, transaction: VersionedTransaction) -> Landed | str:
        if self.history.find(transaction.signatures[0]) is not None:
            return "AlreadyProcessed"
        if expired := self.age_error(transaction.message):
            return expired
        try:
            record = self.bank.land(transaction, self.slots)
        except RpcError as error:  # a lookup table that is not there
            return error.message
        if isinstance(record, Landed):
            self.history.add(record)
            for listener in self.on_landed:
                listener(record)
        return record

    def execute(self, instructions: list[Instruction], signers: list[Keypair]) -> Landed:
        """Sign with the newest blockhash (the first signer pays) and land at once, faults aside.

        For setting the network up. Raises `RuntimeError` with the program's last log lines if it fails.
        """
        message = MessageV0.try_compile(signers[0].pubkey(), instructions, [], self.slots.latest("processed")[0])
        record = self._land(VersionedTransaction(message, signers))
        if isinstance(record, str):
            raise RuntimeError(f"the transaction cannot be in a block: {record}")
        if record.err is not None:
            raise RuntimeError(f"the transaction failed: {record.err}\n" + "\n".join(record.meta["logs"][-8:]))
        return record

    def unique_limit(self) -> Instruction:
        """A compute limit that differs each time, so that equal transactions in one slot have different signatures."""
        self._limits += 1
        return set_compute_unit_limit(LEAST_UNITS + self._limits % LEAST_UNITS)

    def airdrop(self, to: Pubkey, lamports: int) -> Signature:
        """Lamports from the faucet, now. Raises `RuntimeError` if it cannot pay."""
        pay = transfer(TransferParams(from_pubkey=FAUCET.pubkey(), to_pubkey=to, lamports=lamports))
        return self.execute([self.unique_limit(), pay], [FAUCET]).signature

    def reorg(self, depth: int) -> list[Signature]:
        """The last `depth` slots were a losing fork: undo their transactions (nothing re-sends them).

        Returns their signatures, newest first. Raises `ValueError` for a depth that reaches finalized slots.
        """
        if not 1 <= depth <= self.slots.finalize_slots:
            raise ValueError(f"a reorg can drop 1 to {self.slots.finalize_slots} slots (finalized ones stay), not {depth}")
        gone = self.history.remove_after(self.slots.now - depth)
        for record in gone:
            for key, image in record.undo.items():
                self.bank.set_account(key, image)
        self.slots.abandon(depth, self.bank.next_blockhash())
        self.bank.set_time(self.slots)
        return [record.signature for record in gone]

    # -- accounts at a commitment --------------------------------------------------------------------------------

    def account(self, key: Pubkey, commitment: str = "processed") -> Account | None:
        now = self.bank.account(key)
        image = self.history.account_at(key, self.slots.at(commitment), now)
        return None if image is None or (image.lamports == 0 and not image.data) else image

    def owned_by(self, program: Pubkey, commitment: str = "processed") -> list[tuple[Pubkey, Account]]:
        """A program's accounts, in the order of their keys."""
        images: dict[Pubkey, Account | None] = dict(self.bank.owned_by(program))
        images |= self.history.changed_after(self.slots.at(commitment))
        owned = [(key, image) for key, image in images.items() if image is not None and image.owner == program]
        return sorted(((k, a) for k, a in owned if a.lamports or a.data), key=lambda item: bytes(item[0]))

    def set_account(self, key: Pubkey, account: Account) -> None:
        """Write an account from outside; it reads so at every commitment."""
        self.bank.set_account(key, account)
        self.history.rewrite(key)
