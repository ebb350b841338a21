"""From what somebody wants to a whole transaction: all inputs it takes, all outputs it makes (TIP-18, TIP-20).

Wanted outputs pull inputs in: the current state of a chain that they carry on, the alias of a new foundry, an
input of the address they name as sender or issuer; an input of an alias or NFT address pulls in that alias or NFT.
A chain that is pulled in without a wanted next state is carried on as it is, so nothing ends by accident. Then
native tokens and base coins are made up from basic outputs, what is owed goes back, and one output takes all that
remains.

Pure and deterministic: the same holdings and intent always give the same draft.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from client.errors import (
    FundsTooScattered,
    InsufficientFunds,
    LockedUntil,
    NotControlled,
    NotEnoughTokens,
    TooManyTokens,
    UnknownInput,
    WalletError,
)
from client.holdings import Holding, Holdings, State
from client.outputs import native_tokens, next_alias, next_foundry, next_nft
from client.selection import Coin, fits, select
from tangle.protocol.addresses import Address
from tangle.protocol.outputs import (
    AliasOutput,
    BasicOutput,
    ChainOutput,
    FoundryOutput,
    NativeToken,
    NftOutput,
    Output,
    storage_deposit,
)
from tangle.protocol.parameters import INPUTS_MAX, NATIVE_TOKENS_MAX, ProtocolParameters


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


def compose(
    held: Holdings,
    intent: Intent,
    free: Callable[[Holding], bool],
    remainder_to: Address,
    parameters: ProtocolParameters,
) -> Draft:
    """The transaction that does what `intent` says and nothing else.

    Parameters
    ----------
    free : whether a basic output may be chosen to make up for what is missing

    Raises
    ------
    InsufficientFunds, RemainderTooSmall, FundsTooScattered, NotEnoughTokens : there is too little
    TooManyTokens : more different ones than a transaction may touch
    UnknownInput, LockedUntil, NotControlled : what is asked for cannot be unlocked
    ProtocolError : an output that follows breaks a rule
    """
    draft = _Draft(held, intent, parameters)
    draft.pull_in()
    pool = [
        one
        for one in held.of(State.AVAILABLE)
        if isinstance(one.output, BasicOutput) and one.output_id not in draft.inputs and free(one)
    ]
    draft.add_senders(pool)
    draft.add_tokens(pool)
    draft.add_coins(pool, remainder_to)
    return Draft(tuple(in_unlock_order(draft.unlocked())), (*draft.outputs, *draft.returns(), *draft.remainder))


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


class _Draft:
    """A transaction in the making."""

    def __init__(self, held: Holdings, intent: Intent, parameters: ProtocolParameters) -> None:
        self.held = held
        self.intent = intent
        self.parameters = parameters
        self.inputs: dict[bytes, Holding] = {}
        self.outputs: list[Output] = list(intent.outputs)
        self.remainder: list[Output] = []
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
            for address in (output.sender, _new_issuer(output)):
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
                raise WalletError(f"token 0x{token_id.hex()} cannot be burned while its foundry mints or ends")

    def take(self, one: Holding) -> None:
        """Consume an output and whatever unlocks it; carry on its chain."""
        if one.output_id in self.inputs:
            return
        self.inputs[one.output_id] = one
        if one.chain_id is not None and one.chain_id not in self.carried and one.chain_id not in self.intent.ends:
            following = self._carry_on(one)
            self.carried[one.chain_id] = following
            self.outputs.append(following)
        if one.state in {State.LOCKED, State.RETURNING}:
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

    # What is missing

    def add_senders(self, pool: list[Holding]) -> None:
        """Take an input of every own address that an output names as sender or issuer."""
        for i, output in enumerate(self.outputs):
            for address in (output.sender, _new_issuer(output)):
                if address is None or address not in self.held.own:
                    continue
                if any(self.unlocker(one) == address for one in self.inputs.values()):
                    continue
                there = [one for one in pool if one.unlocker == address]
                if not there:
                    reason = "it holds no output whose spending would prove it"
                    raise NotControlled(address.encode(), f"outputs[{i}].sender", reason)
                self._take_from(
                    pool, min(there, key=lambda one: (len(one.output.native_tokens), -one.coin.amount))
                )

    def add_tokens(self, pool: list[Holding]) -> None:
        """Take the outputs that hold most of what is missing of each token."""
        for token_id in sorted(self.tokens_left()):
            while (missing := -self.tokens_left().get(token_id, 0)) > 0:
                there = [one for one in pool if _amount_of(token_id, one) and self._has_room(one)]
                if not there or len(self.inputs) >= INPUTS_MAX:
                    raise self._tokens_error(token_id, missing, bool(there))
                enough = [one for one in there if _amount_of(token_id, one) >= missing]
                best = min(enough, key=lambda one: (_amount_of(token_id, one), one.output_id), default=None)
                most = min(there, key=lambda one: (-_amount_of(token_id, one), one.output_id))
                self._take_from(pool, best or most)
        count = len(self._tokens_touched(()))
        if count > NATIVE_TOKENS_MAX:
            raise TooManyTokens(count, NATIVE_TOKENS_MAX)

    def add_coins(self, pool: list[Holding], remainder_to: Address) -> None:
        """Take outputs until the base coins suffice, and put what remains into one output.

        Plain outputs are chosen among as `select` does; where they do not suffice, others (with tokens, or owned
        by an alias or NFT) are added one by one, the largest first.
        """
        available = sum(one.coin.amount for one in (*self.inputs.values(), *pool))
        while True:
            try:
                self._add_plain(pool, remainder_to)
                break
            except WalletError as error:
                laden = [one for one in pool if not self._is_plain(one) and self._has_room(one)]
                if not laden or len(self.inputs) >= INPUTS_MAX:
                    raise self._coins_error(error, available, remainder_to) from None
            self._take_from(pool, min(laden, key=lambda one: (-one.coin.amount, one.output_id)))
        rest = -self.missing()
        if rest:
            self.remainder = [self._rest(remainder_to, rest)]

    def _coins_error(self, error: WalletError, available: int, remainder_to: Address) -> WalletError:
        """What `error`, which counts what is still missing, means for the transaction as a whole."""
        needed = sum(output.amount for output in (*self.outputs, *self.returns()))
        needed += self._least(remainder_to) if self.tokens_left() else 0
        if available < needed:
            return InsufficientFunds(needed, available)
        if isinstance(error, InsufficientFunds):
            return FundsTooScattered(needed, needed - error.needed + error.available, INPUTS_MAX)
        return error

    def _is_plain(self, one: Holding) -> bool:
        """Whether consuming it adds base coins and nothing to carry on."""
        return not one.output.native_tokens and one.unlocker in self.held.own

    def _add_plain(self, pool: list[Holding], remainder_to: Address) -> None:
        needed, least = self.missing(), self._least(remainder_to)
        if self.tokens_left():
            # Tokens remain, so an output must, and "nothing" is no possible remainder.
            needed, least = needed + least, 0
        if self.inputs and fits(0, needed, least):
            return
        plain = {one.output_id: one for one in pool if self._is_plain(one)}
        room = INPUTS_MAX - len(self.inputs)
        if room <= 0:
            raise FundsTooScattered(needed, 0, INPUTS_MAX)
        for coin in select([one.coin for one in plain.values()], needed, least, inputs_max=room):
            self._take_from(pool, plain[coin.output_id])

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

    def _least(self, remainder_to: Address) -> int:
        return storage_deposit(self._rest(remainder_to, 1), self.parameters)

    def _rest(self, address: Address, amount: int) -> BasicOutput:
        left = {token_id: held for token_id, held in self.tokens_left().items() if held > 0}
        plain = BasicOutput.to(address, amount)
        return BasicOutput(amount, plain.unlock_conditions, (), native_tokens(left))

    def _take_from(self, pool: list[Holding], one: Holding) -> None:
        pool.remove(one)
        self.take(one)
        # Taking one may pull in the alias or NFT that unlocks it, never another basic output.

    def _has_room(self, one: Holding) -> bool:
        return len(self._tokens_touched(one.output.native_tokens)) <= NATIVE_TOKENS_MAX

    def _tokens_touched(self, more: Iterable[NativeToken]) -> set[bytes]:
        outputs = (*(one.output for one in self.inputs.values()), *self.outputs)
        touched = {token.token_id for output in outputs for token in output.native_tokens}
        remaining = {token_id for token_id, amount in self.tokens_left().items() if amount > 0}
        return touched | remaining | {token.token_id for token in more}

    def _tokens_error(self, token_id: bytes, missing: int, is_there: bool) -> WalletError:
        here = sum(_amount_of(token_id, one) for one in self.inputs.values())
        elsewhere = sum(
            _amount_of(token_id, one) for one in self.held.of(State.AVAILABLE) if one.output_id not in self.inputs
        )
        if is_there or elsewhere >= missing:
            return FundsTooScattered(here + missing, here, INPUTS_MAX, f"of token 0x{token_id.hex()}")
        return NotEnoughTokens(token_id, here + missing, here + elsewhere)


def _amount_of(token_id: bytes, one: Holding) -> int:
    return next((token.amount for token in one.output.native_tokens if token.token_id == token_id), 0)


def _new_issuer(output: Output) -> Address | None:
    """The issuer that a chain which begins here must prove."""
    if isinstance(output, ChainOutput) and not output.explicit_id:
        return output.issuer
    return None
