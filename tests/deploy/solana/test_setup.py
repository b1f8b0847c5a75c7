"""The set-up of the market half: what everybody finds at the same addresses, and what the controls give out."""

import pytest
import spl.token.instructions as spl
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_2022_PROGRAM_ID

from deploy.localnet.solana.node import Chain
from deploy.localnet.solana.node.tokens import token_account
from deploy.localnet.solana.setup import CHAIN_ID, PYUSD, USDC, describe, mint_to, set_up_market


@pytest.fixture(scope="module")
def chain() -> Chain:
    chain = Chain()
    set_up_market(chain)
    return chain


def test_mint_to__equal_amounts_in_one_slot__all_arrive(chain: Chain) -> None:
    owner = Keypair().pubkey()
    for _ in range(3):
        mint_to(chain, USDC.pubkey(), owner, 5)
    held = token_account(chain.account(spl.get_associated_token_address(owner, USDC.pubkey())))
    assert held is not None
    assert held.amount == 15


def test_mint_to__pyusd__opens_a_token_2022_account(chain: Chain) -> None:
    owner = Keypair().pubkey()
    mint_to(chain, PYUSD.pubkey(), owner, 7)
    account = chain.account(spl.get_associated_token_address(owner, PYUSD.pubkey(), TOKEN_2022_PROGRAM_ID))
    held = token_account(account)
    assert account is not None
    assert held is not None
    assert (account.owner, held.mint, held.amount) == (TOKEN_2022_PROGRAM_ID, PYUSD.pubkey(), 7)


def test_mint_to__something_else__is_refused(chain: Chain) -> None:
    with pytest.raises(ValueError, match="is not a mint"):
        mint_to(chain, Pubkey.default(), Keypair().pubkey(), 1)


def test_describe__any_run__names_the_same_chain_and_existing_accounts(chain: Chain) -> None:
    entry = describe("http://127.0.0.1:1", "ws://127.0.0.1:2")
    assert entry["id"] == CHAIN_ID == "solana:" + entry["genesis"][:32] == "solana:4LWP7q2eEhk54e4pQ72pnk2dDrTCkjzP"
    (pool,) = entry["pools"]
    for text in (*entry["mints"].values(), pool["address"], pool["base_vault"], pool["quote_vault"], pool["program"]):
        assert chain.account(Pubkey.from_string(text), "finalized") is not None, text
