"""What is sold, for how much, and how a deposit is divided so that every base unit is accounted for.

A deposit D buys n units at price P. n coins of exactly P each are made from it, and what is left, r = D - nP, is
either nothing or enough to be an output of its own (TIP-19). So no dust ever arises, and

    deposit = paid + refund    and    paid = units x price

hold exactly in base units, whenever production stops. That needs P to be at least an output's storage
deposit, which `check_terms` demands, and n to be one less where r would be dust.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tangle.machines.errors import TermsRefused
from tangle.protocol.addresses import ADDRESSES, Address, Ed25519Address, from_bech32
from tangle.protocol.outputs import BasicOutput, storage_deposit
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Fields, to_hex

ML_PER_LITRE = 1000
"""millilitres"""
UNITS_MAX = 10_000
"""units per order; a bound for the coins that are made when a deposit arrives"""
ORDER_WORK_BITS = 16
"""zero bits with which an order's id begins unless told otherwise: 65,000 hashes, a tenth of a second in Python"""
ORDER_WORK_BITS_MAX = 24
"""zero bits that a customer works for at most: half a minute in Python"""
ORDER_TAG = b"pop/order/"
"""how the tag of an order begins; 40 digits of its id follow"""
INTEGER_MAX = 2**53 - 1
"""largest integer that every reader of JSON keeps exact"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a machine offers.

    Attributes
    ----------
    machine : where deposits go
    owner : where payments go
    price : base units per unit produced
    unit_ml : millilitres per unit; 1,000,000 are a cubic metre
    units_max : units that one order may hold
    work : zero bits with which the id of an order begins, so that orders nobody means to pay cost something
    """

    KIND: ClassVar[str] = "quote"
    machine: Ed25519Address
    owner: Address
    price: int
    unit_ml: int = 1_000_000
    units_max: int = UNITS_MAX
    work: int = ORDER_WORK_BITS

    def to_json(self) -> dict[str, Any]:
        """The body of the message that announces the terms."""
        return {
            "kind": self.KIND,
            "machine": self.machine.to_json(),
            "owner": self.owner.to_json(),
            "price": str(self.price),
            "unitMillilitres": self.unit_ml,
            "unitsMax": self.units_max,
            "orderWork": self.work,
        }

    @classmethod
    def from_json(cls, fields: Fields) -> Terms:
        """Read the body. Raises ProtocolError."""
        return cls(
            fields.nested("machine", Ed25519Address.from_json),
            fields.nested("owner", ADDRESSES.from_json),
            fields.u64("price"),
            fields.integer("unitMillilitres", INTEGER_MAX),
            fields.integer("unitsMax", UNITS_MAX),
            # Machines of earlier builds asked for none.
            fields.integer("orderWork", 256) if "orderWork" in fields else 0,
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer asks for, under terms that it repeats so that both sides mean the same.

    Attributes
    ----------
    units : how many units the deposit is to pay for
    salt : 16 bytes that make the order unique
    reader : X25519 public key with which the customer reads the machine's channel
    """

    KIND: ClassVar[str] = "order"
    terms: Terms
    units: int
    salt: bytes
    reader: bytes

    def to_json(self) -> dict[str, Any]:
        """The body of the order message."""
        return {
            "kind": self.KIND,
            "terms": self.terms.to_json(),
            "units": self.units,
            "salt": to_hex(self.salt),
            "reader": to_hex(self.reader),
        }

    @classmethod
    def from_json(cls, fields: Fields) -> Order:
        """Read the body. Raises ProtocolError."""
        return cls(
            fields.nested("terms", Terms.from_json),
            fields.integer("units", UNITS_MAX),
            fields.data("salt", size=16),
            fields.data("reader", size=32),
        )

    @property
    def deposit(self) -> int:
        """Base units that pay for all units of the order."""
        return self.units * self.terms.price


def output_deposit(address: Address, parameters: ProtocolParameters) -> int:
    """Least base units that a plain output holds (TIP-19); 426 where the parameters are the defaults."""
    return storage_deposit(BasicOutput.to(address, 1), parameters)


def check_terms(terms: Terms, parameters: ProtocolParameters) -> None:
    """Raise TermsRefused for terms that cannot be carried out exactly on this network."""
    least = output_deposit(terms.owner, parameters)
    if not least <= terms.price <= parameters.token_supply:
        raise TermsRefused(
            f"the price is {terms.price} base units per unit; a payment is an output of its own, which on this "
            f"network holds at least {least} base units"
        )
    if terms.unit_ml < 1 or not 1 <= terms.units_max <= UNITS_MAX:
        raise TermsRefused(f"a unit must be 1 ml or more and an order 1 to {UNITS_MAX} units")
    if not 0 <= terms.work <= ORDER_WORK_BITS_MAX:
        raise TermsRefused(f"an order must show 0 to {ORDER_WORK_BITS_MAX} bits of work, not {terms.work}")


def check_order(order: Order, terms: Terms, parameters: ProtocolParameters) -> None:
    """Raise TermsRefused unless `order` is for `terms` and can be paid."""
    if order.terms != terms:
        raise TermsRefused("the order names other terms than this machine announces")
    if not 1 <= order.units <= terms.units_max:
        raise TermsRefused(f"an order is for 1 to {terms.units_max} units, not {order.units}")
    if order.deposit > parameters.token_supply:
        raise TermsRefused("the order costs more than there is")


def divide(deposit: int, price: int, least: int, units: int) -> tuple[int, int]:
    """Credit in units and rest in base units that a deposit gives.

    Parameters
    ----------
    deposit : base units, at least `least`
    price : base units per unit, at least `least`
    least : storage deposit of an output
    units : at most so many units

    Returns
    -------
    credit, rest : deposit = credit x price + rest; rest is 0 or at least `least`
    """
    credit = min(units, deposit // price)
    rest = deposit - credit * price
    if 0 < rest < least:
        credit, rest = credit - 1, rest + price
    return credit, rest


def read_machine(text: str, hrp: str) -> Ed25519Address:
    """The address of a machine, which signs what it says. Raises TermsRefused, ProtocolError."""
    address = from_bech32(text, hrp)
    if not isinstance(address, Ed25519Address):
        raise TermsRefused(f"{text}: a machine has the address of a key")
    return address


def machine_tag(machine: Address) -> bytes:
    """The tag under which a machine announces its terms and receives orders."""
    return b"pop/machine/" + machine.encode()[1:].hex()[:40].encode()


def order_tag(order_id: bytes) -> bytes:
    """The tag of the answer, the coins and the payments of one order."""
    return ORDER_TAG + order_id.hex()[:40].encode()


def reader_tag(public_key: bytes) -> bytes:
    """The tag under which a reader of channels, known by its X25519 public key, finds its invitations."""
    return b"pop/reader/" + public_key.hex()[:40].encode()
