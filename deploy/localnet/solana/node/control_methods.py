"""The test-control methods: time, faults, forks and accounts from outside the process (`localnet_…`, loopback only)."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from solders.account import Account

from deploy.localnet.solana.node.bank import SYSTEM
from deploy.localnet.solana.node.chain import Chain
from deploy.localnet.solana.node.errors import INVALID_PARAMS, RpcError
from deploy.localnet.solana.node.methods import Method
from deploy.localnet.solana.node.params import Params, as_pubkey

PREFIX = "localnet_"


def state(chain: Chain, _params: Params) -> Any:
    """{slot, frozen, faults}."""
    return {"slot": chain.slots.now, "frozen": chain.frozen, "faults": asdict(chain.faults)}


def tick(chain: Chain, params: Params) -> Any:
    """[count = 1] -> the new slot."""
    return chain.tick(params.number(0) if params.values else 1)


def freeze(chain: Chain, params: Params) -> Any:
    """[true | false]: hold or release the automatic slots."""
    chain.frozen = bool(params.value(0))
    return state(chain, params)


def fault(chain: Chain, params: Params) -> Any:
    """[{name: value}] of `Faults`; the others stay as they are."""
    try:
        chain.faults.change(dict(params.value(0)))
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, str(error)) from error
    return state(chain, params)


def reorg(chain: Chain, params: Params) -> Any:
    """[depth] -> the signatures of the transactions that are gone."""
    try:
        return [str(signature) for signature in chain.reorg(params.number(0))]
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, str(error)) from error


def set_account(chain: Chain, params: Params) -> Any:
    """[key, {lamports, data (base64), owner, executable}]."""
    wanted = params.config
    data = base64.b64decode(wanted.get("data", ""))
    owner = as_pubkey(wanted["owner"]) if "owner" in wanted else SYSTEM
    executable = bool(wanted.get("executable"))
    chain.set_account(params.pubkey(0), Account(int(wanted.get("lamports", 0)), data, owner, executable))
    return True


def add_program(chain: Chain, params: Params) -> Any:
    """[key, program (base64)]."""
    chain.bank.add_program(params.pubkey(0), base64.b64decode(params.text(1)))
    return True


METHODS: dict[str, Method] = {
    f"{PREFIX}state": state,
    f"{PREFIX}tick": tick,
    f"{PREFIX}freeze": freeze,
    f"{PREFIX}fault": fault,
    f"{PREFIX}reorg": reorg,
    f"{PREFIX}setAccount": set_account,
    f"{PREFIX}addProgram": add_program,
}
