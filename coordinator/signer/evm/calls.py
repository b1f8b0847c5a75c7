"""Every EVM call that may be signed, and nothing else: (contract, selector) to the decoder that says what it does.

Sources: ERC-20; WETH9 (dapphub/ds-weth); SwapRouter02 (Uniswap/swap-router-contracts); TokenRouter (hyperlane-monorepo); CCTP in
its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from coordinator.signer.evm import abi, cctp
from coordinator.signer.evm.keccak import selector
from coordinator.signer.evm.transaction import Transaction
from coordinator.signer.floor import check_floor
from coordinator.signer.policy import Cctp, EvmRules, Policy, Route, Router
from coordinator.signer.verdict import Effect, Refused, need

APPROVE = selector("approve(address,uint256)")
DEPOSIT, WITHDRAW = selector("deposit()"), selector("withdraw(uint256)")
TRANSFER_REMOTE = selector("transferRemote(uint32,bytes32,uint256)")
MULTICALL = selector("multicall(uint256,bytes[])")
SWAP = selector("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))")
BURN, CLAIM = selector(cctp.BURN), selector(cctp.CLAIM)
_SWAP_TYPES = ("address", "address", "uint24", "address", "uint256", "uint256", "uint160")

Decoder = Callable[[EvmRules, Transaction], tuple[Effect, ...]]


class Calls:
    """The table of one chain. `now` is given with each question, because deadlines are held against it."""

    def __init__(self, rules: EvmRules, policy: Policy) -> None:
        self._rules, self._policy = rules, policy
        self._spenders = _spenders(rules)
        self._table: dict[bytes, dict[bytes, Callable[[Transaction, int], tuple[Effect, ...]]]] = {}
        for token in rules.tokens:
            self._add(token, APPROVE, self._approve)
        if rules.cctp is not None:
            self._add_cctp(rules.cctp)
        if rules.route is not None:
            route = rules.route
            self._add(route.warp, TRANSFER_REMOTE, lambda transaction, _: self._transfer(route, transaction))
        if rules.router is not None:
            router = rules.router
            self._add(router.router, MULTICALL, lambda transaction, now: self._multicall(router, transaction, now))
        if rules.wrapped is not None:
            self._add(rules.wrapped, DEPOSIT, self._deposit)
            self._add(rules.wrapped, WITHDRAW, self._withdraw)

    def effects(self, transaction: Transaction, now: int) -> tuple[Effect, ...]:
        """What the call does. Raises Refused for whatever is not in the table or does not keep to it."""
        known = self._table.get(transaction.to)
        if known is None:
            raise Refused("contract", f"0x{transaction.to.hex()}", "the contracts of the policy")
        decoder = known.get(transaction.data[:4])
        if decoder is None:
            allowed = ", ".join(f"0x{name.hex()}" for name in known)
            raise Refused("selector", f"0x{transaction.data[:4].hex()} of 0x{transaction.to.hex()}", allowed)
        return decoder(transaction, now)

    def _add(self, to: bytes, name: bytes, decoder: Callable[[Transaction, int], tuple[Effect, ...]]) -> None:
        self._table.setdefault(to, {})[name] = decoder

    def _add_cctp(self, here: Cctp) -> None:
        self._add(here.messenger, BURN, lambda transaction, _: cctp.burn(self._rules, here, transaction))
        self._add(here.transmitter, CLAIM, lambda transaction, _: cctp.claim(self._rules, here, transaction))

    def _approve(self, transaction: Transaction, now: int) -> tuple[Effect, ...]:
        """Exactly an amount, for a contract of the policy that may take this very token. Zero takes a permission back."""
        spender, units = abi.static(transaction.data[4:], ("address", "uint256"))
        _no_value(transaction)
        allowed = self._spenders.get(transaction.to, frozenset())
        need(spender in allowed, "spender", f"0x{spender.hex()}", ", ".join(f"0x{one.hex()}" for one in allowed) or "nobody")
        token = self._rules.tokens[transaction.to]
        cap = self._policy.caps.get(token)
        most = cap.per_transaction if cap else 0
        need(units <= most, "approval", f"{units} base units of {token}", f"{most}")
        return (Effect("approve", token, units, spends=False),)

    def _transfer(self, route: Route, transaction: Transaction) -> tuple[Effect, ...]:
        domain, recipient, units = abi.static(transaction.data[4:], ("uint32", "bytes32", "uint256"))
        pinned = route.recipients.get(domain)
        if pinned is None:
            raise Refused("domain", f"Hyperlane domain {domain}", ", ".join(map(str, route.recipients)))
        need(recipient == pinned, "recipient", f"0x{recipient.hex()}", f"0x{pinned.hex()}")
        need(transaction.value <= route.max_message_fee, "message-fee", f"{transaction.value} wei", route.max_message_fee)
        fee = (Effect("message fee", self._rules.native, transaction.value),) if transaction.value else ()
        return (Effect("transfer", self._rules.tokens[route.token], units), *fee)

    def _multicall(self, router: Router, transaction: Transaction, now: int) -> tuple[Effect, ...]:
        """One swap with a deadline; a multicall in a multicall has the wrong selector for a step."""
        _no_value(transaction)
        deadline, steps = abi.deadline_and_steps(transaction.data[4:], most=1)
        latest = now + self._policy.max_deadline
        need(deadline <= latest, "deadline", f"{deadline - now} s from now", f"{self._policy.max_deadline} s")
        need(len(steps) == 1, "multicall", f"{len(steps)} steps", 1)
        need(steps[0][:4] == SWAP, "selector", f"0x{steps[0][:4].hex()} inside a multicall", f"0x{SWAP.hex()}")
        return self._swap(router, steps[0][4:])

    def _swap(self, router: Router, arguments: bytes) -> tuple[Effect, ...]:
        source, target, tier, recipient, gives, least, limit = abi.static(arguments, _SWAP_TYPES)
        need((source, target) in router.pairs, "pair", f"0x{source.hex()} for 0x{target.hex()}", "the pairs of the policy")
        need(tier in router.fee_tiers, "fee-tier", tier, sorted(router.fee_tiers))
        need(recipient == self._rules.account, "recipient", f"0x{recipient.hex()}", f"0x{self._rules.account.hex()}")
        need(limit == 0, "price-limit", limit, 0)
        # The router reads an amount of 0 as "all that it holds".
        need(gives > 0, "amount", "a swap of 0", "more than 0")
        given, taken = self._rules.tokens[source], self._rules.tokens[target]
        check_floor(self._policy, (given, gives), (taken, least))
        return (Effect("swap", given, gives),)

    def _deposit(self, transaction: Transaction, now: int) -> tuple[Effect, ...]:
        need(transaction.data == DEPOSIT, "call-data", f"{len(transaction.data)} bytes", "4: deposit() has no arguments")
        need(transaction.value > 0, "amount", "a deposit of 0", "more than 0")
        return (Effect("wrap", self._rules.native, transaction.value),)

    def _withdraw(self, transaction: Transaction, now: int) -> tuple[Effect, ...]:
        _no_value(transaction)
        (units,) = abi.static(transaction.data[4:], ("uint256",))
        return (Effect("unwrap", self._rules.tokens[transaction.to], units),)


def _spenders(rules: EvmRules) -> Mapping[bytes, frozenset[bytes]]:
    """Who may be allowed to take which token."""
    found: dict[bytes, set[bytes]] = {}
    if rules.cctp is not None:
        found.setdefault(rules.cctp.usdc, set()).add(rules.cctp.messenger)
    if rules.route is not None and rules.route.warp != rules.route.token:
        found.setdefault(rules.route.token, set()).add(rules.route.warp)
    if rules.router is not None:
        for source, _ in rules.router.pairs:
            found.setdefault(source, set()).add(rules.router.router)
    return {token: frozenset(spenders) for token, spenders in found.items()}


def _no_value(transaction: Transaction) -> None:
    need(transaction.value == 0, "value", f"{transaction.value} wei sent along", 0)
