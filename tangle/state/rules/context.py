"""What the rules look at: one transaction, what it consumes, and the time of the milestone that confirms it.

A context is made once per transaction. Everything in it is fixed but `unlocked`, which the unlocks fill from
the first input to the last (`tangle.state.rules.unlocks`); the rules that come after them ask it who is
proven to be there.

Where the rules of locks are not switched on, or a transaction shows no lock, there are no entries, and what asks
for them asks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tangle.protocol.addresses import Address
from tangle.protocol.locks import Entry
from tangle.protocol.outputs import AliasOutput, NftOutput, Output
from tangle.protocol.transactions import Transaction
from tangle.state.rules.reasons import Rule

Held = TypeVar("Held", bound=Output)


@dataclass(frozen=True, slots=True)
class Consumed(Generic[Held]):
    """An output that an input consumes, its id (34 bytes), and when a milestone made it (seconds)."""

    output_id: bytes
    output: Held
    created_at: int


@dataclass(frozen=True, slots=True)
class NftDue:
    """An NFT that a lock sends to an address, with at least so many coins and just these tokens.

    Attributes
    ----------
    position : of the input whose lock asks for it
    tokens : token id (38 bytes) -> amount
    """

    position: int
    address: Address
    nft_id: bytes
    coins: int
    tokens: Mapping[bytes, int]


@dataclass(slots=True)
class Dues:
    """What the locks of a transaction ask for together.

    Attributes
    ----------
    coins : address -> base units
    tokens : address and token id (38 bytes) -> amount
    """

    coins: dict[Address, int] = field(default_factory=dict)
    tokens: dict[tuple[Address, bytes], int] = field(default_factory=dict)
    nfts: list[NftDue] = field(default_factory=list)


@dataclass(slots=True)
class Context:
    """The semantic transaction context of TIP-18.

    Attributes
    ----------
    consumed : in order of the inputs
    at : timestamp of the confirming milestone, seconds since the Unix epoch; never a clock's
    current, next : chain id -> the consumed and the created output that carry this chain's state
    repeated : chain ids that occur twice on one side
    tokens_in, tokens_out : token id (38 bytes) -> sum of its amounts on this side
    unlocked : address that is unlocked -> position of the input that did so
    entries : position of an input -> its lock, and what is shown for it
    signers : addresses of the keys that signed, wherever they did; filled for these locks
    dues : of all these locks
    dealt : addresses of NFTs that a deal moves, which unlock nothing here
    owned : position of a voting input -> tokens that may vote and since when (seconds); asked once
    made : digests of aliases that are made here; None until a lock asks
    """

    transaction: Transaction
    consumed: Sequence[Consumed[Output]]
    at: int
    current: dict[bytes, Output] = field(default_factory=dict)
    next: dict[bytes, Output] = field(default_factory=dict)
    repeated: set[bytes] = field(default_factory=set)
    tokens_in: dict[bytes, int] = field(default_factory=dict)
    tokens_out: dict[bytes, int] = field(default_factory=dict)
    unlocked: dict[Address, int] = field(default_factory=dict)
    entries: Mapping[int, Entry] = field(default_factory=dict)
    signers: Collection[Address] = ()
    dues: Dues = field(default_factory=Dues)
    dealt: Collection[Address] = ()
    owned: dict[int, Sequence[tuple[int, Mapping[bytes, int]]]] = field(default_factory=dict)
    made: Collection[bytes] | None = None

    @property
    def created(self) -> Sequence[Output]:
        """The outputs of the transaction."""
        return self.transaction.essence.outputs

    def token_diff(self, token_id: bytes) -> int:
        """Tokens on the output side less those on the input side: above 0 minted, below 0 melted or burned."""
        return self.tokens_out.get(token_id, 0) - self.tokens_in.get(token_id, 0)


@dataclass(frozen=True, slots=True)
class OutputRules(Generic[Held]):
    """The semantic rules of one output type: a row of `OUTPUT_RULES`.

    Attributes
    ----------
    name : the TIP's name of the type
    owner : the address whose unlock the input needs, here and now
    account : the address that consuming the output unlocks, if it does
    chain_id : the chain whose state an output with this id carries; none for a type without chain constraint
    creation, destruction : rules for the first state of a chain and for its end
    transitions : kind of transition -> rules for the current and the next state
    kind : names the kind of a transition
    """

    name: str
    owner: Callable[[Context, Consumed[Held]], Address]
    account: Callable[[Context, Consumed[Held]], Address | None] | None = None
    chain_id: Callable[[Held, bytes], bytes] | None = None
    creation: tuple[Rule[[Context, Held]], ...] = ()
    transitions: Mapping[str, tuple[Rule[[Context, Held, Held]], ...]] = field(default_factory=dict)
    kind: Callable[[Held, Held], str] = lambda _, __: "transition"
    destruction: tuple[Rule[[Context, Held]], ...] = ()


def issuer_unlocked(ctx: Context, created: AliasOutput | NftOutput) -> bool:
    """Whether the address of the immutable issuer feature is unlocked, if there is one."""
    return created.issuer is None or created.issuer in ctx.unlocked


def sum_tokens(outputs: Iterable[Output]) -> dict[bytes, int]:
    """Token id -> sum of its amounts in `outputs`."""
    sums: dict[bytes, int] = {}
    for output in outputs:
        for token in output.native_tokens:
            sums[token.token_id] = sums.get(token.token_id, 0) + token.amount
    return sums
