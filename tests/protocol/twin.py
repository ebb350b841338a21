"""The wire format a second time, slow and without any rule: the JSON form laid out as bytes.

It shares no code with `tangle.protocol`, so what both say was not derived from one mistake; and since it checks
nothing, a test can lay out exactly one broken rule. Sources: TIP-18, TIP-20, TIP-23, TIP-24, TIP-29.
"""

from typing import Any

Json = dict[str, Any]


def uint(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")


def data(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def sized(content: bytes, size: int) -> bytes:
    return uint(len(content), size) + content


def listed(elements: list[bytes], size: int) -> bytes:
    return uint(len(elements), size) + b"".join(elements)


def address(json: Json) -> bytes:
    held = next(json[name] for name in ("pubKeyHash", "aliasId", "nftId") if name in json)
    return uint(json["type"], 1) + data(held)


def native_token(json: Json) -> bytes:
    return data(json["id"]) + uint(int(json["amount"], 16), 32)


def token_scheme(json: Json) -> bytes:
    amounts = (json[name] for name in ("mintedTokens", "meltedTokens", "maximumSupply"))
    return uint(json["type"], 1) + b"".join(uint(int(amount, 16), 32) for amount in amounts)


def condition(json: Json) -> bytes:
    laid = uint(json["type"], 1)
    if "address" in json:
        laid += address(json["address"])
    if "returnAddress" in json:
        laid += address(json["returnAddress"])
    if "amount" in json:
        laid += uint(int(json["amount"]), 8)
    if "unixTime" in json:
        laid += uint(json["unixTime"], 4)
    return laid


def own(json: Json) -> bytes:
    """The fields of one output type alone."""
    if "aliasId" in json:
        return (
            data(json["aliasId"])
            + uint(json["stateIndex"], 4)
            + sized(data(json.get("stateMetadata", "0x")), 2)
            + uint(json["foundryCounter"], 4)
        )
    if "tokenScheme" in json:
        return uint(json["serialNumber"], 4) + token_scheme(json["tokenScheme"])
    return data(json["nftId"]) if "nftId" in json else b""


def feature(json: Json) -> bytes:
    kind = uint(json["type"], 1)
    if "address" in json:
        return kind + address(json["address"])
    return kind + (sized(data(json["data"]), 2) if "data" in json else sized(data(json["tag"]), 1))


def output(json: Json) -> bytes:
    fields = own(json)
    return (
        uint(json["type"], 1)
        + uint(int(json["amount"]), 8)
        + listed([native_token(token) for token in json.get("nativeTokens", [])], 1)
        + fields
        + listed([condition(held) for held in json["unlockConditions"]], 1)
        + listed([feature(held) for held in json.get("features", [])], 1)
        + (listed([feature(held) for held in json.get("immutableFeatures", [])], 1) if fields else b"")
    )


def utxo_input(json: Json) -> bytes:
    return uint(json["type"], 1) + data(json["transactionId"]) + uint(json["transactionOutputIndex"], 2)


def signature(json: Json) -> bytes:
    return uint(json["type"], 1) + data(json["publicKey"]) + data(json["signature"])


def unlock(json: Json) -> bytes:
    held = signature(json["signature"]) if "signature" in json else uint(json["reference"], 2)
    return uint(json["type"], 1) + held


def essence(json: Json) -> bytes:
    return (
        uint(json["type"], 1)
        + uint(int(json["networkId"]), 8)
        + listed([utxo_input(held) for held in json["inputs"]], 2)
        + data(json["inputsCommitment"])
        + listed([output(held) for held in json["outputs"]], 2)
        + sized(payload(json["payload"]) if "payload" in json else b"", 4)
    )


def option(json: Json) -> bytes:
    return (
        uint(json["type"], 1)
        + uint(json["targetMilestoneIndex"], 4)
        + uint(json["protocolVersion"], 1)
        + sized(data(json["params"]), 2)
    )


def milestone_essence(json: Json) -> bytes:
    return (
        uint(json["index"], 4)
        + uint(json["timestamp"], 4)
        + uint(json["protocolVersion"], 1)
        + data(json["previousMilestoneId"])
        + listed([data(parent) for parent in json["parents"]], 1)
        + data(json["inclusionMerkleRoot"])
        + data(json["appliedMerkleRoot"])
        + sized(data(json.get("metadata", "0x")), 2)
        + listed([option(held) for held in json.get("options", [])], 1)
    )


def payload(json: Json) -> bytes:
    kind = uint(json["type"], 4)
    if "essence" in json:
        return kind + essence(json["essence"]) + listed([unlock(held) for held in json["unlocks"]], 2)
    if "index" in json:
        return kind + milestone_essence(json) + listed([signature(held) for held in json["signatures"]], 1)
    return kind + sized(data(json.get("tag", "0x")), 1) + sized(data(json.get("data", "0x")), 4)


def block(json: Json) -> bytes:
    return (
        uint(json["protocolVersion"], 1)
        + listed([data(parent) for parent in json["parents"]], 1)
        + sized(payload(json["payload"]) if "payload" in json else b"", 4)
        + uint(int(json["nonce"]), 8)
    )
