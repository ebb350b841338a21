"""What can be done with tokens, aliases and NFTs, each a function that makes an `Intent` (TIP-18, 27, 30).

A token comes from a foundry, a foundry belongs to an alias, and the alias belongs to the wallet. Each step of a
foundry is a step of its alias, which `tangle.client.wallet.draft` carries on.

Pure: what a wallet sees comes in, what its next transaction is for comes out. Sending coins needs no function of
its own: it is an intent with one output of `tangle.client.wallet.outputs`.
"""

from __future__ import annotations

from typing import Any, cast

from tangle.client.errors import NotControlled, SupplyExceeded, UnknownChain, UnknownToken
from tangle.client.wallet import outputs as build
from tangle.client.wallet.draft import Intent
from tangle.client.wallet.holdings import Holding, HoldingState
from tangle.client.wallet.look import Look
from tangle.protocol.addresses import Address
from tangle.protocol.errors import AmountOutOfRange
from tangle.protocol.outputs import AliasOutput, FoundryOutput, NftOutput, SimpleTokenScheme


def create_token(look: Look, alias_id: bytes, maximum: int, initial: int, metadata: bytes | None) -> Intent:
    """A foundry of the alias with a maximum supply, and `initial` tokens. Raises UnknownChain."""
    carrier = cast("AliasOutput", look.chain("alias", alias_id).output)
    made = build.foundry(
        look.parameters,
        alias_id,
        carrier.foundry_counter + 1,
        SimpleTokenScheme(initial, 0, maximum),
        immutable_metadata=metadata,
    )
    return Intent([made])


def mint(look: Look, token_id: bytes, amount: int) -> Intent:
    """`amount` more of a token.

    Raises
    ------
    UnknownToken : no foundry of this wallet mints it
    SupplyExceeded : its maximum supply leaves less room
    """
    check_amount(amount)
    foundry = _foundry(look, token_id)
    scheme = foundry.token_scheme
    room = scheme.maximum_supply - (scheme.minted - scheme.melted)
    if amount > room:
        raise SupplyExceeded(token_id, amount, room)
    return Intent([build.next_foundry(look.parameters, foundry, minted=amount)])


def melt(look: Look, token_id: bytes, amount: int) -> Intent:
    """`amount` of a token given back to its foundry. Raises UnknownToken."""
    check_amount(amount)
    return Intent([build.next_foundry(look.parameters, _foundry(look, token_id), melted=amount)])


def destroy_foundry(look: Look, token_id: bytes) -> Intent:
    """The end of a foundry and of all its tokens. Raises UnknownToken."""
    _foundry(look, token_id)
    return Intent(ends=[token_id])


def destroy_alias(look: Look, alias_id: bytes) -> Intent:
    """The end of an alias.

    Raises
    ------
    UnknownChain, NotControlled : this wallet does not govern it
    """
    governor = cast("AliasOutput", look.chain("alias", alias_id).output).governor
    if not look.held.controls(governor):
        raise NotControlled(governor.encode(), "governor")
    return Intent(ends=[alias_id])


def send_nft(look: Look, nft_id: bytes, to: Address, metadata: bytes | None, conditions: dict[str, Any]) -> Intent:
    """An NFT with its storage deposit for `to`, under `conditions` as `outputs.nft` takes them.

    `metadata` takes the place of its mutable metadata; None keeps them. Raises UnknownChain.
    """
    one = look.chain("NFT", nft_id)
    current = cast("NftOutput", one.output)
    said = current.metadata if metadata is None else metadata
    like = build.nft(look.parameters, to, metadata=said, **conditions)
    following = build.next_nft(
        look.parameters,
        current,
        one.output_id,
        to,
        amount=max(one.kept, 1),
        unlock_conditions=like.unlock_conditions,
        features=like.features,
    )
    return Intent([following])


def burn_nft(look: Look, nft_id: bytes) -> Intent:
    """The end of an NFT. Raises UnknownChain."""
    look.chain("NFT", nft_id)
    return Intent(ends=[nft_id])


def free_alias(look: Look) -> bytes | None:
    """Id of the controlled alias with the lowest id that no pending transaction moves."""
    return min((one.chain_id for one in _aliases(look) if one.chain_id and look.is_free(one)), default=None)


def issuing_alias(look: Look) -> Address | None:
    """Address of the controlled alias with the lowest id. Raises UnknownChain where there is none."""
    homes = [one for one in _aliases(look) if one.account is not None]
    if not homes:
        raise UnknownChain("alias", b"")
    return min(homes, key=lambda one: one.chain_id or b"").account


def check_amount(amount: int, field: str = "amount") -> None:
    """Raise AmountOutOfRange unless there is at least 1 token."""
    if amount < 1:
        raise AmountOutOfRange(field, f"must be at least 1 token, not {amount}")


def _aliases(look: Look) -> list[Holding]:
    return [one for one in look.held.of(HoldingState.AVAILABLE) if isinstance(one.output, AliasOutput)]


def _foundry(look: Look, token_id: bytes) -> FoundryOutput:
    found = look.held.chains.get(token_id)
    if found is None or not isinstance(found.output, FoundryOutput):
        raise UnknownToken(token_id)
    return found.output
