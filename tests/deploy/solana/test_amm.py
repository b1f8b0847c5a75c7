"""The pool program run for real: it pays what the formula says and refuses everything else."""

import pytest
import spl.token.instructions as spl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID, WRAPPED_SOL_MINT
from spl.token.models import SyncNativeParams

from deploy.localnet.solana import amm
from deploy.localnet.solana.node import Chain
from deploy.localnet.solana.node.tokens import token_account
from deploy.localnet.solana.programs import dev_key
from deploy.localnet.solana.setup import POOL, USDC, mint_to, set_up_market

SOL, UNIT = 10**9, 10**6
WSOL = WRAPPED_SOL_MINT


@pytest.fixture(scope="module")
def chain() -> Chain:
    chain = Chain()
    set_up_market(chain)
    return chain


@pytest.fixture(scope="module")
def user(chain: Chain) -> Keypair:
    """Holds SOL, 10 million USDC and an open wrapped SOL account with 50,000 SOL."""
    key = Keypair()
    chain.airdrop(key.pubkey(), 60_000 * SOL)
    mint_to(chain, USDC.pubkey(), key.pubkey(), 10_000_000 * UNIT)
    wrapped = held_at(key, WSOL)
    move = TransferParams(from_pubkey=key.pubkey(), to_pubkey=wrapped, lamports=50_000 * SOL)
    sync = spl.sync_native(SyncNativeParams(program_id=TOKEN_PROGRAM_ID, account=wrapped))
    opened = spl.create_idempotent_associated_token_account(key.pubkey(), key.pubkey(), WSOL)
    chain.execute([opened, transfer(move), sync], [key])
    return key


def held_at(owner: Keypair, mint: Pubkey) -> Pubkey:
    return spl.get_associated_token_address(owner.pubkey(), mint)


def amount(chain: Chain, key: Pubkey) -> int:
    held = token_account(chain.account(key))
    assert held is not None
    return held.amount


def the_pool(chain: Chain) -> amm.Pool:
    account = chain.account(POOL.pubkey())
    assert account is not None
    return amm.Pool.decode(POOL.pubkey(), bytes(account.data))


def expected(chain: Chain, mint_in: Pubkey, units: int) -> int:
    pool = the_pool(chain)
    into, out_of = pool.vaults(mint_in)
    return amm.amount_out(units, amount(chain, into), amount(chain, out_of), pool.fee_bps)


def trade(user: Keypair, mint_in: Pubkey, units: int, least_out: int = 0) -> amm.Trade:
    mint_out = WSOL if mint_in == USDC.pubkey() else USDC.pubkey()
    return amm.Trade(user.pubkey(), held_at(user, mint_in), held_at(user, mint_out), mint_in, units, least_out)


def with_account(step: Instruction, place: int, meta: AccountMeta) -> Instruction:
    accounts = list(step.accounts)
    accounts[place] = meta
    return Instruction(step.program_id, bytes(step.data), accounts)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sells_sol=st.booleans(), units=st.integers(1, 200_000 * UNIT) | st.sampled_from([1, 2, 400, 401, 10_000]))
def test_swap__any_amount__pays_the_formula_to_the_unit(chain: Chain, user: Keypair, sells_sol: bool, units: int) -> None:
    mint_in = WSOL if sells_sol else USDC.pubkey()
    chain.tick()
    wanted, order = expected(chain, mint_in, units), trade(user, mint_in, units)
    before = amount(chain, order.source), amount(chain, order.target)
    record = chain.execute([amm.swap(the_pool(chain), order)], [user])
    assert (amount(chain, order.source), amount(chain, order.target)) == (before[0] - units, before[1] + wanted)
    assert int.from_bytes(bytes(record.meta["return_data"]["data"]), "little") == wanted or wanted == 0


