"""What a plan really did, counted on the chains themselves: plain JSON-RPC, neither the coordinator's code nor its database.

A `Witness` looks at an account before, and afterwards reads every block, log and signature since. Each transaction of
ours and each transfer from or to us must be one effect that the plan calls for, and each effect must be there once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.localnet.rpc import request

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # Transfer(address,address,uint256)
APPROVE, ALLOWANCE, BALANCE_OF = "0x095ea7b3", "0xdd62ed3e", "0x70a08231"
ZERO = "0x" + "0" * 40
TOKENS = ("USDC", "WETH", "WBTC")
ENTRANCES = {"SwapRouter02": "uniswap", "CctpTokenMessenger": "cctp", "HyperlaneWarpUSDC": "hyperlane"}
CLAIMS = "CctpMessageTransmitter"
FINALITY_LOOKS = 600

Effect = tuple[str, str, str, int]
"""(what, rail, token id, base units): `approve`, `depart` or `arrive`."""
History = Iterator[dict[str, Any]]


@dataclass
class Findings:
    """`seen` and `wanted` effects; `strays`: what no leg calls for; `failed`: transactions of ours that reverted."""

    wanted: Counter[Effect] = field(default_factory=Counter)
    seen: Counter[Effect] = field(default_factory=Counter)
    strays: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)

    @property
    def double(self) -> list[str]:
        return [f"{effect} x{count}" for effect, count in (self.seen - self.wanted).items()] + self.strays

    @property
    def lost(self) -> list[str]:
        return [f"{effect} x{count}" for effect, count in (self.wanted - self.seen).items()]

    def problems(self) -> list[str]:
        """Empty when every effect of the plan is on the chains exactly once, nothing else is, and every balance is as it must be."""
        gaps = [
            f"{token} is {self.balances[token]}, must be {units}" for token, units in self.expected.items() if self.balances[token] != units
        ]
        return [
            *(f"twice: {each}" for each in self.double),
            *(f"missing: {each}" for each in self.lost),
            *(f"failed: {each}" for each in self.failed),
            *gaps,
        ]


class Witness:
    """Made before anything is sent. `evm` and `solana`: the treasury's addresses; `book`: the network's address book."""

    def __init__(self, book: Mapping[str, Any], evm: str, solana: str) -> None:
        chains = book["chains"].items()
        self._sides = [EvmSide(id_, chain, evm) if id_.startswith("eip155:") else SolanaSide(id_, chain, solana) for id_, chain in chains]
        self.opening = {token: units for side in self._sides for token, units in side.balances().items()}

    def findings(self, legs: Iterable[Mapping[str, Any]]) -> Findings:
        """`legs`: the plan file's `legs`. A native balance must be its opening less exactly the fees and values of our transactions."""
        found = Findings()
        change: Counter[str] = Counter()
        for leg in legs:
            for effect in wanted(leg):
                found.wanted[effect] += 1
                what, _, token, units = effect
                change[token] += {"approve": 0, "depart": -units, "arrive": units}[what]
        for side in self._sides:
            change.update(side.look(found))
            found.balances |= side.balances()
        found.expected = {token: units + change[token] for token, units in self.opening.items()}
        return found


def wanted(planned: Mapping[str, Any]) -> list[Effect]:
    """What one leg does where: an exact approval (ERC-20 tokens), the departure, the arrival of what was quoted."""
    leg = planned["leg"]
    rail, source, target = leg["lane"]["rail"], leg["lane"]["source"]["id"], leg["lane"]["target"]["id"]
    gives, takes = int(leg["gives"]["units"]), int(planned["quote"]["takes"]["units"])
    approval: list[Effect] = [("approve", rail, source, gives)] if "/erc20:" in source else []
    return [*approval, ("depart", rail, source, gives), ("arrive", rail, target, takes)]


