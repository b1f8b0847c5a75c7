"""The set-up of the local Solana: tokens, Hyperlane and a pool, made through real transactions.

Everything has a fixed address, so that two networks set up apart are the same network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import spl.token.instructions as spl
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID, WRAPPED_SOL_MINT
from spl.token.models import InitializeMint2Params, MintToParams, SyncNativeParams

from deploy.localnet.accounts import HYPERLANE_THRESHOLD, HYPERLANE_VALIDATORS, address
from deploy.localnet.layout import EVM_CHAINS
from deploy.localnet.solana import amm, hyperlane
from deploy.localnet.solana.node.chain import GENESIS, Chain
from deploy.localnet.solana.programs import AMM, ISM, MAILBOX, NOOP, WARP_USDC, dev_key, own_programs

DEPLOYER = dev_key("deployer")
MINT_AUTHORITY = dev_key("mint authority")
RELAYER = dev_key("hyperlane relayer")
USDC, PYUSD = dev_key("USDC mint"), dev_key("PYUSD mint")
POOL = dev_key("pool SOL/USDC")
CHAIN_ID = f"solana:{str(GENESIS)[:32]}"
MINT_SIZE, TOKEN_DECIMALS, SOL_DECIMALS = 82, 6, 9
SOL, UNIT = 10**SOL_DECIMALS, 10**TOKEN_DECIMALS

DEPLOYER_LAMPORTS = 100_000 * SOL
RELAYER_LAMPORTS = 10_000 * SOL
ATA_PAYER_LAMPORTS = 10 * SOL  # it pays the rent of the accounts that inbound transfers open
ESCROW_UNITS = 5_000_000 * UNIT
POOL_LAMPORTS = 10_000 * SOL
POOL_UNITS = 1_500_000 * UNIT  # with POOL_LAMPORTS: SOL at 150 USDC
POOL_FEE_BPS = 25


@dataclass(frozen=True, slots=True)
class Asset:
    mint: Keypair
    program: Pubkey


def set_up(chain: Chain, programs: Mapping[Pubkey, bytes], routers: Mapping[int, str]) -> None:
    """The whole network; `programs` are Hyperlane's, `routers` maps a Hyperlane domain to its warp route's EVM address.

    Ends with every transaction finalized. Raises `RuntimeError` when a transaction fails.
    """
    set_up_market(chain)
    for key, program in programs.items():
        chain.bank.add_program(key, program)
    chain.tick()
    chain.airdrop(RELAYER.pubkey(), RELAYER_LAMPORTS)
    _make_hyperlane(chain)
    for domain, router in routers.items():
        enroll_router(chain, domain, router)
    chain.tick(chain.slots.finalize_slots + 1)


def set_up_market(chain: Chain) -> None:
    """The part that needs nothing fetched: our own programs, the tokens and the pool."""
    for key, program in own_programs().items():
        chain.bank.add_program(key, program)
    chain.tick()
    chain.airdrop(DEPLOYER.pubkey(), DEPLOYER_LAMPORTS)
    _make_tokens(chain)
    _make_pool(chain)
    chain.tick(chain.slots.finalize_slots + 1)


def enroll_router(chain: Chain, domain: int, router: str) -> None:
    """Let the warp route trust and reach its other end; a later call replaces it. Raises `ValueError`."""
    raw = bytes.fromhex(router.removeprefix("0x"))
    if len(raw) != 20:
        raise ValueError(f"router {router!r} is not an EVM address of 20 bytes")
    chain.execute([hyperlane.enroll_router(DEPLOYER.pubkey(), domain, raw.rjust(32, b"\0"))], [DEPLOYER])


def mint_to(chain: Chain, mint: Pubkey, owner: Pubkey, units: int) -> str:
    """Give an owner tokens of USDC or PYUSD in its associated account, opened if need be; the signature."""
    account = chain.account(mint)
    if account is None or account.owner not in (TOKEN_PROGRAM_ID, TOKEN_2022_PROGRAM_ID):
        raise ValueError(f"{mint} is not a mint")
    target = spl.get_associated_token_address(owner, mint, account.owner)
    steps = [
        chain.unique_limit(),
        spl.create_idempotent_associated_token_account(DEPLOYER.pubkey(), owner, mint, account.owner),
        _mint(mint, target, units, account.owner),
    ]
    return str(chain.execute(steps, [DEPLOYER, MINT_AUTHORITY]).signature)


def describe(rpc: str, ws: str) -> dict[str, Any]:
    """The chain's entry of `network.json`: addresses as base58 text, no secrets."""
    owner = amm.authority(POOL.pubkey())[0]
    pool = {
        "program": AMM,
        "address": POOL.pubkey(),
        "authority": owner,
        "base_mint": WRAPPED_SOL_MINT,
        "quote_mint": USDC.pubkey(),
        "base_vault": spl.get_associated_token_address(owner, WRAPPED_SOL_MINT),
        "quote_vault": spl.get_associated_token_address(owner, USDC.pubkey()),
    }
    programs = {"mailbox": MAILBOX, "warp_usdc": WARP_USDC, "ism": ISM, "amm": AMM, "noop": NOOP}
    return {
        "id": CHAIN_ID,
        "name": "solana",
        "rpc": [rpc],
        "ws": [ws],
        "hyperlane_domain": hyperlane.DOMAIN,
        "genesis": str(GENESIS),
        "programs": {name: str(key) for name, key in programs.items()},
        "mints": {"USDC": str(USDC.pubkey()), "PYUSD": str(PYUSD.pubkey()), "WSOL": str(WRAPPED_SOL_MINT)},
        "pools": [{"fee_bps": POOL_FEE_BPS} | {name: str(key) for name, key in pool.items()}],
    }


