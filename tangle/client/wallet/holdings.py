"""What unspent outputs are to their owner at a given time: spendable, locked, claimable, or somebody else's.

Pure: outputs, own addresses and a milestone's time in, who may do what out. Who may unlock an output is decided by
the confirming milestone's time (TIP-18), which is later than the newest milestone that is known. What has begun by
then (an unlocked timelock, an expiration) stays; what is about to end may end on the way. So an output that will
soon expire to somebody else is left alone `EXPIRY_MARGIN_S` before.

An alias that is controlled unlocks what its address owns, and so does a held NFT; so ownership is followed from
the own keys outwards until nothing new is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from tangle.client.wallet.selection import Coin
from tangle.protocol.addresses import Address
from tangle.protocol.outputs import (
    AliasOutput,
    BasicOutput,
    ExpirationUnlockCondition,
    FoundryOutput,
    NftOutput,
    Output,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
)

EXPIRY_MARGIN_S = 30
"""seconds before an expiration from which on an output is not spent any more: some milestones of 10 s"""


class HoldingState(Enum):
    """What an output is to the owner of the keys."""

    AVAILABLE = "available"
    """theirs, now and later, without anything owed"""
    CLAIMABLE = "claimable"
    """theirs now: what is owed must go back, or it goes to somebody else later"""
    LOCKED = "locked"
    """theirs, but not before a time"""
    GOVERNED = "governed"
    """an alias that they rule and do not move"""
    RETURNING = "returning"
    """somebody else's for now; theirs after it has expired"""
    FOREIGN = "foreign"
    """somebody else's"""


@dataclass(frozen=True, slots=True)
class Holding:
    """An unspent output as its owner sees it.

    Attributes
    ----------
    unlocker : the address whose unlock a spending needs now; an alias's state controller
    until : with `LOCKED`, `RETURNING` and an expiration ahead: the time that matters, seconds since the epoch
    owed : base units that must go back to `owed_to` when it is spent
    """

    coin: Coin
    state: HoldingState
    unlocker: Address
    until: int | None = None
    owed: int = 0
    owed_to: Address | None = None

    @property
    def output(self) -> Output:
        return self.coin.output

    @property
    def output_id(self) -> bytes:
        """34 bytes."""
        return self.coin.output_id

    @property
    def kept(self) -> int:
        """Base units that stay with the owner."""
        return self.coin.amount - self.owed

    @property
    def spendable(self) -> bool:
        """Whether a transaction may consume it now."""
        return self.state in {HoldingState.AVAILABLE, HoldingState.CLAIMABLE}

    @property
    def conditional(self) -> bool:
        """Whether it is theirs now and under conditions that a claim would take off."""
        return self.spendable and self.output.TYPE in _ADDRESSED and len(self.output.unlock_conditions) > 1

    @property
    def account(self) -> Address | None:
        """The address that spending it unlocks: that of a controlled alias or a held NFT."""
        if isinstance(self.output, AliasOutput) and self.state is not HoldingState.GOVERNED:
            return self.output.alias_address(self.output_id)
        if isinstance(self.output, NftOutput):
            return self.output.nft_address(self.output_id)
        return None

    @property
    def chain_id(self) -> bytes | None:
        """The alias, foundry or NFT id; None for a basic output."""
        return None if isinstance(self.output, BasicOutput) else self.output.chain_id(self.output_id)


_ADDRESSED = frozenset({BasicOutput.TYPE, NftOutput.TYPE})