class EvmSide:
    """One EVM chain: every transaction of the account since then by its nonce, and every ERC-20 transfer from or to it."""

    def __init__(self, id_: str, chain: Mapping[str, Any], account: str) -> None:
        self._id, self._url, self._at, self._account = id_, chain["rpc"][0], chain["contracts"], account.lower()
        self._since = int(request(self._url, "eth_blockNumber"), 16) + 1
        self._nonce = self._count()
        self._tokens = {self._at[name].lower(): f"{id_}/erc20:{self._at[name]}" for name in TOKENS}
        self._entrances = {self._at[name].lower(): rail for name, rail in ENTRANCES.items()}
        self._native = f"{id_}/slip44:60"

    def balances(self) -> dict[str, int]:
        native = {self._native: int(request(self._url, "eth_getBalance", self._account, "latest"), 16)}
        return native | {name: self._ask(token, BALANCE_OF, self._account) for token, name in self._tokens.items()}

    def look(self, found: Findings) -> dict[str, int]:
        """Adds what happened to `found`; returns the change of the native balance that our transactions explain."""
        sent = {tx["hash"]: tx for tx in self._ours()}
        nonces = sorted(int(tx["nonce"], 16) for tx in sent.values())
        if nonces != list(range(self._nonce, self._count())):
            found.strays.append(f"{self._id}: nonces {nonces} in blocks, but the account went from {self._nonce} to {self._count()}")
        flows = self._flows()
        spent = 0
        for reference, tx in sent.items():
            receipt = request(self._url, "eth_getTransactionReceipt", reference)
            spent += int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
            if int(receipt["status"], 16) != 1:
                found.failed.append(f"{self._id}: {reference} to {tx['to']}")
                continue
            spent += int(tx["value"], 16)
            self._judge(tx, flows, found)
        for reference, moved in flows.items():  # transactions of others, who delivered to us or paid us
            for token, other, units in moved:
                found.seen["depart" if units < 0 else "arrive", self._origin(other), self._tokens.get(token, reference), abs(units)] += 1
        for token in self._tokens:
            for spender in self._entrances:
                if left := self._ask(token, ALLOWANCE, self._account, spender):
                    found.strays.append(f"{self._id}: {spender} may still take {left} of {token}")
        return {self._native: -spent}

    def _judge(self, tx: Mapping[str, Any], flows: dict[str, list[tuple[str, str, int]]], found: Findings) -> None:
        """Name what one successful transaction of ours did; what it moved is taken out of `flows`."""
        to = tx["to"].lower()
        moved = flows.pop(tx["hash"], [])
        if to in self._tokens and tx["input"].startswith(APPROVE):
            spender, units = "0x" + tx["input"][34:74], int(tx["input"][74:138], 16)
            found.seen["approve", self._entrances.get(spender, spender), self._tokens[to], units] += 1
            return
        if to not in self._entrances and to != self._at[CLAIMS].lower():
            found.strays.append(f"{self._id}: {tx['hash']} to {to}")
        for token, other, units in moved:
            rail = self._entrances.get(to) or self._origin(other)
            found.seen["depart" if units < 0 else "arrive", rail, self._tokens.get(token, token), abs(units)] += 1

    def _origin(self, other: str) -> str:
        """By which rail a transfer to us came: minted, or released by the warp route."""
        return "cctp" if other == ZERO else self._entrances.get(other, f"a stranger, {other}")

    def _ours(self) -> History:
        newest = int(request(self._url, "eth_blockNumber"), 16)
        for number in range(self._since, newest + 1):
            block = request(self._url, "eth_getBlockByNumber", hex(number), True)
            yield from (tx for tx in block["transactions"] if tx["from"] == self._account)

    def _flows(self) -> dict[str, list[tuple[str, str, int]]]:
        """Transfers from or to us by transaction: (token, the other side, signed units)."""
        padded = "0x" + self._account[2:].rjust(64, "0")
        flows: dict[str, list[tuple[str, str, int]]] = {}
        for sign, topics in ((-1, [TRANSFER, padded]), (1, [TRANSFER, None, padded])):
            for log in request(self._url, "eth_getLogs", {"fromBlock": hex(self._since), "topics": topics}):
                other = "0x" + log["topics"][2 if sign < 0 else 1][26:]
                flows.setdefault(log["transactionHash"], []).append((log["address"], other, sign * int(log["data"], 16)))
        return flows

    def _count(self) -> int:
        return int(request(self._url, "eth_getTransactionCount", self._account, "latest"), 16)

    def _ask(self, contract: str, selector: str, *addresses: str) -> int:
        data = selector + "".join(address[2:].lower().rjust(64, "0") for address in addresses)
        return int(request(self._url, "eth_call", {"to": contract, "data": data}, "latest"), 16)


