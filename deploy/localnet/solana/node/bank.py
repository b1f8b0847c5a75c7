"""The accounts and the execution: LiteSVM, plus what a bank checks and remembers around one transaction."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from deploy.localnet.solana.node.errors import preflight
from deploy.localnet.solana.node.record import Balances, Keys, Landed
from deploy.localnet.solana.node.slots import SLOTS_PER_EPOCH, Slots
from deploy.localnet.solana.node.tokens import mint, token_account, ui_amount

SYSTEM = Pubkey.default()
LOOKUP_TABLES = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
LOOKUP_TABLE_HEADER = 56
ADVANCE_NONCE = struct.pack("<I", 4)
NONCE_SIZE, NONCE_VALUE = 80, slice(40, 72)
AnyMessage = Message | MessageV0 | MessageV1


class Bank:
    """The processed state. One LiteSVM belongs to one thread; accounts are read and written only through here."""

    def __init__(self) -> None:
        # Blockhashes and repeats are checked by the chain: LiteSVM knows one valid hash and no window.
        self._svm = LiteSVM().with_mainnet_features().with_blockhash_check(False).with_transaction_history(0)

    @property
    def first_slot(self) -> int:
        return int(self._svm.get_clock().slot)

    @property
    def blockhash(self) -> Hash:
        return self._svm.latest_blockhash()

    def next_blockhash(self) -> Hash:
        self._svm.expire_blockhash()
        return self.blockhash

    def set_time(self, slots: Slots) -> None:
        """Write the clock and the slot hashes of the current slot (LiteSVM moves neither by itself)."""
        self._svm.warp_to_slot(slots.now)
        epoch = slots.now // SLOTS_PER_EPOCH
        start = self._svm.get_clock().epoch_start_timestamp
        self._svm.set_clock(Clock(slots.now, start, epoch, epoch + 1, slots.time_of(slots.now)))
        self._svm.set_slot_hashes(slots.newest_hashes())

    # -- accounts ------------------------------------------------------------------------------------------------

    def account(self, key: Pubkey) -> Account | None:
        return self._svm.get_account(key)

    def set_account(self, key: Pubkey, account: Account | None) -> None:
        self._svm.set_account(key, account or Account(0, b"", SYSTEM))

    def add_program(self, key: Pubkey, program: bytes) -> None:
        self._svm.add_program(key, program)

    def owned_by(self, program: Pubkey) -> list[tuple[Pubkey, Account]]:
        return list(self._svm.get_program_accounts(program))

    def rent_exempt(self, size: int) -> int:
        return int(self._svm.minimum_balance_for_rent_exemption(size))

    # -- transactions --------------------------------------------------------------------------------------------

    def keys(self, message: AnyMessage) -> Keys:
        """Every account of a message. Raises the node's error when a lookup table or an index is not there."""
        writable: list[Pubkey] = []
        readonly: list[Pubkey] = []
        for lookup in message.address_table_lookups if isinstance(message, MessageV0) else []:
            table = self.account(lookup.account_key)
            if table is None or table.owner != LOOKUP_TABLES:
                text = "Transaction loads an address table account that doesn't exist"
                raise preflight("AddressLookupTableNotFound", text)
            data = bytes(table.data)
            addresses = [Pubkey.from_bytes(data[i : i + 32]) for i in range(LOOKUP_TABLE_HEADER, len(data), 32)]
            wanted = (*lookup.writable_indexes, *lookup.readonly_indexes)
            if any(i >= len(addresses) for i in wanted):
                text = "Transaction address table lookup uses an invalid index"
                raise preflight("InvalidAddressLookupTableIndex", text)
            writable += [addresses[i] for i in lookup.writable_indexes]
            readonly += [addresses[i] for i in lookup.readonly_indexes]
        return Keys(tuple(message.account_keys), tuple(writable), tuple(readonly))

    def nonce_account(self, message: AnyMessage) -> Pubkey | None:
        """The nonce account whose value this message carries as its blockhash, if it is a durable transaction."""
        if not message.instructions:
            return None
        first = message.instructions[0]
        program = message.account_keys[first.program_id_index]
        if program != SYSTEM or bytes(first.data)[:4] != ADVANCE_NONCE or not first.accounts:
            return None
        key = message.account_keys[first.accounts[0]]
        account = self.account(key)
        if account is None or len(account.data) != NONCE_SIZE:
            return None
        return key if bytes(account.data)[NONCE_VALUE] == bytes(message.recent_blockhash) else None

    def simulate(self, transaction: VersionedTransaction, verify: bool = True) -> tuple[Any, dict[str, Any], Any]:
        """(error or None, LiteSVM's record, accounts afterwards by key); nothing changes."""
        self._svm = self._svm.with_sigverify(verify)
        try:
            result = self._svm.simulate_transaction(transaction)
        finally:
            self._svm = self._svm.with_sigverify(True)
        body = json.loads(result.to_json())
        if isinstance(result, FailedTransactionMetadata):
            return body["err"], body["meta"], {}
        return None, body["meta"], dict(result.post_accounts())

    def land(self, transaction: VersionedTransaction, slots: Slots) -> Landed | str:
        """Execute in the current slot; the name of the error where no block could hold the transaction."""
        message = transaction.message
        keys = self.keys(message)
        nonce = None if slots.is_recent(message.recent_blockhash) else self.nonce_account(message)
        images = {key: self.account(key) for key in keys.all()}
        result = self._svm.send_transaction(transaction)
        body = json.loads(result.to_json())
        failed = isinstance(result, FailedTransactionMetadata)
        err, meta = (body["err"], body["meta"]) if failed else (None, body)
        if failed and meta["fee"] == 0:  # never charged (bad signature, no fee payer, ...): not in any block
            return str(err)
        if failed and nonce is not None:
            self._advance_nonce(nonce)
        after = {key: self.account(key) for key in keys.all()}
        changed = frozenset(key for key in images if images[key] != after[key])
        return Landed(
            transaction=transaction,
            slot=slots.now,
            time=slots.time_of(slots.now),
            keys=keys,
            err=err,
            meta=meta,
            before=self._balances(keys, images),
            after=self._balances(keys, after),
            undo={key: images[key] for key in changed},
            changed=changed,
        )

    def _advance_nonce(self, key: Pubkey) -> None:
        """A cluster advances the nonce of a failed durable transaction too; LiteSVM does not."""
        account = self.account(key)
        if account is None:
            return
        data = bytes(account.data)
        value = hashlib.sha256(b"DURABLE_NONCE" + bytes(self.blockhash)).digest()
        data = data[: NONCE_VALUE.start] + value + data[NONCE_VALUE.stop :]
        self.set_account(key, Account(account.lamports, data, account.owner))

    def _balances(self, keys: Keys, images: dict[Pubkey, Account | None]) -> Balances:
        lamports, tokens = [], []
        for index, key in enumerate(keys.all()):
            account = images[key]
            lamports.append(account.lamports if account else 0)
            held = token_account(account)
            if account is None or held is None:
                continue
            minted = mint(self.account(held.mint))
            amount = ui_amount(held.amount, minted.decimals if minted else 0)
            names = {"mint": str(held.mint), "owner": str(held.owner), "programId": str(account.owner)}
            tokens.append({"accountIndex": index, **names, "uiTokenAmount": amount})
        return Balances(tuple(lamports), tuple(tokens))
