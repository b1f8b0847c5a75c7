"""Public development keys stay on private chains."""

import pytest

from deploy.localnet.accounts import PublicChainError, Role, account, address
from deploy.localnet.layout import EVM_CHAINS, EvmPlan


def test_address__deployer__is_the_first_account_of_every_development_node() -> None:
    assert address(Role.DEPLOYER) == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.mark.parametrize("chain_id", [1, 10, 8453, 42161, 11155111, 0, 31338000])
def test_account__public_chain_id__is_refused(chain_id: int) -> None:
    with pytest.raises(PublicChainError, match=f"chain id {chain_id} .* keys are public"):
        account(Role.USER, chain_id)


@pytest.mark.parametrize("plan", EVM_CHAINS)
def test_account__local_chain__signs_as_its_address(plan: EvmPlan) -> None:
    assert account(Role.USER, plan.chain_id).address == address(Role.USER)


def test_account__repr__shows_no_key() -> None:
    key = account(Role.USER, EVM_CHAINS[0].chain_id)
    assert bytes(key.key).hex() not in repr(key) + str(key)


def test_address__index_beyond_the_accounts__is_refused() -> None:
    with pytest.raises(ValueError, match="development account 20 does not exist"):
        address(20)
