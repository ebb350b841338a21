"""Native tokens: how many of which an output holds, and what a foundry says about their supply (TIP-18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tangle.protocol.errors import AmountOutOfRange, LengthOutOfRange, NotSorted, Repeated
from tangle.protocol.parameters import NATIVE_TOKENS_MAX
from tangle.protocol.serial import U256_MAX, Fields, Json, Reader, TypeTable, check_count, numbered, to_hex, uint

TOKEN_ID_BYTES = 38
"""bytes of a token id, which is its foundry's id: alias address, uint32 serial number, token scheme type"""


@dataclass(frozen=True, slots=True)
class NativeToken:
    """`amount` (1 to 2^256 - 1) of the tokens that the foundry `token_id` (38 bytes) mints."""

    token_id: bytes
    amount: int

    def __post_init__(self) -> None:
        if len(self.token_id) != TOKEN_ID_BYTES:
            raise LengthOutOfRange("id", f"must be {TOKEN_ID_BYTES} bytes, not {len(self.token_id)}")
        if not 0 < self.amount <= U256_MAX:
            raise AmountOutOfRange("amount", f"must be 1 to 2^256 - 1 tokens, not {self.amount}")

    def encode(self) -> bytes:
        """70 bytes."""
        return self.token_id + uint(self.amount, 32)

    @classmethod
    def decode(cls, reader: Reader) -> NativeToken:
        """Read 70 bytes."""
        return cls(reader.take(TOKEN_ID_BYTES, "id"), reader.uint(32, "amount"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {"id": to_hex(self.token_id), "amount": hex(self.amount)}

    @classmethod
    def from_json(cls, fields: Fields) -> NativeToken:
        """Read the JSON form."""
        return cls(fields.data("id", size=TOKEN_ID_BYTES), fields.u256("amount"))


@dataclass(frozen=True, slots=True)
class SimpleTokenScheme:
    """Tokens minted and melted so far, and how many may circulate at most: each 0 to 2^256 - 1."""

    TYPE: ClassVar[int] = 0
    minted: int
    melted: int
    maximum_supply: int

    def __post_init__(self) -> None:
        if not 0 < self.maximum_supply <= U256_MAX:
            raise AmountOutOfRange("maximumSupply", f"must be 1 to 2^256 - 1 tokens, not {self.maximum_supply}")
        if not 0 <= self.minted <= U256_MAX:
            raise AmountOutOfRange("mintedTokens", f"must be 0 to 2^256 - 1 tokens, not {self.minted}")
        if not 0 <= self.melted <= self.minted:
            rule = f"must not exceed the {self.minted} minted tokens, and is {self.melted}"
            raise AmountOutOfRange("meltedTokens", rule)
        if self.circulating > self.maximum_supply:
            rule = f"must not exceed the melted ones by more than {self.maximum_supply}, the maximum supply"
            raise AmountOutOfRange("mintedTokens", rule)

    @property
    def circulating(self) -> int:
        """Tokens minted and not melted; burned ones still count."""
        return self.minted - self.melted

    def encode(self) -> bytes:
        """97 bytes."""
        return b"\x00" + uint(self.minted, 32) + uint(self.melted, 32) + uint(self.maximum_supply, 32)

    @classmethod
    def decode(cls, reader: Reader) -> SimpleTokenScheme:
        """Read 97 bytes."""
        reader.type(cls.TYPE, 1)
        names = ("mintedTokens", "meltedTokens", "maximumSupply")
        minted, melted, maximum_supply = (reader.uint(32, name) for name in names)
        return cls(minted, melted, maximum_supply)

    def to_json(self) -> Json:
        """The JSON form."""
        return {
            "type": self.TYPE,
            "mintedTokens": hex(self.minted),
            "meltedTokens": hex(self.melted),
            "maximumSupply": hex(self.maximum_supply),
        }

    @classmethod
    def from_json(cls, fields: Fields) -> SimpleTokenScheme:
        """Read the JSON form."""
        return cls(fields.u256("mintedTokens"), fields.u256("meltedTokens"), fields.u256("maximumSupply"))


TokenScheme = SimpleTokenScheme
TOKEN_SCHEMES: TypeTable[TokenScheme] = TypeTable("token scheme", 1, [SimpleTokenScheme])


def decode_tokens(reader: Reader) -> tuple[NativeToken, ...]:
    """Read a count byte and so many native tokens."""
    count = reader.count(1, "nativeTokens", least=0, most=NATIVE_TOKENS_MAX)
    return numbered("nativeTokens", NativeToken.decode, [reader] * count) if count else ()


def check_tokens(tokens: Sequence[NativeToken]) -> None:
    """Raise unless `tokens` are at most 64, sorted by id, and no id occurs twice."""
    check_count(len(tokens), "nativeTokens", 0, NATIVE_TOKENS_MAX)
    for i in range(1, len(tokens)):
        if tokens[i - 1].token_id == tokens[i].token_id:
            raise Repeated(f"nativeTokens[{i}]", "holds the tokens of the one before it")
        if tokens[i - 1].token_id > tokens[i].token_id:
            raise NotSorted(f"nativeTokens[{i}]", "must be in ascending order of id")
