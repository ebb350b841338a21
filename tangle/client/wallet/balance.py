"""What a wallet holds, as a program reads it: sums, tokens, NFTs, accounts, and what waits or can be claimed.

Pure: made from `Holdings` and from what foundries say about their tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tangle.client.wallet.holdings import Holding, Holdings, HoldingState
from tangle.client.wallet.metadata import Irc27, Irc30
from tangle.client.wallet.selection import Coin
from tangle.protocol.addresses import Address
from tangle.protocol.outputs import (
    AliasOutput,
    BasicOutput,
    ChainOutput,
    FoundryOutput,
    MetadataFeature,
    NftOutput,
)


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """How many of a native token the wallet holds.

    Attributes
    ----------
    token_id : 38 bytes, the id of the foundry
    total : in all outputs of the wallet; available : in those that a payment may consume now
    metadata : what the foundry says (IRC-30), None where it says nothing that can be read
    """

    token_id: bytes
    total: int
    available: int
    metadata: Irc30 | None = None

    @property
    def name(self) -> str | None:
        """The token's name."""
        return self.metadata.name if self.metadata else None

    @property
    def symbol(self) -> str | None:
        """The token's ticker."""
        return self.metadata.symbol if self.metadata else None

    @property
    def decimals(self) -> int | None:
        """Places by which people move the decimal point."""
        return self.metadata.decimals if self.metadata else None


@dataclass(frozen=True, slots=True)
class Nft:
    """An NFT of the wallet.

    Attributes
    ----------
    amount : base units in its output
    issuer : address that issued it, proven when it was minted
    immutable_metadata : as its issuer wrote it; metadata : what `Irc27` reads in it
    state : whether it can be moved now; until : the time that decides, seconds since the Unix epoch
    """

    nft_id: bytes
    output_id: bytes
    amount: int
    address: Address
    issuer: Address | None
    immutable_metadata: bytes | None
    metadata: Irc27 | None
    state: HoldingState
    until: int | None = None

    @property
    def name(self) -> str | None:
        """The NFT's name."""
        return self.metadata.name if self.metadata else None


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias that the wallet moves (`controlled`), rules (`governed`), or both."""

    alias_id: bytes
    output_id: bytes
    amount: int
    controlled: bool
    governed: bool
    state_index: int
    foundry_counter: int
    state_metadata: bytes
    metadata: bytes | None
    immutable_metadata: bytes | None
    issuer: Address | None


@dataclass(frozen=True, slots=True)
class Foundry:
    """A foundry of one of the wallet's aliases; its id is that of its tokens."""

    token_id: bytes
    output_id: bytes
    amount: int
    alias_id: bytes
    minted: int
    melted: int
    maximum_supply: int
    metadata: Irc30 | None

    @property
    def circulating(self) -> int:
        """Tokens that exist, burned ones included."""
        return self.minted - self.melted


@dataclass(frozen=True, slots=True)
class Conditional:
    """An output under conditions: to be claimed, locked, or sent and not taken yet.

    Attributes
    ----------
    amount : base units that stay with the wallet
    owed : base units that go back to `owed_to` when it is claimed
    until : claimable: when it expires, if it does; locked: when it opens; returning: when it comes back
    """

    output_id: bytes
    amount: int
    tokens: Mapping[bytes, int]
    nft_id: bytes | None
    owed: int
    owed_to: Address | None
    until: int | None


@dataclass(frozen=True, slots=True)
class Balance:
    """What the ledger holds for the wallet, in base units.

    Attributes
    ----------
    total : all unspent outputs of the wallet, storage deposits included, without what must go back
    available : of those without conditions or chain, without what own pending transactions consume
    outputs : the unspent outputs, by address and age
    claimable : can be taken now with `Wallet.claim`
    locked : theirs, but not before a time
    returning : sent to others with an expiration, and not taken yet; counted in no sum
    """

    total: int
    available: int
    outputs: tuple[Coin, ...]
    tokens: tuple[TokenBalance, ...] = ()
    nfts: tuple[Nft, ...] = ()
    aliases: tuple[Alias, ...] = ()
    foundries: tuple[Foundry, ...] = ()
    claimable: tuple[Conditional, ...] = ()
    locked: tuple[Conditional, ...] = ()
    returning: tuple[Conditional, ...] = ()

    def token(self, token_id: bytes) -> TokenBalance:
        """What is held of one token, which may be nothing."""
        return next((held for held in self.tokens if held.token_id == token_id), TokenBalance(token_id, 0, 0))


