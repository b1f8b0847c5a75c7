"""The chain, ticked by hand: expiry, repeats, commitments, forks, faults, durable nonces."""

import pytest
from solders.account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    CreateAccountParams,
    InitializeNonceAccountParams,
    TransferParams,
    advance_nonce_account,
    create_account,
    initialize_nonce_account,
    transfer,
)
from solders.transaction import VersionedTransaction

from deploy.localnet.solana.node.bank import SYSTEM
from deploy.localnet.solana.node.chain import Chain
from deploy.localnet.solana.node.errors import LostResponse

SOL = 10**9


@pytest.fixture
def chain() -> Chain:
    return Chain(start_time=1_700_000_000)


@pytest.fixture
def payer(chain: Chain) -> Keypair:
    key = Keypair()
    chain.airdrop(key.pubkey(), 100 * SOL)
    chain.tick(chain.slots.finalize_slots + 1)
    return key


def pay(payer: Keypair, to: Pubkey, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))


def signed(payer: Keypair, steps: list[Instruction], blockhash: Hash, *others: Keypair) -> VersionedTransaction:
    return VersionedTransaction(MessageV0.try_compile(payer.pubkey(), steps, [], blockhash), [payer, *others])


def balance(chain: Chain, key: Pubkey, commitment: str = "processed") -> int:
    account = chain.account(key, commitment)
    return account.lamports if account else 0


@pytest.mark.parametrize(("age", "lands"), [(0, True), (150, True), (151, False)])
def test_blockhash__after_so_many_slots__is_usable_for_150(chain: Chain, payer: Keypair, age: int, lands: bool) -> None:
    to, (blockhash, last_height) = Keypair().pubkey(), chain.slots.latest("processed")
    chain.tick(age)
    chain.send(signed(payer, [pay(payer, to, SOL)], blockhash))
    assert (balance(chain, to) == SOL) is lands
    assert (chain.slots.height(chain.slots.now) <= last_height) is lands


def test_send__same_bytes_again__pays_once(chain: Chain, payer: Keypair) -> None:
    to = Keypair().pubkey()
    transaction = signed(payer, [pay(payer, to, SOL)], chain.slots.latest("confirmed")[0])
    for _ in range(3):
        chain.send(transaction)
        chain.tick()
    assert balance(chain, to) == SOL


def test_account__after_each_slot__is_seen_when_its_commitment_is_reached(chain: Chain, payer: Keypair) -> None:
    to = Keypair().pubkey()
    chain.send(signed(payer, [pay(payer, to, SOL)], chain.slots.latest("processed")[0]))
    seen = []
    for _ in range(chain.slots.finalize_slots + 1):
        seen.append(tuple(balance(chain, to, c) for c in ("processed", "confirmed", "finalized")))
        chain.tick()
    assert seen[0] == (SOL, 0, 0)
    assert seen[1] == seen[-2] == (SOL, SOL, 0)
    assert tuple(balance(chain, to, c) for c in ("processed", "confirmed", "finalized")) == (SOL, SOL, SOL)


def test_account__changed_in_three_slots__each_commitment_sees_its_own_state(chain: Chain, payer: Keypair) -> None:
    to = Keypair().pubkey()
    for lamports in (SOL, SOL + 1, SOL + 2):
        chain.send(signed(payer, [pay(payer, to, lamports)], chain.slots.latest("processed")[0]))
        chain.tick()
    assert balance(chain, to, "processed") == 3 * SOL + 3
    assert balance(chain, to, "finalized") == 0
    owned = dict(chain.owned_by(SYSTEM, "finalized"))
    assert to not in owned
    chain.tick(chain.slots.finalize_slots - 2)
    assert balance(chain, to, "finalized") == 2 * SOL + 1


def test_account__emptied__is_gone_at_once_but_finalized_still_sees_it(chain: Chain, payer: Keypair) -> None:
    leaving = Keypair()
    chain.airdrop(leaving.pubkey(), SOL)
    chain.tick(chain.slots.finalize_slots + 1)
    everything = transfer(TransferParams(from_pubkey=leaving.pubkey(), to_pubkey=payer.pubkey(), lamports=SOL))
    chain.send(signed(payer, [everything], chain.slots.latest("processed")[0], leaving))
    assert chain.account(leaving.pubkey()) is None
    assert balance(chain, leaving.pubkey(), "finalized") == SOL
    assert dict(chain.owned_by(SYSTEM, "finalized"))[leaving.pubkey()].lamports == SOL
    assert leaving.pubkey() not in dict(chain.owned_by(SYSTEM))


def test_reorg__unfinal_slots__restores_accounts_and_kills_their_blockhashes(chain: Chain, payer: Keypair) -> None:
    to = Keypair().pubkey()
    before = balance(chain, payer.pubkey())
    kept = signed(payer, [pay(payer, to, SOL)], chain.slots.latest("processed")[0])
    chain.send(kept)
    chain.tick(2)
    blockhash = chain.slots.latest("processed")[0]
    gone = signed(payer, [pay(payer, to, 2 * SOL)], blockhash)
    chain.send(gone)
    assert chain.reorg(1) == [gone.signatures[0]]
    assert balance(chain, to) == SOL
    assert balance(chain, payer.pubkey()) == before - SOL - 5_000
    assert chain.history.find(gone.signatures[0]) is None
    chain.send(gone)
    assert balance(chain, to) == SOL, "its blockhash died with the fork"
    assert chain.slots.latest("processed")[0] != blockhash