# -- the parts -------------------------------------------------------------------------------------------------------


def _mint(mint: Pubkey, target: Pubkey, units: int, program: Pubkey) -> Instruction:
    return spl.mint_to(MintToParams(amount=units, dest=target, mint=mint, mint_authority=MINT_AUTHORITY.pubkey(), program_id=program))


def _new_account(chain: Chain, key: Pubkey, space: int, owner: Pubkey) -> Instruction:
    rent = chain.bank.rent_exempt(space)
    return create_account(CreateAccountParams(from_pubkey=DEPLOYER.pubkey(), to_pubkey=key, lamports=rent, space=space, owner=owner))


def _make_tokens(chain: Chain) -> None:
    """USDC on SPL Token, PYUSD on Token-2022, and the native mint, which clusters have from their genesis."""
    native = bytes(36) + bytes(8) + bytes([SOL_DECIMALS, 1]) + bytes(36)
    chain.set_account(WRAPPED_SOL_MINT, Account(chain.bank.rent_exempt(MINT_SIZE), native, TOKEN_PROGRAM_ID))
    for asset in (Asset(USDC, TOKEN_PROGRAM_ID), Asset(PYUSD, TOKEN_2022_PROGRAM_ID)):
        mint, authority = asset.mint.pubkey(), MINT_AUTHORITY.pubkey()
        wanted = InitializeMint2Params(
            decimals=TOKEN_DECIMALS, mint=mint, mint_authority=authority, freeze_authority=authority, program_id=asset.program
        )
        steps = [_new_account(chain, mint, MINT_SIZE, asset.program), spl.initialize_mint2(wanted)]
        chain.execute(steps, [DEPLOYER, asset.mint])


def _make_hyperlane(chain: Chain) -> None:
    payer = DEPLOYER.pubkey()
    validators = [bytes.fromhex(address(role)[2:]) for role in HYPERLANE_VALIDATORS]
    chain.execute([hyperlane.init_mailbox(payer), hyperlane.init_ism(payer)], [DEPLOYER])
    for plan in EVM_CHAINS:
        step = hyperlane.set_validators(payer, plan.chain_id, validators, HYPERLANE_THRESHOLD)
        chain.execute([step], [DEPLOYER])
    chain.execute([hyperlane.init_warp(payer, USDC.pubkey())], [DEPLOYER])
    fund = TransferParams(from_pubkey=payer, to_pubkey=hyperlane.WARP_ATA_PAYER, lamports=ATA_PAYER_LAMPORTS)
    escrow = _mint(USDC.pubkey(), hyperlane.WARP_ESCROW, ESCROW_UNITS, TOKEN_PROGRAM_ID)
    chain.execute([transfer(fund), escrow], [DEPLOYER, MINT_AUTHORITY])


def _make_pool(chain: Chain) -> None:
    payer, pool = DEPLOYER.pubkey(), POOL.pubkey()
    owner = amm.authority(pool)[0]
    mint_to(chain, USDC.pubkey(), owner, POOL_UNITS)
    sol_vault = spl.get_associated_token_address(owner, WRAPPED_SOL_MINT)
    steps = [
        spl.create_idempotent_associated_token_account(payer, owner, WRAPPED_SOL_MINT),
        transfer(TransferParams(from_pubkey=payer, to_pubkey=sol_vault, lamports=POOL_LAMPORTS)),
        spl.sync_native(SyncNativeParams(program_id=TOKEN_PROGRAM_ID, account=sol_vault)),
        _new_account(chain, pool, amm.POOL_SIZE, AMM),
        amm.open_pool(
            pool,
            sol_vault,
            spl.get_associated_token_address(owner, USDC.pubkey()),
            TOKEN_PROGRAM_ID,
            POOL_FEE_BPS,
        ),
    ]
    chain.execute(steps, [DEPLOYER, POOL])
