"""Hyperlane of one EVM chain: mailbox, hooks, multisig security module, and a collateral warp route for USDC."""

from dataclasses import dataclass

from deploy.localnet.accounts import HYPERLANE_THRESHOLD, HYPERLANE_VALIDATORS, Role, address
from deploy.localnet.artifacts import load
from deploy.localnet.evm.node import Contract, EvmNode
from deploy.localnet.layout import WARP_COLLATERAL

MAX_PROTOCOL_FEE = 10**18
PROTOCOL_FEE = 10**14
SAME_SCALE = 1
MAILBOX_DEFAULT = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class Hyperlane:
    """The deployed contracts of one chain."""

    mailbox: Contract
    merkle_hook: Contract
    protocol_fee: Contract
    ism: str
    warp: Contract


def deploy_hyperlane(node: EvmNode, usdc: Contract) -> Hyperlane:
    """Deploy and initialise everything; the Hyperlane domain is the chain id, and collateral lies in the route."""
    owner = address(Role.DEPLOYER)
    mailbox = node.deploy(load("Mailbox"), node.chain_id)
    merkle_hook = node.deploy(load("MerkleTreeHook"), mailbox.address)
    protocol_fee = node.deploy(load("ProtocolFee"), MAX_PROTOCOL_FEE, PROTOCOL_FEE, owner, owner)
    factory = node.deploy(load("StaticMessageIdMultisigIsmFactory"))
    validators = [address(role) for role in HYPERLANE_VALIDATORS]
    factory.send("deploy", validators, HYPERLANE_THRESHOLD)
    ism = factory.call("getAddress", validators, HYPERLANE_THRESHOLD)
    mailbox.send("initialize", owner, ism, merkle_hook.address, protocol_fee.address)
    warp = node.deploy(load("HypERC20Collateral"), usdc.address, SAME_SCALE, mailbox.address)
    warp.send("initialize", MAILBOX_DEFAULT, MAILBOX_DEFAULT, owner)
    usdc.send("mint", warp.address, WARP_COLLATERAL)
    return Hyperlane(mailbox, merkle_hook, protocol_fee, ism, warp)


def wire_hyperlane(warp: Contract, domain: int, router: bytes) -> bool:
    """Enrol the warp route of another domain, given as 32 bytes; True when that changed anything."""
    if bytes(warp.call("routers", domain)) == router:
        return False
    warp.send("enrollRemoteRouter", domain, router)
    return True