@dataclass(frozen=True)
class Holdings:
    """Everything that some keys hold, at one time.

    Attributes
    ----------
    items : in the order in which the outputs were listed, without what is somebody else's for good
    own : the addresses of the keys
    at : the milestone time, seconds since the Unix epoch
    """

    items: tuple[Holding, ...]
    own: frozenset[Address]
    at: int
    accounts: Mapping[Address, Holding] = field(default_factory=dict)
    """address of a controlled alias or held NFT -> what carries it"""

    @cached_property
    def by_id(self) -> Mapping[bytes, Holding]:
        """Output id -> holding."""
        return {held.output_id: held for held in self.items}

    @cached_property
    def chains(self) -> Mapping[bytes, Holding]:
        """Alias, foundry or NFT id -> the output that carries its state."""
        return {held.chain_id: held for held in self.items if held.chain_id is not None}

    def of(self, *states: HoldingState) -> Iterator[Holding]:
        """Those in one of `states`."""
        return (held for held in self.items if held.state in states)

    def way_to(self, one: Holding) -> Iterator[Holding]:
        """An output, and the aliases and NFTs that must be touched to unlock it, from the nearest on."""
        yield one
        while one.unlocker in self.accounts:
            one = self.accounts[one.unlocker]
            yield one

    def controls(self, address: Address) -> bool:
        """Whether the keys can unlock `address`."""
        return address in self.own or address in self.accounts


def holdings(
    coins: Iterable[Coin], own: Collection[Address], at: int, *, margin_s: int = EXPIRY_MARGIN_S
) -> Holdings:
    """What `coins` (unspent, each once) are to whoever has the keys of `own`, at the milestone time `at`."""
    listed = list(coins)
    keys = frozenset(own)
    accounts: dict[Address, Holding] = {}
    while True:
        reached = keys | accounts.keys()
        seen = [_seen(coin, reached, at, margin_s) for coin in listed]
        grown = {held.account: held for held in seen if held.spendable and held.account is not None}
        if grown.keys() == accounts.keys():
            break
        accounts = grown
    return Holdings(tuple(held for held in seen if held.state is not HoldingState.FOREIGN), keys, at, accounts)


def _seen(coin: Coin, reached: Collection[Address], at: int, margin_s: int) -> Holding:
    output = coin.output
    if isinstance(output, AliasOutput):
        if output.state_controller in reached:
            return Holding(coin, HoldingState.AVAILABLE, output.state_controller)
        state = HoldingState.GOVERNED if output.governor in reached else HoldingState.FOREIGN
        return Holding(coin, state, output.governor)
    if isinstance(output, FoundryOutput):
        state = HoldingState.AVAILABLE if output.alias_address in reached else HoldingState.FOREIGN
        return Holding(coin, state, output.alias_address)
    return _addressed(coin, output, reached, at, margin_s)


def _addressed(
    coin: Coin, output: BasicOutput | NftOutput, reached: Collection[Address], at: int, margin_s: int
) -> Holding:
    """A basic output or NFT, whose owner may change with time."""
    expiration = output.condition(ExpirationUnlockCondition)
    timelock = output.condition(TimelockUnlockCondition)
    locked_until = timelock.unix_time if timelock and timelock.unix_time > at else None
    if expiration and expiration.unix_time <= at:
        # Expired for good: nothing is owed any more.
        return _owned(coin, HoldingState.AVAILABLE, expiration.return_address, reached, locked_until)
    # A lock that ends after the expiration, or just before it, leaves its receiver no time to spend.
    earliest = (at if locked_until is None else locked_until) + margin_s
    if expiration and (earliest >= expiration.unix_time or output.address not in reached):
        return _owned(
            coin,
            HoldingState.RETURNING,
            expiration.return_address,
            reached,
            expiration.unix_time,
            HoldingState.RETURNING,
        )
    owed = output.condition(StorageDepositReturnUnlockCondition)
    state = HoldingState.CLAIMABLE if expiration or owed else HoldingState.AVAILABLE
    held = _owned(coin, state, output.address, reached, locked_until)
    if owed:
        held = replace(held, owed=owed.amount, owed_to=owed.return_address)
    return replace(held, until=expiration.unix_time) if expiration and held.until is None else held


def _owned(
    coin: Coin,
    state: HoldingState,
    owner: Address,
    reached: Collection[Address],
    until: int | None,
    state_until: HoldingState = HoldingState.LOCKED,
) -> Holding:
    """`coin` as `owner`'s: in `state`, or before `until` in `state_until`."""
    if owner not in reached:
        return Holding(coin, HoldingState.FOREIGN, owner)
    return Holding(coin, state if until is None else state_until, owner, until)
