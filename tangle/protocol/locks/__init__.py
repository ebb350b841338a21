"""Locks: a small condition whose hash is an address, and what is shown to open it (`docs/locks.md`)."""

from tangle.protocol.locks.announcement import Announcement, announcement_tag
from tangle.protocol.locks.assets import ASSETS, Asset, BaseCoins, Everything, NftAsset, TokenAsset
from tangle.protocol.locks.conditions import (
    CONDITIONS,
    Carries,
    Condition,
    Makes,
    Part,
    Pays,
    Preimage,
    Signed,
    Stake,
    Threshold,
    Voucher,
)
from tangle.protocol.locks.lock import Lock, check_secrets
from tangle.protocol.locks.proofs import (
    CoSignature,
    NoProof,
    OwnSignature,
    PartsShown,
    Proof,
    Secret,
    VoucherShown,
)
from tangle.protocol.locks.vouchers import co_signed, sign_voucher, voucher_message
from tangle.protocol.locks.witness import WITNESS_TAG, Entry, Shown, Witness, verified_witness

__all__ = [
    "ASSETS",
    "CONDITIONS",
    "WITNESS_TAG",
    "Announcement",
    "Asset",
    "BaseCoins",
    "Carries",
    "CoSignature",
    "Condition",
    "Entry",
    "Everything",
    "Lock",
    "Makes",
    "NftAsset",
    "NoProof",
    "OwnSignature",
    "Part",
    "PartsShown",
    "Pays",
    "Preimage",
    "Proof",
    "Secret",
    "Shown",
    "Signed",
    "Stake",
    "Threshold",
    "TokenAsset",
    "Voucher",
    "VoucherShown",
    "Witness",
    "announcement_tag",
    "check_secrets",
    "co_signed",
    "sign_voucher",
    "verified_witness",
    "voucher_message",
]
