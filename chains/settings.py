"""Settings of a chain, as a treasury's configuration gives them: strict, frozen, one model a kind.

These models check shape and range only; whether an endpoint really speaks for the chain is asked of the
endpoint itself, on every connection (`chains.rpc`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, field_validator

from chains.ids import EVM, NATIVE, SOLANA, ChainId, TokenId, check_address
from chains.tokens import Amount, Token

MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"  # the same address on most public chains


def _chain_id(value: object) -> object:
    return ChainId.parse(value) if isinstance(value, str) else value


def _decimal_text(value: object) -> object:
    # YAML reads an unquoted 0.05 as a float; its shortest text is what was written.
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


def _number(text: str) -> str:
    """Refuse what is not a plain, finite, non-negative decimal number."""
    try:
        number = Decimal(text.replace("_", ""))
    except ArithmeticError:
        raise ValueError(f"{text!r} is not a decimal number; write it as in 0.05") from None
    if not number.is_finite() or number < 0:
        raise ValueError(f"{text!r} is not a finite number of zero or more")
    return text


ChainIdField = Annotated[ChainId, BeforeValidator(_chain_id), PlainSerializer(str)]
DecimalText = Annotated[str, BeforeValidator(_decimal_text), AfterValidator(_number)]


class Strict(BaseModel):
    """Unknown keys are refused; a model never changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)


class EndpointSettings(Strict):
    """One JSON-RPC address. `trust_domain` names who runs it: two addresses of one operator are one witness.

    The address is kept out of `repr`, because providers put their access keys into it.
    """

    url: str = Field(repr=False)
    trust_domain: str = Field(min_length=1)
    per_second: int = Field(default=100, ge=1, description="requests a second this endpoint is asked at most")

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("not an http:// or https:// address with a host")  # never echo it: it may hold an access key
        return url


class NativeSettings(Strict):
    """The chain's own coin. `slip44`: its SLIP-44 coin number (60 ether, 501 SOL)."""

    asset: str = Field(min_length=1)
    decimals: int = Field(ge=0, le=36)
    slip44: int = Field(ge=0)


class ChainSettings(Strict):
    """What every kind of chain has. `gas_floor`: native coin, in whole coins, that a plan must leave for network fees.

    `quorum`: how many trust domains must agree before an answer may decide anything. `timeout`: seconds for one request.
    """

    id: ChainIdField
    name: str = Field(min_length=1)
    kind: str
    endpoints: tuple[EndpointSettings, ...] = ()
    quorum: int = Field(default=1, ge=1)
    native: NativeSettings
    gas_floor: DecimalText = "0"
    timeout: float = Field(default=10.0, gt=0, le=120)

    @field_validator("quorum")
    @classmethod
    def _is_attainable(cls, quorum: int, info: ValidationInfo) -> int:
        domains = sorted({endpoint.trust_domain for endpoint in info.data.get("endpoints", ())})
        if domains and quorum > len(domains):
            raise ValueError(
                f"quorum {quorum} can never be met: the endpoints belong to {len(domains)} trust domain(s) ({', '.join(domains)}); "
                f"allowed: 1 to {len(domains)}, or add an endpoint of another operator"
            )
        return quorum

    @field_validator("gas_floor")
    @classmethod
    def _is_exact(cls, floor: str, info: ValidationInfo) -> str:
        native = info.data.get("native")
        chain = info.data.get("id")
        if native is not None and chain is not None:
            Amount.parse(_native_token(chain, native), floor)
        return floor

    @property
    def native_token(self) -> Token:
        return _native_token(self.id, self.native)

    @property
    def gas_floor_amount(self) -> Amount:
        """The gas floor in base units of the native coin."""
        return Amount.parse(self.native_token, self.gas_floor)


def _native_token(chain: ChainId, native: NativeSettings) -> Token:
    return Token(TokenId(chain, NATIVE, str(native.slip44)), native.asset, native.decimals)


def _with_decimals(native: NativeSettings, decimals: int, why: str) -> NativeSettings:
    if native.decimals != decimals:
        raise ValueError(f"{native.decimals} decimals of {native.asset}; allowed: {decimals}, because {why}")
    return native


