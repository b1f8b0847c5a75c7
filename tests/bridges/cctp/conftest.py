"""Fixtures of CCTP's tests: two chains in memory that answer like Circle's contracts, and the rail over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from eth_abi.abi import encode

from bridges.abi import calldata, topic, word
from bridges.base import Leg, Surroundings
from bridges.cctp.message import LENGTH
from bridges.cctp.rail import build
from bridges.settings import CctpSettings
from chains.base import Call, Height, Log, Movement, Receipt
from chains.errors import Reverted
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token

ALPHA, BETA = ChainId.parse("eip155:31337001"), ChainId.parse("eip155:31337002")
DOMAINS = {ALPHA: 0, BETA: 6}
MESSENGER, TRANSMITTER, MINTER, USDC, OURS, STRANGER = ("0x" + digit * 40 for digit in "123456")
NONCE = bytes.fromhex("ab" * 32)


def _selector(signature: str) -> bytes:
    return bytes.fromhex(topic(signature)[2:10])


@dataclass
class CctpChain:
    """One chain with Circle's contracts on it, as a reader sees it. Tests set the fields."""

    id: ChainId
    height: int = 100
    limit: int | None = 10_000_000 * 10**6
    allowance: int = 0
    refusal: str = ""
    used: set[bytes] = field(default_factory=set)
    receipts: list[Receipt] = field(default_factory=list)
    searched_since: list[int] = field(default_factory=list)

    @property
    def native(self) -> Token:
        return Token(TokenId(self.id, "slip44", "60"), "ETH", 18)

    @property
    def usdc(self) -> Token:
        return Token(TokenId(self.id, "erc20", USDC), "USDC", 6)

    async def head(self) -> Height:
        return Height(self.height, "0x00", 1_800_000_000)

    async def fee(self, work: int) -> Amount:
        return Amount(self.native, work * 10**9)

    async def read(self, call: Call) -> bytes:
        views: dict[tuple[str, bytes], Callable[[bytes], bytes]] = {
            (MESSENGER, _selector("localMinter()")): lambda _: self._or_revert(MINTER if self.limit is not None else None, "address"),
            (MINTER, _selector("burnLimitsPerMessage(address)")): lambda _: self._or_revert(self.limit, "uint256"),
            (USDC, _selector("allowance(address,address)")): lambda _: encode(["uint256"], [self.allowance]),
            (TRANSMITTER, _selector("usedNonces(bytes32)")): lambda data: encode(["uint256"], [int(data[4:] in self.used)]),
            (TRANSMITTER, _selector("receiveMessage(bytes,bytes)")): lambda _: self._or_revert(None if self.refusal else True, "bool"),
        }
        return views[call.target, call.data[:4]](call.data)

    def _or_revert(self, value: object, kind: str) -> bytes:
        if value is None:
            raise Reverted(self.refusal or "function selector was not recognized")
        return encode([kind], [value])

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        self.searched_since.append(since)
        return [
            receipt
            for receipt in self.receipts
            if receipt.height.number >= since
            and any(
                log.address == address and all(want is None or want == got for want, got in zip(topics, log.topics)) for log in receipt.logs
            )
        ]

    def receipt(self, logs: Sequence[Log], moved: int = 0, **changes: object) -> Receipt:
        """A final, successful transaction of a stranger at the present height."""
        account = AccountId(self.id, OURS)
        fields: dict[str, object] = {
            "chain": self.id,
            "reference": "0x" + "cc" * 32,
            "sender": AccountId(self.id, STRANGER),
            "height": Height(self.height, "0x01", 1_800_000_000),
            "succeeded": True,
            "final": True,
            "fee": 1,
            "movements": (Movement(account, self.usdc.id, moved),) if moved else (),
            "logs": tuple(logs),
        }
        return Receipt(**{**fields, **changes})  # type: ignore[arg-type]

    def burned(self, *messages: bytes, emitter: str = TRANSMITTER, **changes: object) -> Receipt:
        """A departure that emitted these messages."""
        logs = [Log(emitter, (topic("MessageSent(bytes)"),), encode(["bytes"], [message])) for message in messages]
        return self.receipt(logs, **changes)

    def mint_logs(self, message: bytes, units: int, to: str = OURS) -> list[Log]:
        """What a claim of the message emits."""
        minted = (topic("MintAndWithdraw(address,uint256,address,uint256)"), f"0x{word(to).hex()}", f"0x{word(USDC).hex()}")
        received = (
            topic("MessageReceived(address,uint32,bytes32,bytes32,uint32,bytes)"),
            f"0x{word(STRANGER).hex()}",
            f"0x{message[12:44].hex()}",
            f"0x{bytes(28).hex()}{message[144:148].hex()}",
        )
        data = encode(["uint32", "bytes32", "bytes"], [int.from_bytes(message[4:8], "big"), message[44:76], message[148:]])
        return [Log(MESSENGER, minted, encode(["uint256", "uint256"], [units, 0])), Log(TRANSMITTER, received, data)]

    def claimed(self, message: bytes, units: int, **changes: object) -> None:
        """Somebody claimed the message here, and it moved this much to us."""
        self.used.add(message[12:44])
        self.receipts.append(self.receipt(self.mint_logs(message, units), units, **changes))


