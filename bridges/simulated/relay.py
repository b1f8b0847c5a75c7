"""The world's side of a simulated bridge: its contract on every network, and the relayer between them.

A transfer burns on the source and, once that is final and a latency has passed, mints on the target: by the
relayer itself, or (`claim`) by anyone after the relayer has attested it. The transfer's message id depends on
the bridge and the departing transaction only, so it can be found again after any restart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from chains.base import Call
from chains.errors import Reverted
from chains.ids import AccountId, ChainId, TokenId
from chains.simulated import Arguments, Frame, SimulatedNetwork, SimulatedWorld, address_of, digest, encode, number, text
from chains.tokens import Token


@dataclass(frozen=True, slots=True)
class Terms:
    """What a bridge asks now. `minimum`, `maximum`: base units of the source token. `message_fee`: source native base units.

    `claim`: the last step at the target is left to whoever wants it done.
    """

    fee_bps: int = 10
    minimum: int = 1
    maximum: int = 10**24
    message_fee: int = 0
    latency_s: int = 30
    claim: bool = False

    def takes(self, units: int, source: Token, target: Token) -> int:
        """Base units that arrive for `units` given: the fee off, rounded up, then scaled to the target's decimals, rounded down."""
        kept = units - -(-units * self.fee_bps // 10_000)
        return int(kept * 10**target.decimals // 10**source.decimals)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer under way: `units` of the target token for the recipient, paid with `paid` of the source token."""

    message: str
    source: str
    target: str
    sender: str
    recipient: str
    paid: int
    units: int


class BridgeContract:
    """The bridge on one network. `terms` may be changed at any time, as a live bridge's fees and limits are."""

    def __init__(self, name: str, chain: ChainId, routes: Sequence[tuple[Token, Token]], terms: Terms) -> None:
        self.name = name
        self.chain = chain
        self.address = bridge_address(name, chain)
        self.relayer = AccountId(chain, address_of(chain, f"relayer {name}"))
        self.terms = terms
        self._routes = {(str(s.id), str(t.id)): (s, t) for s, t in routes if s.chain == chain}
        self._tokens = {str(token.id): token for pair in routes for token in pair if token.chain == chain}

    def call(self, frame: Frame, method: str, arguments: Arguments) -> None:
        if method == "send":
            self._send(frame, arguments)
        elif method == "claim":
            self._mint(frame, self._attested(frame, text(arguments, "message")))
        elif method not in ("deliver", "attest", "refund"):
            raise Reverted(f"{self.name} has no method {method!r}")
        elif frame.sender != self.relayer.address:
            raise Reverted(f"only the relayer of {self.name} may {method}")
        else:
            self._relay(frame, method, Transfer(**json.loads(text(arguments, "transfer"))))

    def view(self, frame: Frame, method: str, arguments: Arguments) -> object:
        if method == "terms":
            return asdict(self.terms)
        if method == "sent":
            return frame.get("sent", text(arguments, "reference"))
        if method == "steps":
            message = text(arguments, "message")
            return {step: frame.get(step, message) for step in ("attested", "done", "refunded")}
        raise Reverted(f"{self.name} has no view {method!r}")

    def _send(self, frame: Frame, arguments: Arguments) -> None:
        route = self._routes.get((text(arguments, "source"), text(arguments, "target")))
        if route is None:
            raise Reverted(f"{self.name} has no route from {arguments['source']} to {arguments['target']}")
        source, target = route
        units = number(arguments, "units")
        takes = self.terms.takes(units, source, target)
        if not self.terms.minimum <= units <= self.terms.maximum:
            raise Reverted(f"{units} is outside {self.terms.minimum} to {self.terms.maximum}")
        if takes < number(arguments, "least"):
            raise Reverted(f"only {takes} would arrive, {arguments['least']} wanted")
        if frame.time > number(arguments, "deadline"):
            raise Reverted("deadline passed")
        if frame.value < self.terms.message_fee + (units if source.id == frame.native else 0):
            raise Reverted(f"{frame.value} sent along does not pay the message fee of {self.terms.message_fee}")
        message = message_id(self.name, self.chain, frame.reference)
        if frame.get("message", message) is not None:
            raise Reverted("one transfer a transaction")
        frame.take(source.id, units)
        frame.change(source.id, self.address, -units)
        transfer = Transfer(message, str(source.id), str(target.id), frame.sender, text(arguments, "recipient"), units, takes)
        count = frame.get("count") or 0
        frame.put(encode_transfer(transfer), "message", message)
        frame.put(encode_transfer(transfer), "at", count)
        frame.put(message, "sent", frame.reference)
        frame.put(int(count) + 1, "count")
        frame.emit("Sent", message, units=units)

    def _relay(self, frame: Frame, method: str, transfer: Transfer) -> None:
        if method == "deliver":
            self._mint(frame, transfer)
        elif method == "attest":
            frame.put(encode_transfer(transfer), "attested", transfer.message)
        elif frame.get("refunded", transfer.message) is None:
            frame.put(frame.reference, "refunded", transfer.message)
            frame.change(TokenId.parse(transfer.source), transfer.sender, transfer.paid)
        else:
            raise Reverted("refunded already")

    def _attested(self, frame: Frame, message: str) -> Transfer:
        found = frame.get("attested", message)
        if found is None:
            raise Reverted(f"{message} is not attested")
        return Transfer(**json.loads(str(found)))

    def _mint(self, frame: Frame, transfer: Transfer) -> None:
        if frame.get("done", transfer.message) is not None:
            raise Reverted(f"{transfer.message} is delivered already")
        frame.put(frame.reference, "done", transfer.message)
        frame.change(TokenId.parse(transfer.target), transfer.recipient, transfer.units)
        frame.emit("Delivered", transfer.message, units=transfer.units)


def bridge_address(name: str, chain: ChainId) -> str:
    return address_of(chain, f"bridge {name}")


def message_id(name: str, chain: ChainId, reference: str) -> str:
    """The id of the transfer that the transaction `reference` on `chain` started."""
    return "0x" + digest("message", name, chain, reference)


def encode_transfer(transfer: Transfer) -> str:
    return json.dumps(asdict(transfer), sort_keys=True)


@dataclass(slots=True)
class _Errand:
    transfer: Transfer
    due: int
    reference: str = ""  # of the relayer's transaction that is under way
    refund: bool = False


@dataclass(slots=True)
class Relayer:
    """Carries the transfers of one bridge. The last five fields are levers.

    `outage`: does nothing. `short`: base units held back from each delivery. `refuse`: sends the value back instead.
    `stranger`: a third party claims what is claimable. `delay`: blocks that its transactions wait.
    """

    networks: dict[ChainId, SimulatedNetwork]
    contracts: dict[ChainId, BridgeContract]
    outage: bool = False
    short: int = 0
    refuse: bool = False
    stranger: bool = False
    delay: int = 0
    _seen: dict[ChainId, int] = field(default_factory=dict)
    _errands: list[_Errand] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        return (bool(self._errands) and not self.outage) or any(
            self._count(chain, final=False) > self._seen.get(chain, 0) for chain in self.networks
        )

    @property
    def under_way(self) -> tuple[Transfer, ...]:
        """Transfers that are final at the source and not at the target."""
        return tuple(errand.transfer for errand in self._errands)

    def change_terms(self, terms: Terms) -> None:
        for contract in self.contracts.values():
            contract.terms = terms

    def step(self, now: int) -> None:
        for chain, network in self.networks.items():
            state = network.state_at(network.finalized)
            contract = self.contracts[chain]
            for index in range(self._seen.get(chain, 0), self._count(chain, final=True)):
                transfer = Transfer(**json.loads(str(state[(contract.address, "at", index)])))
                self._errands.append(_Errand(transfer, now + contract.terms.latency_s))
                self._seen[chain] = index + 1
        if not self.outage:
            self._errands = [errand for errand in self._errands if errand.due > now or not self._run(errand)]

    def _count(self, chain: ChainId, *, final: bool) -> int:
        network = self.networks[chain]
        state = network.state_at(network.finalized) if final else network.state
        return int(state.get((self.contracts[chain].address, "count"), 0))

    def _run(self, errand: _Errand) -> bool:
        """Go one step on; True when the errand is done for good. What was lost or failed is done again."""
        if not errand.reference:
            errand.refund = self.refuse
        chain = TokenId.parse(errand.transfer.source if errand.refund else errand.transfer.target).chain
        network, contract = self.networks[chain], self.contracts[chain]
        receipt = network.receipt(errand.reference)
        if receipt is not None and receipt.final and receipt.succeeded:
            if contract.terms.claim and self.stranger and not errand.refund:
                claim = Call(chain, contract.address, encode("claim", message=errand.transfer.message), "claim")
                network.send_as(network.account("stranger"), (claim,))
            return True
        if not network.knows(errand.reference) or (receipt is not None and receipt.final):
            errand.reference = network.send_as(contract.relayer, (self._call(errand, contract),), self.delay)
        return False

    def _call(self, errand: _Errand, contract: BridgeContract) -> Call:
        method = "refund" if errand.refund else "attest" if contract.terms.claim else "deliver"
        fields = {**asdict(errand.transfer), "units": max(0, errand.transfer.units - self.short)}
        data = encode(method, transfer=json.dumps(fields, sort_keys=True))
        return Call(contract.chain, contract.address, data, f"{method} {errand.transfer.message}")


def install_bridge(world: SimulatedWorld, name: str, routes: Sequence[tuple[Token, Token]], terms: Terms) -> Relayer:
    """The bridge `name` in the world, one direction a route: made on the first call, found again on every later one."""
    found = world.agents.get(f"bridge {name}")
    if isinstance(found, Relayer):
        return found
    chains = sorted({token.chain for pair in routes for token in pair})
    contracts = {chain: BridgeContract(name, chain, routes, terms) for chain in chains}
    for chain, contract in contracts.items():
        world.networks[chain].install(contract)
    relayer = Relayer({chain: world.networks[chain] for chain in chains}, contracts)
    world.agents[f"bridge {name}"] = relayer
    return relayer