class SolanaSide:
    """Solana: every signature that names the wallet since then, with what it moved of each token and of SOL."""

    def __init__(self, id_: str, chain: Mapping[str, Any], account: str) -> None:
        self._id, self._url, self._account = id_, chain["rpc"][0], account
        self._mints = {mint: f"{id_}/token:{mint}" for name, mint in chain["mints"].items() if name != "WSOL"}
        self._native = f"{id_}/slip44:501"
        self._rails = {chain["programs"]["amm"]: "solana-amm", chain["programs"]["warp_usdc"]: "hyperlane"}
        self._await_finality()
        self._before = {row["signature"] for row in self._signatures()}

    def _await_finality(self) -> None:
        """Until all that is on the chain now is final, so that it does not turn up as new later."""
        now = request(self._url, "getSlot", {"commitment": "processed"})
        for _ in range(FINALITY_LOOKS):
            if request(self._url, "getSlot", {"commitment": "finalized"}) >= now:
                return
            time.sleep(0.1)
        raise AssertionError(f"{self._id}: slot {now} did not become final")

    def balances(self) -> dict[str, int]:
        sol = request(self._url, "getBalance", self._account, {"commitment": "finalized"})["value"]
        return {self._native: sol} | {name: self._held(mint) for mint, name in self._mints.items()}

    def look(self, found: Findings) -> dict[str, int]:
        fees = 0
        for row in self._signatures():
            if row["signature"] in self._before:
                continue
            config = {"encoding": "json", "maxSupportedTransactionVersion": 0, "commitment": "finalized"}
            landed = request(self._url, "getTransaction", row["signature"], config)
            fees += self._judge(row["signature"], landed, found)
        return {self._native: -fees}

    def _judge(self, signature: str, landed: Mapping[str, Any], found: Findings) -> int:
        """Name what one transaction did; the fee that we paid for it."""
        meta, keys = landed["meta"], _keys(landed)
        ours = keys[0] == self._account
        fee = meta["fee"] if ours else 0
        if meta["err"] is not None:
            if ours:
                found.failed.append(f"{self._id}: {signature}: {meta['err']}")
            return fee
        rail = next((name for program, name in self._rails.items() if program in keys), f"a stranger, {keys[0]}")
        for token, units in self._moved(meta, keys, fee).items():
            if units:
                found.seen["depart" if units < 0 else "arrive", rail, token, abs(units)] += 1
        return fee

    def _moved(self, meta: Mapping[str, Any], keys: list[str], fee: int) -> Counter[str]:
        at = keys.index(self._account)
        moved = Counter({self._native: meta["postBalances"][at] - meta["preBalances"][at] + fee})
        for sign, rows in ((-1, meta["preTokenBalances"]), (1, meta["postTokenBalances"])):
            for row in rows:
                if row["owner"] == self._account and row["mint"] in self._mints:
                    moved[self._mints[row["mint"]]] += sign * int(row["uiTokenAmount"]["amount"])
        return moved

    def _signatures(self) -> list[dict[str, Any]]:
        """Of the wallet and of its token accounts, each once."""
        places = [self._account, *(row["pubkey"] for mint in self._mints for row in self._accounts(mint))]
        options = {"limit": 1000, "commitment": "finalized"}
        rows = [row for place in places for row in request(self._url, "getSignaturesForAddress", place, options)]
        return list({row["signature"]: row for row in rows}.values())

    def _held(self, mint: str) -> int:
        rows = self._accounts(mint)
        return sum(int(row["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"]) for row in rows)

    def _accounts(self, mint: str) -> list[dict[str, Any]]:
        options = {"encoding": "jsonParsed", "commitment": "finalized"}
        rows: list[dict[str, Any]] = request(self._url, "getTokenAccountsByOwner", self._account, {"mint": mint}, options)["value"]
        return rows


def _keys(landed: Mapping[str, Any]) -> list[str]:
    """Every account of the transaction, those from lookup tables too, the fee payer first."""
    loaded = landed["meta"].get("loadedAddresses") or {"writable": [], "readonly": []}
    return [*landed["transaction"]["message"]["accountKeys"], *loaded["writable"], *loaded["readonly"]]