class Setting:
    """The rail between two chains, its API, and one leg in the making."""

    def __init__(self, api, http, **changes: object) -> None:
        self.api = api
        self.source, self.target = CctpChain(ALPHA), CctpChain(BETA)
        api.says(
            "GET /v2/burn/USDC/fees/0/6", [{"finalityThreshold": 1000, "minimumFee": 1.3}, {"finalityThreshold": 2000, "minimumFee": 0}]
        )
        here = {"token_messenger": MESSENGER, "message_transmitter": TRANSMITTER}
        chains = {str(c): {**here, "domain": d, "usdc": f"{c}/erc20:{USDC}"} for c, d in DOMAINS.items()}
        settings = CctpSettings.model_validate({"iris": api.url, "chains": chains, **changes})
        tokens = {chain.usdc.id: chain.usdc for chain in (self.source, self.target)}
        accounts = {chain: AccountId(chain, OURS) for chain in DOMAINS}
        self.surroundings = Surroundings({ALPHA: self.source, BETA: self.target}, tokens, accounts, http)
        self.settings = settings
        self.rail = build(settings, self.surroundings)

    def lane(self, speed: str):
        return next(lane for lane in self.rail.lanes() if lane.id == f"cctp.{speed}/{ALPHA}/{BETA}")

    def leg(self, speed: str = "fast", units: int = 1_000_000_000, least: int = 0, terms: dict[str, str] | None = None) -> Leg:
        lane = self.lane(speed)
        return Leg(
            id="1" * 32,
            lane=lane,
            gives=Amount(lane.source, units),
            least=Amount(lane.target, least),
            sender=AccountId(ALPHA, OURS),
            recipient=AccountId(BETA, OURS),
            deadline=1_900_000_000,
            terms={"max_fee": "180000" if speed == "fast" else "0", "since": "90"} if terms is None else terms,
        )

    def iris_says(self, *entries: dict[str, object], transaction: str = "0x" + "cc" * 32) -> None:
        self.api.says(f"GET /v2/messages/0?transactionHash={transaction}", {"messages": list(entries)})


@pytest.fixture
def cctp(api, http):
    """Makes a Setting; keyword arguments change the rail's settings."""
    return lambda **changes: Setting(api, http, **changes)


@pytest.fixture
def attest():
    """A source message as Circle attests it."""

    def filled(message: bytes, nonce: bytes = NONCE, fee: int = 0, finality: int = 2000, expires: int = 0) -> bytes:
        assert len(message) == LENGTH
        out = bytearray(message)
        out[12:44] = nonce
        out[144:148] = finality.to_bytes(4, "big")
        out[148 + 164 : 148 + 196] = fee.to_bytes(32, "big")
        out[148 + 196 : 148 + 228] = expires.to_bytes(32, "big")
        return bytes(out)

    return filled


@pytest.fixture
def signed_by(cctp):
    """The source message of a leg, read out of the calldata that the rail would sign."""

    def message(setting: Setting, leg: Leg) -> bytes:
        return setting.rail._burn(leg).encode()

    return message


@pytest.fixture
def entry():
    """A complete answer of Iris about a message."""
    return lambda message, attestation="0x" + "aa" * 130: {
        "status": "complete",
        "message": f"0x{message.hex()}",
        "attestation": attestation,
        "eventNonce": f"0x{message[12:44].hex()}",
        "cctpVersion": 2,
        "decodedMessage": {},
        "delayReason": None,
    }


@pytest.fixture
def deposit():
    """The arguments of the burn in a departure's last call."""
    from eth_abi.abi import decode

    types = ["uint256", "uint32", "bytes32", "address", "bytes32", "uint256", "uint32"]

    def arguments(call: Call):
        assert call.target == MESSENGER
        assert call.data[:4] == calldata("depositForBurn", types, [0, 0, bytes(32), USDC, bytes(32), 0, 0])[:4]
        return decode(types, call.data[4:])

    return arguments