def balance_of(held: Holdings, free: Callable[[Holding], bool], about: Mapping[bytes, Irc30 | None]) -> Balance:
    """The balance of `held`.

    Parameters
    ----------
    free : whether no pending transaction consumes an output
    about : token id -> what its foundry says
    """
    owned = [one for one in held.items if one.state not in {HoldingState.RETURNING, HoldingState.GOVERNED}]
    payable = [one for one in held.of(HoldingState.AVAILABLE) if isinstance(one.output, BasicOutput) and free(one)]
    return Balance(
        total=sum(one.coin.amount if one.owed_to in held.own else one.kept for one in owned),
        available=sum(one.coin.amount for one in payable),
        outputs=tuple(one.coin for one in owned),
        tokens=_tokens(owned, payable, about),
        nfts=tuple(_nft(one, one.output) for one in owned if isinstance(one.output, NftOutput)),
        aliases=tuple(_alias(held, one, one.output) for one in held.items if isinstance(one.output, AliasOutput)),
        foundries=tuple(_foundry(one, one.output) for one in owned if isinstance(one.output, FoundryOutput)),
        claimable=tuple(_conditional(one) for one in owned if one.conditional),
        locked=tuple(_conditional(one) for one in held.of(HoldingState.LOCKED)),
        returning=tuple(_conditional(one) for one in held.of(HoldingState.RETURNING)),
    )


def tokens_of(outputs: list[Holding]) -> dict[bytes, int]:
    """Token id -> sum of its amounts."""
    sums: dict[bytes, int] = {}
    for one in outputs:
        for token in one.output.native_tokens:
            sums[token.token_id] = sums.get(token.token_id, 0) + token.amount
    return sums


def _tokens(
    owned: list[Holding], payable: list[Holding], about: Mapping[bytes, Irc30 | None]
) -> tuple[TokenBalance, ...]:
    available = tokens_of(payable)
    return tuple(
        TokenBalance(token_id, total, available.get(token_id, 0), about.get(token_id))
        for token_id, total in sorted(tokens_of(owned).items())
    )


def _nft(one: Holding, output: NftOutput) -> Nft:
    said = immutable_metadata(output)
    about = Irc27.decode(said) if said else None
    return Nft(
        output.chain_id(one.output_id),
        one.output_id,
        output.amount,
        one.unlocker,
        output.issuer,
        said,
        about,
        one.state,
        one.until,
    )


def _alias(held: Holdings, one: Holding, output: AliasOutput) -> Alias:
    return Alias(
        output.chain_id(one.output_id),
        one.output_id,
        output.amount,
        one.state is HoldingState.AVAILABLE,
        held.controls(output.governor),
        output.state_index,
        output.foundry_counter,
        output.state_metadata,
        output.metadata,
        immutable_metadata(output),
        output.issuer,
    )


def _foundry(one: Holding, output: FoundryOutput) -> Foundry:
    scheme = output.token_scheme
    return Foundry(
        output.foundry_id,
        one.output_id,
        output.amount,
        output.alias_address.alias_id,
        scheme.minted,
        scheme.melted,
        scheme.maximum_supply,
        irc30_of(output),
    )


def _conditional(one: Holding) -> Conditional:
    nft_id = one.chain_id if isinstance(one.output, NftOutput) else None
    return Conditional(one.output_id, one.kept, tokens_of([one]), nft_id, one.owed, one.owed_to, one.until)


def immutable_metadata(output: ChainOutput) -> bytes | None:
    """The bytes of the immutable metadata feature, if there is one."""
    found = output.immutable_feature(MetadataFeature)
    return found.data if found else None


def irc30_of(foundry: FoundryOutput) -> Irc30 | None:
    """What a foundry says about its token, if it can be read."""
    said = immutable_metadata(foundry)
    return Irc30.decode(said) if said else None
