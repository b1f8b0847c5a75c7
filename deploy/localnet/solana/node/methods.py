"""What an RPC method is, and the few steps that many of them share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from solders.message import from_bytes_versioned
from solders.pubkey import Pubkey

from deploy.localnet.solana.node import tokens
from deploy.localnet.solana.node.bank import AnyMessage
from deploy.localnet.solana.node.chain import Chain
from deploy.localnet.solana.node.encode import Decimals
from deploy.localnet.solana.node.errors import INVALID_PARAMS, RpcError
from deploy.localnet.solana.node.params import Params

Method = Callable[[Chain, Params], Any]
"""Reads or moves the chain and returns the `result` in JSON. Raises `RpcError`, or `LostResponse` when asked to."""
API_VERSION = "3.0.14"


def context(chain: Chain, params: Params, value: Any) -> dict[str, Any]:
    return {"context": {"slot": chain.slots.at(params.commitment), "apiVersion": API_VERSION}, "value": value}


def decimals_of(chain: Chain) -> Decimals:
    def decimals(key: Pubkey) -> int:
        minted = tokens.mint(chain.bank.account(key))
        return minted.decimals if minted else 0

    return decimals


def message_from(text: str) -> AnyMessage:
    try:
        return from_bytes_versioned(base64.b64decode(text))
    except (ValueError, binascii.Error) as error:
        raise RpcError(INVALID_PARAMS, f"failed to deserialize a message: {error}") from error