def test_swap__exactly_the_least_out__passes_and_one_more_is_refused(chain: Chain, user: Keypair) -> None:
    units = 1_000 * UNIT
    least = expected(chain, USDC.pubkey(), units)
    with pytest.raises(RuntimeError, match="'Custom': 6001"):
        chain.execute([amm.swap(the_pool(chain), trade(user, USDC.pubkey(), units, least + 1))], [user])
    chain.execute([amm.swap(the_pool(chain), trade(user, USDC.pubkey(), units, least))], [user])


def test_swap__nothing_given__is_refused(chain: Chain, user: Keypair) -> None:
    with pytest.raises(RuntimeError, match="'Custom': 1}"):
        chain.execute([amm.swap(the_pool(chain), trade(user, USDC.pubkey(), 0))], [user])


def test_swap__more_than_held__is_refused_by_the_token_program(chain: Chain, user: Keypair) -> None:
    before = amount(chain, held_at(user, WSOL))
    with pytest.raises(RuntimeError, match="insufficient funds"):
        chain.execute([amm.swap(the_pool(chain), trade(user, USDC.pubkey(), 10**15))], [user])
    assert amount(chain, held_at(user, WSOL)) == before


@pytest.mark.parametrize("place", [5, 6], ids=["vault in", "vault out"])
def test_swap__fake_vault__is_refused(chain: Chain, user: Keypair, place: int) -> None:
    fake = AccountMeta(held_at(user, USDC.pubkey() if place == 5 else WSOL), False, True)
    step = with_account(amm.swap(the_pool(chain), trade(user, USDC.pubkey(), UNIT)), place, fake)
    with pytest.raises(RuntimeError, match="InvalidArgument"):
        chain.execute([step], [user])


def test_swap__user_did_not_sign__is_refused(chain: Chain, user: Keypair) -> None:
    thief = Keypair()
    chain.airdrop(thief.pubkey(), SOL)
    step = amm.swap(the_pool(chain), trade(user, USDC.pubkey(), UNIT))
    with pytest.raises(RuntimeError, match="MissingRequiredSignature"):
        chain.execute([with_account(step, 2, AccountMeta(user.pubkey(), False, False))], [thief])


def test_swap__another_token_program__is_refused(chain: Chain, user: Keypair) -> None:
    step = amm.swap(the_pool(chain), trade(user, USDC.pubkey(), UNIT))
    with pytest.raises(RuntimeError, match="IncorrectProgramId"):
        chain.execute([with_account(step, 7, AccountMeta(TOKEN_2022_PROGRAM_ID, False, False))], [user])


def test_swap__account_that_is_no_pool__is_refused(chain: Chain, user: Keypair) -> None:
    step = amm.swap(the_pool(chain), trade(user, USDC.pubkey(), UNIT))
    with pytest.raises(RuntimeError, match="IncorrectProgramId"):
        chain.execute([with_account(step, 0, AccountMeta(USDC.pubkey(), False, False))], [user])


def test_open_pool__a_second_time__is_refused(chain: Chain) -> None:
    pool, deployer = the_pool(chain), dev_key("deployer")
    step = amm.open_pool(pool.address, pool.vault_a, pool.vault_b, pool.token_program, 0)
    with pytest.raises(RuntimeError, match="AccountAlreadyInitialized"):
        chain.execute([step], [deployer, POOL])


def test_pool__as_set_up__holds_sol_at_150_dollars() -> None:
    fresh = Chain()
    set_up_market(fresh)
    pool = the_pool(fresh)
    assert (pool.mint_a, pool.mint_b, pool.fee_bps) == (WSOL, USDC.pubkey(), 25)
    assert amount(fresh, pool.vault_b) * SOL == 150 * UNIT * amount(fresh, pool.vault_a)
    with pytest.raises(ValueError, match="not a pool"):
        amm.Pool.decode(POOL.pubkey(), bytes(184))
    with pytest.raises(ValueError, match="not"):
        pool.vaults(Pubkey.default())
