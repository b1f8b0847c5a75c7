"""The RPC methods about accounts and tokens; each reads the state of the commitment it was asked for."""

from __future__ import annotations

import base64
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from deploy.localnet.solana.node import base58, encode, tokens
from deploy.localnet.solana.node.chain import Chain
from deploy.localnet.solana.node.errors import INVALID_PARAMS, RpcError
from deploy.localnet.solana.node.methods import Method, context, decimals_of
from deploy.localnet.solana.node.params import Params, as_pubkey

MAX_ACCOUNTS = 100


def _shown(chain: Chain, params: Params, image: Account | None) -> Any:
    return encode.account(image, params.config, decimals_of(chain))


def get_balance(chain: Chain, params: Params) -> Any:
    image = chain.account(params.pubkey(0), params.commitment)
    return context(chain, params, image.lamports if image else 0)


def get_account(chain: Chain, params: Params) -> Any:
    return context(chain, params, _shown(chain, params, chain.account(params.pubkey(0), params.commitment)))


def get_accounts(chain: Chain, params: Params) -> Any:
    keys = [as_pubkey(text) for text in params.value(0)]
    if len(keys) > MAX_ACCOUNTS:
        raise RpcError(INVALID_PARAMS, f"Too many inputs provided; max {MAX_ACCOUNTS}")
    return context(chain, params, [_shown(chain, params, chain.account(key, params.commitment)) for key in keys])


def _matches(wanted: dict[str, Any], data: bytes) -> bool:
    if "dataSize" in wanted:
        return len(data) == int(wanted["dataSize"])
    compare = wanted["memcmp"]
    given = compare["bytes"]
    if isinstance(given, list):
        expected = bytes(given)
    elif compare.get("encoding") == "base64":
        expected = base64.b64decode(given)
    else:
        expected = base58.decode(given)
    start = int(compare["offset"])
    return data[start : start + len(expected)] == expected


def get_program_accounts(chain: Chain, params: Params) -> Any:
    filters = params.config.get("filters", [])
    shown = []
    for key, image in chain.owned_by(params.pubkey(0), params.commitment):
        if all(_matches(wanted, bytes(image.data)) for wanted in filters):
            shown.append({"pubkey": str(key), "account": _shown(chain, params, image)})
    return context(chain, params, shown) if params.config.get("withContext") else shown


def _token_programs(chain: Chain, wanted: dict[str, Any]) -> list[Pubkey]:
    if "programId" in wanted:
        return [as_pubkey(wanted["programId"])]
    minted = chain.account(as_pubkey(wanted.get("mint")))
    if minted is None or minted.owner not in tokens.PROGRAM_NAMES:
        raise RpcError(INVALID_PARAMS, "Invalid param: could not find mint")
    return [minted.owner]


def _token_accounts(chain: Chain, params: Params, role: str) -> Any:
    who, wanted = params.pubkey(0), params.value(1)
    found = []
    for program in _token_programs(chain, wanted):
        for key, image in chain.owned_by(program, params.commitment):
            held = tokens.token_account(image)
            if held is None or getattr(held, role) != who or wanted.get("mint", str(held.mint)) != str(held.mint):
                continue
            found.append({"pubkey": str(key), "account": _shown(chain, params, image)})
    return context(chain, params, found)


def get_token_balance(chain: Chain, params: Params) -> Any:
    held = tokens.token_account(chain.account(params.pubkey(0), params.commitment))
    if held is None:
        raise RpcError(INVALID_PARAMS, "Invalid param: could not find account")
    return context(chain, params, tokens.ui_amount(held.amount, decimals_of(chain)(held.mint)))


def get_token_supply(chain: Chain, params: Params) -> Any:
    minted = tokens.mint(chain.account(params.pubkey(0), params.commitment))
    if minted is None:
        raise RpcError(INVALID_PARAMS, "Invalid param: could not find mint")
    return context(chain, params, tokens.ui_amount(minted.supply, minted.decimals))


METHODS: dict[str, Method] = {
    "getMinimumBalanceForRentExemption": lambda chain, params: chain.bank.rent_exempt(params.number(0)),
    "getBalance": get_balance,
    "getAccountInfo": get_account,
    "getMultipleAccounts": get_accounts,
    "getProgramAccounts": get_program_accounts,
    "getTokenAccountsByOwner": lambda chain, params: _token_accounts(chain, params, "owner"),
    "getTokenAccountsByDelegate": lambda chain, params: _token_accounts(chain, params, "delegate"),
    "getTokenAccountBalance": get_token_balance,
    "getTokenSupply": get_token_supply,
}
