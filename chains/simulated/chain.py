"""SimulatedChain: a client of a simulated network, and the reference implementation of `chains.base.Chain`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from chains.base import AccountMeta, Call, Dead, Fate, Height, Landed, Log, Pending, Receipt, Snapshot, Submission, Unknown
from chains.errors import Misconfigured, Reverted, SendInDoubt, Unfunded, Unreachable, WrongNetwork
from chains.ids import AccountId, ChainId, TokenId
from chains.simulated.machine import decode, units_at
from chains.simulated.network import WORK_PER_CALL, SimulatedNetwork, Transaction
from chains.tokens import Amount, Token


class SimulatedChain:
    """One network seen by one coordinator. `catch_up` lets the world reach the present before every look."""

    def __init__(self, network: SimulatedNetwork, catch_up: Callable[[], None], keys: Iterable[AccountId] = ()) -> None:
        self.network = network
        self._catch_up = catch_up
        self._keys = frozenset(keys)

    @property
    def id(self) -> ChainId:
        return self.network.id

    @property
    def native(self) -> Token:
        return self.network.native

    @property
    def atomic(self) -> bool:
        return self.network.atomic

    async def head(self) -> Height:
        network = self._reach()
        return network.height(network.finalized)

    async def snapshot(self, accounts: Sequence[AccountId], tokens: Sequence[Token]) -> Snapshot:
        network = self._reach()
        height = network.height(network.finalized)
        state = network.state_at(height.number)

        def holding(account: AccountId, token: TokenId) -> int | Unknown:
            if (account, token) in network.faults.unread or (None, token) in network.faults.unread:
                return Unknown(f"the balance of {token} could not be read")
            if account.chain != network.id or token not in network.tokens:
                return Unknown(f"{network.id} knows no balance of {account} in {token}")
            return units_at(state, "balance", token, account.address)

        return Snapshot(network.id, height, {(a, t.id): holding(a, t.id) for a in accounts for t in tokens})

    async def decimals(self, token: TokenId) -> int:
        network = self._reach()
        found = network.tokens.get(token)
        if found is None:
            raise Misconfigured(f"{token} does not exist; {network.id} has {', '.join(str(t) for t in network.tokens)}")
        return found.decimals

    async def read(self, call: Call) -> bytes:
        network = self._reach()
        self._own(call.chain)
        contract = network.contracts.get(call.target)
        if contract is None:
            raise Reverted(f"no contract at {call.target}")
        method, arguments = decode(call.data)
        nobody = Transaction("", AccountId(network.id, call.target), None, None, (), (), 0)
        frame = network.frame(dict(network.state), nobody)
        frame.contract = call.target
        return json.dumps(contract.view(frame, method, arguments)).encode()

    async def receipt(self, reference: str) -> Receipt | None:
        return self._reach().receipt(reference)

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        network = self._reach()
        if network.atomic:
            return [r for t, r in network.receipts(since) if address in _touched(t, r)]
        return [r for _, r in network.receipts(since) if any(_matches(log, address, topics) for log in r.logs)]

    async def fee(self, work: int) -> Amount:
        return Amount(self.native, work * self._reach().price)

    async def aclose(self) -> None:
        """Nothing is open: the world outlives its clients."""

    async def sequence(self, sender: AccountId) -> int | None:
        network = self._reach()
        if network.atomic:
            return None
        waiting = {t.sequence for t in network.mempool if t.sender == sender}
        following = network.nonce(sender)
        while following in waiting:
            following += 1
        return following

    async def stopped(self, account: AccountId, token: TokenId) -> str:
        self._reach()
        return ""  # no issuer rules here

    async def prepare(self, sender: AccountId, calls: Sequence[Call], sequence: int | None) -> Submission:
        network = self._reach()
        if sender not in self._keys:
            raise Misconfigured(f"no key for {sender}; there are keys for {', '.join(map(str, sorted(self._keys))) or 'no account'}")
        for call in calls:
            self._own(call.chain)
        if not network.atomic and len(calls) != 1:
            raise ValueError(f"{network.id}: {len(calls)} calls in one transaction; it takes one")
        if not network.atomic and calls[0].cosigners:
            raise Misconfigured(f"{network.id} knows no cosigners")
        if sequence is None:
            sequence = await self.sequence(sender)
        fee = WORK_PER_CALL * len(calls) * network.price
        expiry = network.number + network.pace.expiry if network.atomic else None
        raw = _encode(sender, calls, fee, _Life(None if network.atomic else sequence, expiry, network.issue() if network.atomic else 0))
        transaction = _decode(network.id, raw)
        self._simulate(network, transaction)
        return Submission(network.id, sender, transaction.reference, raw, transaction.sequence, expiry)

    def _simulate(self, network: SimulatedNetwork, transaction: Transaction) -> None:
        state = dict(network.state)
        key = ("balance", network.native.id, transaction.sender.address)
        has = units_at(state, *key)
        needs = transaction.fee + sum(call.value for call in transaction.calls)
        if has < needs:
            raise Unfunded(f"{transaction.sender} has {has} of {network.native.id}, needs {needs} for the fee and the value sent along")
        state[key] = has - transaction.fee
        network.apply(network.frame(state, transaction), transaction.calls)

    async def submit(self, submission: Submission) -> None:
        try:
            network = self._reach()
        except Unreachable as problem:
            raise SendInDoubt(f"{problem}; {submission.reference} may or may not have been taken") from problem
        self._own(submission.chain)
        fault = network.faults.send()
        transaction = _decode(network.id, submission.raw, network.number + 1 + fault.delay)
        taken = network.accept(transaction) if fault.kept else True
        if not fault.answered:
            raise SendInDoubt(f"{network.id} did not answer to {submission.reference}; it may have been taken")
        if not taken:
            raise SendInDoubt(f"{network.id} refuses {submission.reference}: nonce used or blockhash expired; it may have landed before")

    async def fate(self, submission: Submission) -> Fate:
        network = self._reach()
        self._own(submission.chain)
        receipt = network.receipt(submission.reference)
        if receipt is not None:
            return Landed(receipt)
        state = network.state_at(network.finalized)
        if submission.valid_until is not None and network.finalized > submission.valid_until:
            return Dead(f"expired at block {submission.valid_until}; block {network.finalized} is final and does not know it")
        nonce = units_at(state, "nonce", submission.sender.address)
        if submission.sequence is not None and nonce > submission.sequence:
            return Dead(f"another transaction used nonce {submission.sequence} and is final at block {network.finalized}", foreign=True)
        return Pending("in the mempool" if any(t.reference == submission.reference for t in network.mempool) else "not seen")

    def _reach(self) -> SimulatedNetwork:
        """The network as it is now, if it answers."""
        self._catch_up()
        self.network.faults.check(self.network.id)
        return self.network

    def _own(self, chain: ChainId) -> None:
        if chain != self.network.id:
            raise WrongNetwork(f"asked {self.network.id} about something of {chain}")


@dataclass(frozen=True, slots=True)
class _Life:
    """What makes a transaction unique. `salt` tells equal calls under one blockhash apart, which would be one transaction otherwise."""

    sequence: int | None
    valid_until: int | None
    salt: int


def _matches(log: Log, address: str, topics: Sequence[str | None]) -> bool:
    wanted = enumerate(topics)
    return log.address == address and all(t is None or (i < len(log.topics) and log.topics[i] == t) for i, t in wanted)


def _touched(transaction: Transaction, receipt: Receipt) -> set[str]:
    calls = transaction.calls
    return {
        transaction.sender.address,
        *(call.target for call in calls),
        *(meta.address for call in calls for meta in call.accounts),
        *(movement.account.address for movement in receipt.movements),
    }


def _encode(sender: AccountId, calls: Sequence[Call], fee: int, life: _Life) -> bytes:
    """The signed bytes. Cosigners' seeds stay out of them; their public names (hashes) go in."""
    signers = [sender.address, *(cosigner_name(seed) for call in calls for seed in call.cosigners)]
    body = [
        {
            "target": call.target,
            "data": call.data.hex(),
            "purpose": call.purpose,
            "value": call.value,
            "accounts": [asdict(meta) for meta in call.accounts],
        }
        for call in calls
    ]
    fields = {
        "chain": str(sender.chain),
        "sender": sender.address,
        "calls": body,
        "fee": fee,
        "sequence": life.sequence,
        "valid_until": life.valid_until,
        "salt": life.salt,
        "signers": signers,
    }
    return json.dumps(fields, sort_keys=True).encode()


def cosigner_name(seed: bytes) -> str:
    """The public name under which a cosigner's signature shows: on Solana-like chains its real Ed25519 public key."""
    from solders.keypair import Keypair  # late: only Solana-like worlds have cosigners

    return str(Keypair.from_seed(seed).pubkey())


def _decode(chain: ChainId, raw: bytes, ready: int = 0) -> Transaction:
    fields = json.loads(raw)
    calls = tuple(
        Call(
            chain=chain,
            target=call["target"],
            data=bytes.fromhex(call["data"]),
            purpose=call["purpose"],
            value=call["value"],
            accounts=tuple(AccountMeta(**meta) for meta in call["accounts"]),
        )
        for call in fields["calls"]
    )
    return Transaction(
        reference="0x" + hashlib.sha256(raw).hexdigest(),
        sender=AccountId(chain, fields["sender"]),
        sequence=fields["sequence"],
        valid_until=fields["valid_until"],
        calls=calls,
        signers=tuple(fields["signers"]),
        fee=fields["fee"],
        ready=ready,
    )