def _of_family(chain: ChainId, family: str) -> ChainId:
    if chain.namespace != family:
        raise ValueError(f"{chain} is not of the {family} family; its id starts with {family}:")
    return chain


def _evm_address(address: str) -> str:
    check_address(ChainId(EVM, "1"), address)
    return address


EvmAddress = Annotated[str, AfterValidator(_evm_address)]
EvmChainId = Annotated[ChainIdField, AfterValidator(lambda chain: _of_family(chain, EVM))]
SolanaChainId = Annotated[ChainIdField, AfterValidator(lambda chain: _of_family(chain, SOLANA))]


class EvmSettings(ChainSettings):
    """An EVM network.

    `finality`: the tag `finalized`, or a depth in blocks where a chain has no such tag. `max_fee_gwei` and
    `max_priority_fee_gwei` cap what one gas may cost: above it nothing is signed. `gas_margin`: percent added to the
    node's estimate. `wrapped_native`: the WETH-like contract, whose Deposit and Withdrawal events count as movements.
    `traces`: read native coin moved inside transactions from debug_traceTransaction; without it only a transaction's
    own value is seen. `log_range`: most blocks one eth_getLogs may span.
    """

    kind: Literal["evm"] = "evm"
    id: EvmChainId
    endpoints: tuple[EndpointSettings, ...] = Field(min_length=1)
    finality: Literal["finalized"] | Annotated[int, Field(ge=1, le=10_000)] = "finalized"
    multicall: EvmAddress = MULTICALL3
    wrapped_native: EvmAddress | None = None
    max_fee_gwei: DecimalText = "200"
    max_priority_fee_gwei: DecimalText = "5"
    gas_margin: int = Field(default=25, ge=0, le=200)
    traces: bool = True
    log_range: int = Field(default=5_000, ge=1, le=1_000_000)

    @field_validator("native")
    @classmethod
    def _counts_in_wei(cls, native: NativeSettings) -> NativeSettings:
        return _with_decimals(native, 18, "EVM nodes count the native coin in wei")


class SolanaSettings(ChainSettings):
    """A Solana cluster; the id's reference is the first 32 characters of its genesis hash.

    `websocket`: ws:// address for subscriptions, if any. `max_priority_fee`: micro-lamports a compute unit may cost at
    most. `compute_margin`: percent added to the simulated compute units.
    """

    kind: Literal["solana"] = "solana"
    id: SolanaChainId
    endpoints: tuple[EndpointSettings, ...] = Field(min_length=1)
    websocket: str | None = Field(default=None, repr=False)
    max_priority_fee: int = Field(default=1_000_000, ge=0)
    compute_margin: int = Field(default=20, ge=0, le=200)

    @field_validator("native")
    @classmethod
    def _counts_in_lamports(cls, native: NativeSettings) -> NativeSettings:
        return _with_decimals(native, 9, "Solana counts the native coin in lamports")


class SimulatedToken(Strict):
    """A token of a simulated chain. `balances`: whole tokens that addresses start with."""

    asset: str = Field(min_length=1)
    decimals: int = Field(ge=0, le=36)
    balances: dict[str, DecimalText] = {}


class SimulatedSettings(ChainSettings):
    """A chain in memory, for tests and rehearsals: no endpoints. Its id may be of either family. `finality`: depth in blocks.

    `world`: chains and rails that name the same world see each other. `tokens`: by CAIP-19 id. `balances`: whole native
    coins that addresses start with. Funded addresses need no key.
    """

    kind: Literal["simulated"] = "simulated"
    finality: int = Field(default=2, ge=0)
    world: str = "default"
    block_seconds: int = Field(default=1, ge=1)
    tokens: dict[str, SimulatedToken] = {}
    balances: dict[str, DecimalText] = {}

    @field_validator("tokens")
    @classmethod
    def _are_here(cls, tokens: dict[str, SimulatedToken], info: ValidationInfo) -> dict[str, SimulatedToken]:
        for name in tokens:
            if "id" in info.data and TokenId.parse(name).chain != info.data["id"]:
                raise ValueError(f"{name} is not a token of {info.data['id']}")
        return tokens
