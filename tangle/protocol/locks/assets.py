"""What a condition of a lock asks to be paid in: base coins, a native token, an NFT, or everything there is."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tangle.protocol.codec import Wire
from tangle.protocol.fields import HASH, Fixed
from tangle.protocol.outputs.tokens import TOKEN_ID_BYTES
from tangle.protocol.tables import TypeTable


@dataclass(frozen=True, slots=True)
class BaseCoins(Wire):
    """Base coins."""

    TYPE: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class TokenAsset(Wire):
    """The native token of an id (38 bytes)."""

    TYPE: ClassVar[int] = 1
    token_id: Annotated[bytes, Fixed(TOKEN_ID_BYTES, "id")]


@dataclass(frozen=True, slots=True)
class NftAsset(Wire):
    """The NFT of an id (32 bytes), as it is: with its tokens, its features but for the sender, and its coins."""

    TYPE: ClassVar[int] = 2
    nft_id: Annotated[bytes, HASH]


@dataclass(frozen=True, slots=True)
class Everything(Wire):
    """All that the input holds: coins, each native token, the NFT."""

    TYPE: ClassVar[int] = 3


CurrencyAsset = BaseCoins | TokenAsset
CURRENCIES: TypeTable[CurrencyAsset] = TypeTable("currency", 1, [BaseCoins, TokenAsset])
"""what can be counted"""
Asset = BaseCoins | TokenAsset | NftAsset | Everything
ASSETS: TypeTable[Asset] = TypeTable("asset", 1, [BaseCoins, TokenAsset, NftAsset, Everything])
