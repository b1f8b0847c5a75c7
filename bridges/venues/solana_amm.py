"""The Solana swap venue: exact-in swaps priced and routed by a Jupiter-shaped API, in one transaction that we write ourselves.

Trust: none in the API. Only its swap instruction is used, and only as `swap_instruction.judge` allows: a configured program,
our account the only signer, from our token account to our token account, exactly `gives` for at least `least`. Opening,
filling and closing token accounts is ours.

The native coin is swapped as wrapped SOL, in our own associated token account for it. An account that the departure opens it
also closes, so that its rent (2,039,280 lamports) comes back in the same transaction and movements show the swap alone. When
native coin is the target the account is closed in any case: what lay in it before, and its rent, come along and are part of
what is delivered, because they are part of what the wallet gained. Rent of a target token account that a swap opens is
named in the quote's fees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.token.associated import get_associated_token_address
from spl.token.constants import TOKEN_PROGRAM_ID, WRAPPED_SOL_MINT

from bridges.base import Arrival, Delivered, Lane, Leg, Quote, Rail, Surroundings
from bridges.venues.jupiter import Ask, Instruction, Jupiter, Offer
from bridges.venues.settings import SolanaAmmSettings
from bridges.venues.swap_instruction import Wanted, judge
from chains.base import AccountMeta, Call, Reader, Receipt
from chains.errors import Misconfigured, OutsideTerms
from chains.ids import AccountId, TokenId
from chains.solana.transaction import call_of
from chains.tokens import Amount, Token

TOKEN_ACCOUNT_RENT = 2_039_280  # lamports for 165 bytes: (128 + 165) x 6,960
_WRAPPED = str(WRAPPED_SOL_MINT)
_MOST_UNITS = 2**64 - 1  # a token amount on Solana
_PROBES = (Fraction(1, 100), Fraction(100), Fraction(10_000))  # of the amount, tried in order until they show a price impact
_TELLING = 200  # units by which prices must differ to be believed to half a percent
_BPS = 10_000


def build(settings: SolanaAmmSettings, surroundings: Surroundings) -> Rail:
    """Raises Misconfigured when the chain, its account or a token is not part of the treasury."""
    chain = settings.chain
    if chain not in surroundings.readers or chain not in surroundings.accounts:
        raise Misconfigured(f"rails.solana-amm.chain is {chain}, where this treasury has no chain or no account; add it or remove the rail")
    named = {token for pair in settings.pairs for token in pair}
    missing = sorted(named - surroundings.tokens.keys())
    if missing:
        raise Misconfigured(f"rails.solana-amm.pairs: {', '.join(map(str, missing))} is no token of this treasury; add it to the tokens")
    wrapped = TokenId(chain, "token", _WRAPPED)
    if wrapped in surroundings.tokens and any(token.is_native for token in named):
        raise Misconfigured(
            f"rails.solana-amm swaps the native coin of {chain} and would unwrap what the treasury holds as {wrapped}; "
            "remove that token, or the pairs with the native coin"
        )
    jupiter = Jupiter(surroundings.http, settings.api, settings.max_accounts)
    tokens = {token: surroundings.tokens[token] for token in named}
    return SolanaAmm(settings, jupiter, surroundings.readers[chain], surroundings.accounts[chain], tokens)


class SolanaAmm:
    """Swaps between the configured pairs, either way, for one account."""

    name = "solana-amm"

    def __init__(
        self, settings: SolanaAmmSettings, jupiter: Jupiter, reader: Reader, account: AccountId, tokens: Mapping[TokenId, Token]
    ) -> None:
        self._settings, self._jupiter, self._reader, self._account = settings, jupiter, reader, account
        ordered = [(tokens[source], tokens[target]) for one, other in settings.pairs for source, target in ((one, other), (other, one))]
        self._lanes = tuple(Lane(_lane_id(source, target), self.name, source, target) for source, target in ordered)
        self._own = {token: self._token_account(token) for token in tokens}

    def lanes(self) -> Sequence[Lane]:
        return self._lanes

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        """`most` is estimated from the API's own prices as if one constant-product pool made them, to about a percent.

        `fees`: the network's, and the rent of the target token account where there is none yet.
        """
        self._check(lane, gives)
        takes = await self._takes(lane, gives.units)
        if takes == 0:
            raise OutsideTerms(f"{lane.id}: the API finds no route on which {gives} brings anything")
        most = await self._most(lane, gives.units, takes)
        if gives.units > most:
            allowed = f"{self._settings.max_impact_bps} bps"
            raise OutsideTerms(f"{lane.id}: {gives} would move the price by more than {allowed}; at most {Amount(lane.source, most)} now")
        fee = await self._reader.fee(self._settings.compute_units)
        if not lane.target.id.is_native and not await self._exists(lane.target):
            fee += Amount(self._reader.native, TOKEN_ACCOUNT_RENT)
        return Quote(
            lane=lane,
            gives=gives,
            takes=Amount(lane.target, takes),
            fees=(fee,),
            least=1,
            most=most,
            latency_s=self._settings.swap_seconds,
        )

    async def depart(self, leg: Leg) -> Sequence[Call]:
        """One transaction: open, fill, swap, close. The program itself refuses less than `least`; `deadline` is the caller's to keep."""
        lane = leg.lane
        self._check(lane, leg.gives)
        if leg.sender != self._account or leg.recipient != self._account:
            raise Misconfigured(f"leg {leg.id} swaps for {leg.sender} to {leg.recipient}; this venue swaps for {self._account} only")
        if leg.least.units <= 0:
            raise OutsideTerms(f"{lane.id}: a swap needs a floor above zero, not {leg.least}")
        offer = await self._offer(leg)
        source, target = self._own[lane.source.id], self._own[lane.target.id]
        wanted = Wanted(
            user=self._account.address,
            source=str(source),
            target=str(target),
            mint_out=_mint(lane.target.id),
            units=leg.gives.units,
            least=leg.least.units,
            private=frozenset(str(own) for own in self._own.values()) - {str(source), str(target)},
        )
        swap = judge(await self._jupiter.instructions(offer, self._account.address), wanted, self._settings.programs)
        opened = lane.source.id.is_native and not await self._exists(lane.source)
        calls = [self._open(lane.target), _call(leg, swap)]
        if lane.source.id.is_native:
            calls = [self._open(lane.source), *self._wrap(leg.gives), *calls]
        if opened or lane.target.id.is_native:
            calls.append(self._unwrap())
        return calls

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        """What the transaction brought to the wallet, as it is. Raises Misconfigured when it brought nothing: not our swap."""
        units = departure.moved(leg.recipient, leg.lane.target.id)
        if units <= 0:
            raise Misconfigured(f"{departure.reference} on {departure.chain} brought no {leg.lane.target.asset} to {leg.recipient}")
        return Delivered(Amount(leg.lane.target, units), departure, departure.reference)

    async def undo(self, leg: Leg) -> Sequence[Call]:
        """Nothing: a departure is one transaction, and gives no permission that outlives it."""
        return ()

    # ---- prices ----

    async def _offer(self, leg: Leg) -> Offer:
        """An offer whose encoded floor is not below the leg's, at the widest slippage that this allows."""
        lane, units = leg.lane, leg.gives.units
        takes = (await self._jupiter.quote(_ask(lane, units))).takes
        slippage = (takes - leg.least.units) * _BPS // takes if takes > leg.least.units else 0
        offer = await self._jupiter.quote(_ask(lane, units, slippage))
        if min(offer.takes, offer.threshold) < leg.least.units:
            found = Amount(lane.target, offer.takes)
            raise OutsideTerms(f"{lane.id}: {leg.gives} now brings {found}, below the {leg.least} agreed")
        return offer

    async def _most(self, lane: Lane, units: int, takes: int) -> int:
        """Base units that move the price by the allowed impact, judged by the prices of two amounts; `units` when those show none.

        In a constant-product pool out(x) / x falls as 1 / (R + x), so two amounts s < l whose prices have the ratio r
        give R = (l - r s) / (r - 1), and an impact of i is reached at R i / (1 - i).
        """
        impact = Fraction(self._settings.max_impact_bps, _BPS)
        for share in _PROBES:
            probe = min(max(1, int(units * share)), _MOST_UNITS)
            there = await self._takes(lane, probe)
            (small, small_takes), (large, large_takes) = sorted(((units, takes), (probe, there)))
            if small == large or large_takes == 0:
                continue
            ratio = Fraction(small_takes * large, large_takes * small)
            if (ratio - 1) * small_takes > _TELLING:  # else rounding to whole units could pass for an impact
                reserve = (large - ratio * small) / (ratio - 1)
                return int(reserve * impact / (1 - impact))
        return units

    async def _takes(self, lane: Lane, units: int) -> int:
        """What the API promises for an amount; 0 where it finds no route."""
        try:
            return (await self._jupiter.quote(_ask(lane, units))).takes
        except OutsideTerms:
            return 0

    # ---- our own instructions ----

    def _token_account(self, token: TokenId) -> Pubkey:
        owner, mint = Pubkey.from_string(self._account.address), Pubkey.from_string(_mint(token))
        return get_associated_token_address(owner, mint, TOKEN_PROGRAM_ID)

    async def _exists(self, token: Token) -> bool:
        look = Call(token.chain, str(self._own[token.id]), b"", f"look for our {token.asset} account")
        return bool(await self._reader.read(look))

    def _open(self, token: Token) -> Call:
        import spl.token.instructions as spl  # late, here and below: quoting does without solana-py

        owner = Pubkey.from_string(self._account.address)
        made = spl.create_idempotent_associated_token_account(owner, owner, Pubkey.from_string(_mint(token.id)), TOKEN_PROGRAM_ID)
        return call_of(self._settings.chain, made, f"open our {token.asset} account if there is none")

    def _wrap(self, gives: Amount) -> list[Call]:
        """Lamports into our own wrapped account, counted there as tokens."""
        import spl.token.instructions as spl
        from spl.token.models import SyncNativeParams

        owner, wrapped = Pubkey.from_string(self._account.address), self._own[gives.token.id]
        fill = transfer(TransferParams(from_pubkey=owner, to_pubkey=wrapped, lamports=gives.units))
        count = spl.sync_native(SyncNativeParams(program_id=TOKEN_PROGRAM_ID, account=wrapped))
        return [call_of(self._settings.chain, made, f"wrap {gives}") for made in (fill, count)]

    def _unwrap(self) -> Call:
        import spl.token.instructions as spl
        from spl.token.models import CloseAccountParams

        owner, wrapped = Pubkey.from_string(self._account.address), self._own[self._reader.native.id]
        close = spl.close_account(CloseAccountParams(program_id=TOKEN_PROGRAM_ID, account=wrapped, dest=owner, owner=owner))
        return call_of(self._settings.chain, close, "unwrap what is in our wrapped account, and get its rent back")

    def _check(self, lane: Lane, gives: Amount) -> None:
        if lane not in self._lanes:
            raise Misconfigured(f"{lane.id} is no lane of the configured venue; allowed: {', '.join(known.id for known in self._lanes)}")
        if not 0 < gives.units <= _MOST_UNITS:
            raise OutsideTerms(f"{lane.id} takes 1 to {_MOST_UNITS} base units, not {gives.units}")


def _ask(lane: Lane, units: int, slippage_bps: int = 0) -> Ask:
    return Ask(_mint(lane.source.id), _mint(lane.target.id), units, slippage_bps)


def _mint(token: TokenId) -> str:
    return _WRAPPED if token.is_native else token.reference


def _call(leg: Leg, swap: Instruction) -> Call:
    accounts = tuple(AccountMeta(meta.pubkey, meta.isSigner, meta.isWritable) for meta in swap.accounts)
    return Call(leg.lane.source.chain, swap.programId, swap.bytes, f"swap {leg.gives} for at least {leg.least}", accounts=accounts)


def _lane_id(source: Token, target: Token) -> str:
    return f"solana-amm/{source.chain}/{source.id.reference}/{target.id.reference}"
