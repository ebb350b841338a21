"""A transaction in the making: what it must consume and carry on, and who unlocks what (TIP-18, TIP-20).

Wanted outputs pull inputs in: the current state of a chain that they carry on, the alias of a new foundry, the
alias or NFT that they name as sender or issuer. An input of an alias or NFT address pulls in that alias or NFT. A
chain that is pulled in without a wanted next state is carried on as it is, so nothing ends by accident.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tangle.client.errors import LockedUntil, NotControlled, UnknownInput, WalletRefused
from tangle.client.wallet.holdings import Holding, Holdings, HoldingState
from tangle.client.wallet.outputs import next_alias, next_foundry, next_nft
from tangle.client.wallet.selection import Coin
from tangle.protocol.addresses import Address
from tangle.protocol.outputs import (
    AliasOutput,
    BasicOutput,
    ChainOutput,
    FoundryOutput,
    NativeToken,
    NftOutput,
    Output,
)
from tangle.protocol.parameters import NATIVE_TOKENS_MAX, ProtocolParameters


@dataclass(frozen=True)
class Intent:
    """What a transaction is for.

    Attributes
    ----------
    outputs : wanted, in this order, before all others
    inputs : ids of outputs that must be consumed, in this order
    ends : ids of aliases, foundries and NFTs that must end
    burned : token id -> amount that must vanish
    """

    outputs: Sequence[Output] = ()
    inputs: Sequence[bytes] = ()
    ends: Collection[bytes] = ()
    burned: Mapping[bytes, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Unlocked:
    """An input: the coin, the address whose unlock it needs, and the address that its unlock opens to others."""

    coin: Coin
    unlocker: Address
    account: Address | None = None


@dataclass(frozen=True)
class Draft:
    """A transaction without its signatures: inputs, each after what unlocks it, and outputs."""

    inputs: tuple[Unlocked, ...]
    outputs: tuple[Output, ...]


def in_unlock_order(inputs: Sequence[Unlocked]) -> list[Unlocked]:
    """`inputs`, each moved back as little as needed to stand after the one that opens its address.

    What no input opens is a key's to unlock.
    """
    openers = {one.account for one in inputs if one.account is not None}
    ordered: list[Unlocked] = []
    waiting = list(inputs)
    while waiting:
        opened = {one.account for one in ordered}
        ready = next((one for one in waiting if one.unlocker not in openers or one.unlocker in opened), waiting[0])
        waiting.remove(ready)
        ordered.append(ready)
    return ordered


class Drafting:
    """A transaction in the making."""

    def __init__(self, held: Holdings, intent: Intent, parameters: ProtocolParameters) -> None:
        self.held = held
        self.intent = intent
        self.parameters = parameters
        self.inputs: dict[bytes, Holding] = {}
        self.outputs: list[Output] = list(intent.outputs)
        self.carried: dict[bytes, Output] = {
            output.explicit_id: output
            for output in intent.outputs
            if isinstance(output, ChainOutput) and output.explicit_id
        }

    # What must be there

    def pull_in(self) -> None:
        """Take the inputs that the intent names, and those without which its outputs or ends cannot be."""
        for output_id in self.intent.inputs:
            if output_id not in self.held.by_id:
                raise UnknownInput(output_id, "it is not among the unspent outputs of this wallet")
            self.take(self.held.by_id[output_id])
        for chain_id in (*self.carried, *self.intent.ends):
            if chain_id in self.held.chains:
                self.take(self.held.chains[chain_id])
        self._check_burned()
        for i, output in enumerate(self.intent.outputs):
            if isinstance(output, FoundryOutput) and output.foundry_id not in self.held.chains:
                self.open(output.alias_address, f"outputs[{i}].unlockConditions[0].address")
            for address in (output.sender, new_issuer(output)):
                if address is not None and address not in self.held.own:
                    self.open(address, f"outputs[{i}].sender")

    def _check_burned(self) -> None:
        """What a foundry mints, or melts at its end, is counted exactly; tokens that vanish beside it are not."""
        for token_id in self.intent.burned:
            current, following = self.held.chains.get(token_id), self.carried.get(token_id)
            minted = (
                isinstance(following, FoundryOutput)
                and current is not None
                and isinstance(current.output, FoundryOutput)
                and following.token_scheme.minted > current.output.token_scheme.minted
            )
            if minted or token_id in self.intent.ends:
                raise WalletRefused(f"token 0x{token_id.hex()} cannot be burned while its foundry mints or ends")

    def take(self, one: Holding) -> None:
        """Consume an output and whatever unlocks it; carry on its chain."""
        if one.output_id in self.inputs:
            return
        self.inputs[one.output_id] = one
        if one.chain_id is not None and one.chain_id not in self.carried and one.chain_id not in self.intent.ends:
            following = self._carry_on(one)
            self.carried[one.chain_id] = following
            self.outputs.append(following)
        if one.state in {HoldingState.LOCKED, HoldingState.RETURNING}:
            raise LockedUntil(one.output_id, one.until or 0)
        unlocker = self.unlocker(one)
        if unlocker not in self.held.own:
            self.open(unlocker, f"input 0x{one.output_id.hex()}")

    def open(self, address: Address, asked_by: str) -> None:
        """Consume what opens an address that is no key's."""
        if address in self.held.own:
            return
        if address not in self.held.accounts:
            raise NotControlled(address.encode(), asked_by)
        opener = self.held.accounts[address]
        self.take(opener)
        if isinstance(opener.output, AliasOutput) and not self._moves(opener):
            reason = "its alias makes no state transition here, so it stays locked"
            raise NotControlled(address.encode(), asked_by, reason)

    def unlocker(self, one: Holding) -> Address:
        """The address whose unlock an input needs in this transaction."""
        if isinstance(one.output, AliasOutput):
            return one.output.state_controller if self._moves(one) else one.output.governor
        return one.unlocker

    def unlocked(self) -> list[Unlocked]:
        """The inputs as they are unlocked here."""
        return [
            Unlocked(one.coin, self.unlocker(one), one.account if self._opens(one) else None)
            for one in self.inputs.values()
        ]

    def _opens(self, one: Holding) -> bool:
        return not isinstance(one.output, AliasOutput) or self._moves(one)

    def _moves(self, one: Holding) -> bool:
        """Whether an alias makes a state transition."""
        following = self.carried.get(one.chain_id or b"")
        return (
            isinstance(following, AliasOutput)
            and isinstance(one.output, AliasOutput)
            and following.state_index != one.output.state_index
        )

    def _carry_on(self, one: Holding) -> Output:
        output = one.output
        if isinstance(output, AliasOutput):
            home = output.alias_address(one.output_id)
            new = [
                made
                for made in self.intent.outputs
                if isinstance(made, FoundryOutput)
                and made.alias_address == home
                and made.foundry_id not in self.held.chains
            ]
            counter = output.foundry_counter + len(new)
            return next_alias(self.parameters, output, one.output_id, foundry_counter=counter)
        if isinstance(output, FoundryOutput):
            return next_foundry(self.parameters, output)
        assert isinstance(output, NftOutput)
        return next_nft(self.parameters, output, one.output_id, one.unlocker, amount=max(one.kept, 1))

    # What it adds up to

    def missing(self) -> int:
        """Base units that the outputs hold beyond the inputs."""
        made = sum(output.amount for output in (*self.outputs, *self.returns()))
        return made - sum(one.coin.amount for one in self.inputs.values())

    def returns(self) -> list[Output]:
        """What is owed, one plain output per address."""
        owed: dict[Address, int] = {}
        for one in self.inputs.values():
            if one.owed and one.owed_to is not None:
                owed[one.owed_to] = owed.get(one.owed_to, 0) + one.owed
        return [BasicOutput.to(address, amount) for address, amount in owed.items()]

    def tokens_left(self) -> dict[bytes, int]:
        """Token id -> amount that neither goes out nor vanishes; below 0 it is missing. Without zeros."""
        left = {token_id: -amount for token_id, amount in self.intent.burned.items()}
        for sign, outputs in ((1, [one.output for one in self.inputs.values()]), (-1, self.outputs)):
            for output in outputs:
                for token in output.native_tokens:
                    left[token.token_id] = left.get(token.token_id, 0) + sign * token.amount
                if isinstance(output, FoundryOutput):
                    circulating = output.token_scheme.minted - output.token_scheme.melted
                    left[output.foundry_id] = left.get(output.foundry_id, 0) - sign * circulating
        return {token_id: amount for token_id, amount in left.items() if amount}

    def tokens_touched(self) -> set[bytes]:
        """Ids of all native tokens on either side, once everything that remains has an output."""
        outputs = (*(one.output for one in self.inputs.values()), *self.outputs)
        touched = {token.token_id for output in outputs for token in output.native_tokens}
        return touched | {token_id for token_id, amount in self.tokens_left().items() if amount > 0}

    def with_room(self, pool: Iterable[Holding]) -> list[Holding]:
        """Those of `pool` that add no more tokens than a transaction may touch."""
        touched = self.tokens_touched()
        return [one for one in pool if len(touched | _ids(one.output.native_tokens)) <= NATIVE_TOKENS_MAX]


def new_issuer(output: Output) -> Address | None:
    """The issuer that a chain which begins here must prove."""
    if isinstance(output, ChainOutput) and not output.explicit_id:
        return output.issuer
    return None


def _ids(tokens: Iterable[NativeToken]) -> set[bytes]:
    return {token.token_id for token in tokens}
