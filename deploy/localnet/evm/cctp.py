"""CCTP v2 STAND-IN of one EVM chain: our own contracts with Circle's public interface and wire format.

Circle publishes no package with v2 bytecode; the stand-in is labelled as one on chain (`STAND_IN_FOR`) too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.localnet.accounts import CCTP_ATTESTERS, CCTP_THRESHOLD, Role, address
from deploy.localnet.artifacts import Artifact
from deploy.localnet.evm.node import Contract, EvmNode, as_bytes32
from deploy.localnet.evm.tokens import UNLIMITED
from deploy.localnet.layout import CCTP_BURN_LIMIT


@dataclass(frozen=True, slots=True)
class Cctp:
    """The stand-in on one chain, with the domain and the USDC it serves."""

    domain: int
    usdc: Contract
    transmitter: Contract
    messenger: Contract
    minter: Contract


def deploy_cctp(node: EvmNode, compiled: Mapping[str, Artifact], domain: int, usdc: Contract) -> Cctp:
    """Deploy the three contracts and give the minter its role on USDC."""
    attesters = [address(role) for role in CCTP_ATTESTERS]
    transmitter = node.deploy(compiled["MessageTransmitterV2StandIn"], domain, attesters, CCTP_THRESHOLD)
    minter = node.deploy(compiled["TokenMinterV2StandIn"])
    fees = address(Role.CCTP_FEES)
    messenger = node.deploy(compiled["TokenMessengerV2StandIn"], transmitter.address, minter.address, fees)
    minter.send("addLocalTokenMessenger", messenger.address)
    minter.send("setMaxBurnAmountPerMessage", usdc.address, CCTP_BURN_LIMIT)
    usdc.send("configureMinter", minter.address, UNLIMITED)
    return Cctp(domain, usdc, transmitter, messenger, minter)


def wire_cctp(here: Cctp, there: Cctp) -> None:
    """Let `here` burn towards, and mint from, `there` (one direction of trust; call it both ways)."""
    here.messenger.send("addRemoteTokenMessenger", there.domain, as_bytes32(there.messenger.address))
    here.minter.send("linkTokenPair", here.usdc.address, there.domain, as_bytes32(there.usdc.address))
