"""Native tokens: how many of which an output holds, and what a foundry says about their supply (TIP-18)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from tangle.protocol.codec import Wire
from tangle.protocol.errors import AmountOutOfRange, NotSorted, Repeated
from tangle.protocol.fields import Fixed, UInt
from tangle.protocol.tables import TypeTable

TOKEN_ID_BYTES = 38
"""bytes of a token id, which is its foundry's id: alias address, uint32 serial number, token scheme type"""


@dataclass(frozen=True, slots=True)
class NativeToken(Wire):
    """`amount` (1 to 2^256 - 1) of the tokens that the foundry `token_id` (38 bytes) mints."""

    token_id: Annotated[bytes, Fixed(TOKEN_ID_BYTES, "id", about="that of the foundry, too")]
    amount: Annotated[int, UInt(32, least=1, error=AmountOutOfRange, unit=" tokens")]


@dataclass(frozen=True, slots=True)
class SimpleTokenScheme(Wire):
    """Tokens minted and melted so far, and how many may circulate at most: each 0 to 2^256 - 1."""

    TYPE: ClassVar[int] = 0
    minted: Annotated[int, UInt(32, "mintedTokens", error=AmountOutOfRange, unit=" tokens")]
    melted: Annotated[int, UInt(32, "meltedTokens", error=AmountOutOfRange, unit=" tokens")]
    maximum_supply: Annotated[int, UInt(32, least=1, error=AmountOutOfRange, unit=" tokens")]

    def rules(self) -> None:
        """Raise AmountOutOfRange where more was melted than minted, or more circulates than may."""
        if self.melted > self.minted:
            rule = f"must not exceed the {self.minted} minted tokens, and is {self.melted}"
            raise AmountOutOfRange("meltedTokens", rule)
        if self.circulating > self.maximum_supply:
            rule = f"must not exceed the melted ones by more than {self.maximum_supply}, the maximum supply"
            raise AmountOutOfRange("mintedTokens", rule)

    @property
    def circulating(self) -> int:
        """Tokens minted and not melted; burned ones still count."""
        return self.minted - self.melted


TokenScheme = SimpleTokenScheme
TOKEN_SCHEMES: TypeTable[TokenScheme] = TypeTable("token scheme", 1, [SimpleTokenScheme])


def check_tokens(name: str, tokens: Sequence[NativeToken]) -> None:
    """Raise unless `tokens` are sorted by id, and no id occurs twice."""
    for i in range(1, len(tokens)):
        if tokens[i - 1].token_id == tokens[i].token_id:
            raise Repeated(f"{name}[{i}]", "holds the tokens of the one before it")
        if tokens[i - 1].token_id > tokens[i].token_id:
            raise NotSorted(f"{name}[{i}]", "must be in ascending order of id")
