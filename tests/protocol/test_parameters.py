"""Parameters: network ids of TIP-20, the binary form, the price of storage (TIP-19), and settings gone wrong."""

from dataclasses import replace
from typing import Any

import pytest

from tangle.protocol.errors import ParameterInvalid, ProtocolError, WrongProtocolVersion
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.serial import Fields

# TIP-20, section Network ID.
NETWORK_IDS = {
    "iota-mainnet": 9374574019616453254,
    "shimmer": 14364762045254553490,
    "testnet-1": 1856588631910923207,
    "example-mynetwork": 1967754805504104511,
}
# Values: iotaledger/hornet, private_tangle/protocol_parameters.json. Order and widths of the fields:
# iotaledger/iota-sdk 1.1, sdk/src/types/block/protocol.rs and output/rent.rs.
PRIVATE_TANGLE = ProtocolParameters(
    "private_tangle1", "tst", 0, 15, RentStructure(500, 1, 10), 2_779_530_283_277_761
)
PRIVATE_TANGLE_BYTES = bytes.fromhex(
    "02"  # protocol version
    "0f707269766174655f74616e676c6531"  # network name
    "03747374"  # human-readable part
    "00000000"  # least PoW score
    "0f"  # below max depth
    "f4010000010a"  # cost of a byte, factor of data, factor of keys
    "c15d2dd3f7df0900"  # supply
)


@pytest.mark.parametrize(("name", "number"), NETWORK_IDS.items())
def test_network_ids_of_tip_20(name: str, number: int) -> None:
    assert ProtocolParameters(network_name=name).network_id == number


def test_the_binary_form() -> None:
    assert PRIVATE_TANGLE.encode() == PRIVATE_TANGLE_BYTES
    assert ProtocolParameters.decode(PRIVATE_TANGLE_BYTES) == PRIVATE_TANGLE


def test_the_json_form() -> None:
    json = PRIVATE_TANGLE.to_json()
    assert json == {
        "version": 2,
        "networkName": "private_tangle1",
        "bech32Hrp": "tst",
        "minPowScore": 0,
        "belowMaxDepth": 15,
        "rentStructure": {"vByteCost": 500, "vByteFactorData": 1, "vByteFactorKey": 10},
        "tokenSupply": "2779530283277761",
    }
    assert ProtocolParameters.from_json(Fields(json)) == PRIVATE_TANGLE


def test_equal_parameters_are_one_key() -> None:
    again = ProtocolParameters.decode(PRIVATE_TANGLE_BYTES)
    assert {PRIVATE_TANGLE: 1}[again] == 1
    assert hash(again.rent_structure) == hash(RentStructure(500, 1, 10))
    assert again != replace(again, network_name="another")
    assert again != replace(again, rent_structure=RentStructure(501, 1, 10))


# TIP-19: the smallest basic output weighs 426 bytes. iotaledger/iota-sdk 1.1 names its deposit for a cost of 100
# and of 500 per byte in sdk/tests/wallet/output_preparation.rs: 42600 and 213000.
@pytest.mark.parametrize(("cost", "deposit"), [(1, 426), (100, 42_600), (500, 213_000)])
def test_the_deposit_of_the_smallest_output(cost: int, deposit: int) -> None:
    smallest = 1 + 8 + 1 + 1 + (1 + 33) + 1
    parameters = ProtocolParameters(rent_structure=RentStructure(cost))
    assert parameters.storage_deposit(smallest) == deposit


def test_keys_and_data_are_weighed_apart() -> None:
    parameters = ProtocolParameters(rent_structure=RentStructure(3, 5, 7))
    assert parameters.storage_deposit(100) == 3 * (7 * 34 + 5 * (32 + 4 + 4 + 100))


WRONG: list[tuple[str, Any]] = [
    *(("min_pow_score", value) for value in (-1, 2**32, "100", 1.0, True, None)),
    *(("below_max_depth", value) for value in (0, 256, "15", [15])),
    *(("token_supply", value) for value in (0, 2**64, "1", 1e15)),
    *(("network_name", value) for value in ("", "x" * 256, "é" * 128, "\ud800", 7, None, b"name")),
    *(("bech32_hrp", value) for value in ("", "TGL", "t l", "tgł", "x" * 31, 7, None)),
    *(("rent_structure", value) for value in (None, 1, {"v_byte_cost": 1})),
]
WRONG_RENT: list[tuple[str, Any]] = [
    *(("v_byte_cost", value) for value in (0, 2**32, "1", True)),
    *(("v_byte_factor_data", value) for value in (0, 256, None)),
    *(("v_byte_factor_key", value) for value in (0, 256, 1.5)),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_setting_is_named(field: str, value: Any) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        ProtocolParameters(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(("field", "value"), WRONG_RENT)
def test_a_wrong_price_is_named(field: str, value: Any) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        RentStructure(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize("version", [0, 1, 3, "2"])
def test_only_the_version_of_this_format_is_spoken(version: Any) -> None:
    with pytest.raises(WrongProtocolVersion) as caught:
        ProtocolParameters(protocol_version=version)
    assert caught.value.field == "protocol_version"


def test_limits_are_inclusive() -> None:
    low = ProtocolParameters("x", "a", 0, 1, RentStructure(1, 1, 1), 1)
    high = ProtocolParameters("x" * 255, "~" * 30, 2**32 - 1, 255, RentStructure(2**32 - 1, 255, 255), 2**64 - 1)
    for parameters in (low, high):
        assert ProtocolParameters.decode(parameters.encode()) == parameters


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "unexpected_end", "protocol_version"),
        (PRIVATE_TANGLE_BYTES[:-1], "unexpected_end", "token_supply"),
        (PRIVATE_TANGLE_BYTES + b"\x00", "trailing_bytes", "parameters"),
        (b"\x03" + PRIVATE_TANGLE_BYTES[1:], "wrong_protocol_version", "protocol_version"),
        (b"\x02\x01\xff" + PRIVATE_TANGLE_BYTES[17:], "parameter_invalid", "network_name"),
    ],
)
def test_what_is_no_binary_form_is_refused(data: bytes, code: str, field: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        ProtocolParameters.decode(data)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_json_names_a_wrong_price() -> None:
    json = PRIVATE_TANGLE.to_json()
    json["rentStructure"]["vByteCost"] = "500"
    with pytest.raises(ProtocolError) as caught:
        ProtocolParameters.from_json(Fields(json))
    assert caught.value.field == "rentStructure.vByteCost"