def test_reorg__deeper_than_finality__is_refused(chain: Chain) -> None:
    with pytest.raises(ValueError, match="finalized ones stay"):
        chain.reorg(chain.slots.finalize_slots + 1)


def test_reorg__older_blockhash__transaction_can_land_again(chain: Chain, payer: Keypair) -> None:
    to, blockhash = Keypair().pubkey(), chain.slots.latest("finalized")[0]
    transaction = signed(payer, [pay(payer, to, SOL)], blockhash)
    chain.send(transaction)
    chain.tick(3)
    chain.reorg(4)
    assert balance(chain, to) == 0
    chain.send(transaction)
    assert balance(chain, to) == SOL


def test_faults__drop_delay_and_lost_answer__strike_as_asked(chain: Chain, payer: Keypair) -> None:
    to, blockhash = Keypair().pubkey(), chain.slots.latest("processed")[0]
    first, second, third = (signed(payer, [pay(payer, to, SOL + n)], blockhash) for n in range(3))
    chain.faults.drop_next = 1
    chain.send(first)
    chain.tick(5)
    assert balance(chain, to) == 0
    chain.send(first)
    assert balance(chain, to) == SOL
    chain.faults.delay_slots = 4
    chain.send(second)
    chain.send(second)
    chain.tick(3)
    assert balance(chain, to) == SOL
    chain.tick(1)
    assert balance(chain, to) == 2 * SOL + 1
    chain.faults.change({"delay_slots": 0, "lose_response": 1})
    with pytest.raises(LostResponse):
        chain.send(third)
    assert balance(chain, to) == 3 * SOL + 3


@pytest.mark.parametrize("change", [{"drop_nxt": 1}, {"drop_next": -1}, {"fail_methods": 3}, {"http_status": "503"}])
def test_faults__unknown_or_wrong__are_refused(chain: Chain, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        chain.faults.change(change)


def test_failed_transaction__landed__pays_its_fee_and_moves_nothing(chain: Chain, payer: Keypair) -> None:
    to, before = Keypair().pubkey(), balance(chain, payer.pubkey())
    transaction = signed(payer, [pay(payer, to, 10**6 * SOL)], chain.slots.latest("processed")[0])
    chain.send(transaction)
    record = chain.history.find(transaction.signatures[0])
    assert record is not None
    assert record.err == {"InstructionError": [0, {"Custom": 1}]}
    assert (balance(chain, payer.pubkey()), balance(chain, to)) == (before - 5_000, 0)


def test_unsigned_transaction__sent__is_in_no_block(chain: Chain, payer: Keypair) -> None:
    good = signed(payer, [pay(payer, Keypair().pubkey(), SOL)], chain.slots.latest("processed")[0])
    forged = VersionedTransaction.populate(good.message, [Keypair().sign_message(b"other")])
    chain.send(forged)
    assert chain.history.find(forged.signatures[0]) is None


def test_set_account__touched_before__reads_the_same_at_every_commitment(chain: Chain, payer: Keypair) -> None:
    to = Keypair().pubkey()
    chain.send(signed(payer, [pay(payer, to, SOL)], chain.slots.latest("processed")[0]))
    chain.set_account(to, Account(7 * SOL, b"", SYSTEM))
    assert [balance(chain, to, c) for c in ("processed", "confirmed", "finalized")] == [7 * SOL] * 3


def test_clock__each_slot__moves_by_slot_ms(chain: Chain) -> None:
    first = chain.slots.now
    chain.tick(10)
    assert chain.slots.time_of(chain.slots.now) == chain.slots.time_of(first) + 4
    assert chain.slots.now == first + 10


def nonce_of(chain: Chain, key: Pubkey) -> Hash:
    account = chain.account(key)
    assert account is not None
    return Hash.from_bytes(bytes(account.data)[40:72])


def test_durable_nonce__dropped_for_long__lands_once_and_a_failure_advances_it(chain: Chain, payer: Keypair) -> None:
    nonce, to = Keypair(), Keypair().pubkey()
    create = CreateAccountParams(from_pubkey=payer.pubkey(), to_pubkey=nonce.pubkey(), lamports=1_447_680, space=80, owner=SYSTEM)
    begin = InitializeNonceAccountParams(nonce_pubkey=nonce.pubkey(), authority=payer.pubkey())
    chain.execute([create_account(create), initialize_nonce_account(begin)], [payer, nonce])
    chain.tick()
    advance = advance_nonce_account(AdvanceNonceAccountParams(nonce_pubkey=nonce.pubkey(), authorized_pubkey=payer.pubkey()))
    first = nonce_of(chain, nonce.pubkey())
    transaction = signed(payer, [advance, pay(payer, to, SOL)], first)
    chain.tick(500)
    chain.send(transaction)
    chain.tick()
    assert balance(chain, to) == SOL
    second = nonce_of(chain, nonce.pubkey())
    failing = signed(payer, [advance, pay(payer, to, 10**6 * SOL)], second)
    chain.send(failing)
    record = chain.history.find(failing.signatures[0])
    assert record is not None
    assert record.err is not None
    assert len({first, second, nonce_of(chain, nonce.pubkey())}) == 3
