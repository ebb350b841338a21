"""What all nodes of one network must agree on (TIP-22), and the price of storage (TIP-19)."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Self

from tangle.protocol.codec import Declared
from tangle.protocol.errors import ParameterInvalid, WrongProtocolVersion
from tangle.protocol.fields import UInt
from tangle.protocol.serial import Reader, blake2b_256, blob, uint

PROTOCOL_VERSION = 2
"""the Stardust-era block format"""
BLOCK_BYTES_MAX = 32_768
"""bytes; TIP-24"""
NONCE_BYTES = 8
"""bytes at the end of a block, little endian; TIP-12, TIP-24"""
PARENTS_MAX = 8
"""parents per block; TIP-24"""
PAYLOAD_BYTES_MAX = BLOCK_BYTES_MAX - (1 + 1 + 32 * PARENTS_MAX + 4 + NONCE_BYTES)
"""bytes; what a block with all its parents leaves for its payload; TIP-24"""
INPUTS_MAX = 128
"""inputs per transaction; TIP-20"""
OUTPUTS_MAX = 128
"""outputs per transaction; TIP-20"""
NATIVE_TOKENS_MAX = 64
"""different native tokens per output, and per transaction; TIP-22"""
TAG_BYTES_MAX = 64
"""bytes; TIP-23"""
METADATA_BYTES_MAX = 8192
"""bytes; TIP-22"""
HRP_LENGTH_MAX = 30
"""characters; leaves room for an address in the 90 characters of a bech32 text (BIP-173)"""


@dataclass(frozen=True, slots=True)
class RentStructure(Declared):
    """Price of a byte in the ledger, in base units, and the weight of key and data bytes (TIP-19)."""

    v_byte_cost: Annotated[int, UInt(4)] = 1
    v_byte_factor_data: Annotated[int, UInt(1)] = 1
    v_byte_factor_key: Annotated[int, UInt(1)] = 10

    def __post_init__(self) -> None:
        _check_integer("v_byte_cost", self.v_byte_cost, 1, 4)
        _check_integer("v_byte_factor_data", self.v_byte_factor_data, 1, 1)
        _check_integer("v_byte_factor_key", self.v_byte_factor_key, 1, 1)


@dataclass(frozen=True)
class ProtocolParameters(Declared):
    """The parameters of one network; the defaults are those of a new one.

    Values may come from a settings file: whatever their kind, what is wrong with them is a ProtocolError that
    names the field.

    Attributes
    ----------
    min_pow_score : least score 3^zeros / bytes of a block
    below_max_depth : milestones that a block's past may reach back
    token_supply : base units that exist
    """

    ORDER = ("protocol_version", ...)
    network_name: str = "tangle-local"
    bech32_hrp: str = "tgl"
    min_pow_score: Annotated[int, UInt(4)] = 100
    below_max_depth: Annotated[int, UInt(1)] = 15
    rent_structure: RentStructure = field(default_factory=RentStructure)
    token_supply: Annotated[int, UInt(8)] = 2_779_530_283_277_761
    protocol_version: Annotated[int, UInt(1, "version")] = PROTOCOL_VERSION

    def __post_init__(self) -> None:
        _check_integer("min_pow_score", self.min_pow_score, 0, 4)
        _check_integer("below_max_depth", self.below_max_depth, 1, 1)
        _check_integer("token_supply", self.token_supply, 1, 8)
        _check_text("network_name", self.network_name)
        _check_text("bech32_hrp", self.bech32_hrp)
        hrp = self.bech32_hrp
        if hrp != hrp.lower() or not all("!" <= char <= "~" for char in hrp) or len(hrp) > HRP_LENGTH_MAX:
            rule = f"must be at most {HRP_LENGTH_MAX} printable lower-case ASCII characters"
            raise ParameterInvalid("bech32_hrp", rule)
        if not isinstance(self.rent_structure, RentStructure):
            raise ParameterInvalid("rent_structure", "must be a rent structure")
        if self.protocol_version != PROTOCOL_VERSION:
            raise WrongProtocolVersion("protocol_version", f"must be {PROTOCOL_VERSION}")

    @cached_property
    def network_id(self) -> int:
        """First 8 bytes, little endian, of the BLAKE2b-256 hash of the network name (TIP-20)."""
        return int.from_bytes(blake2b_256(self.network_name.encode())[:8], "little")

    def storage_deposit(self, output_bytes: int) -> int:
        """Least amount, in base units, of an output whose binary form has `output_bytes` bytes (TIP-19).

        The output id is a key of 34 bytes; block id, milestone index and timestamp are 40 bytes of data.
        """
        rent = self.rent_structure
        weight = rent.v_byte_factor_key * 34 + rent.v_byte_factor_data * (40 + output_bytes)
        return rent.v_byte_cost * weight

    def encode(self) -> bytes:
        """The binary form of a protocol-parameters milestone option (TIP-22)."""
        rent = self.rent_structure
        return b"".join(
            (
                uint(self.protocol_version, 1),
                blob(self.network_name.encode(), 1),
                blob(self.bech32_hrp.encode(), 1),
                uint(self.min_pow_score, 4),
                uint(self.below_max_depth, 1),
                uint(rent.v_byte_cost, 4),
                uint(rent.v_byte_factor_data, 1),
                uint(rent.v_byte_factor_key, 1),
                uint(self.token_supply, 8),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the binary form. Raises ProtocolError."""
        reader = Reader(data)
        version = reader.uint(1, "protocol_version")
        name = _text(reader, "network_name")
        hrp = _text(reader, "bech32_hrp")
        min_pow_score = reader.uint(4, "min_pow_score")
        below_max_depth = reader.uint(1, "below_max_depth")
        rent = RentStructure(
            reader.uint(4, "v_byte_cost"),
            reader.uint(1, "v_byte_factor_data"),
            reader.uint(1, "v_byte_factor_key"),
        )
        supply = reader.uint(8, "token_supply")
        reader.finish("parameters")
        return cls(name, hrp, min_pow_score, below_max_depth, rent, supply, version)


def _text(reader: Reader, name: str) -> str:
    try:
        return reader.blob(1, name).decode()
    except UnicodeDecodeError:
        raise ParameterInvalid(name, "must be UTF-8") from None


def _check_integer(name: str, value: object, least: int, size: int) -> None:
    """Raise ParameterInvalid unless `value` is an integer from `least` that fits into `size` bytes."""
    most = 2 ** (8 * size) - 1
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ParameterInvalid(name, f"must be an integer from {least} to {most}")


def _check_text(name: str, value: object) -> None:
    """Raise ParameterInvalid unless `value` is a text of 1 to 255 bytes in UTF-8."""
    try:
        valid = isinstance(value, str) and 1 <= len(value.encode()) <= 255
    except UnicodeEncodeError:  # a lone surrogate, which JSON and TOML readers let through
        valid = False
    if not valid:
        raise ParameterInvalid(name, "must be a text of 1 to 255 bytes in UTF-8")
