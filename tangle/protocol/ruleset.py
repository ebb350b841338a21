"""What a milestone's metadata says: records, one of which names the rules that a network has switched on (TIP-29).

TIP-29 leaves the metadata free. Here it is empty or a list of records, `u8 kind | u16 length | value`, in
ascending order of their kinds. Kinds that this version does not know are passed over.

The record of rules is signed with the milestone and stands in the Tangle, so a follower, an audit and a replay
read the same. A milestone's transactions are judged by the rules that the milestone before names, and once named a
rule is named in every milestone thereafter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from tangle.protocol.codec import Wire
from tangle.protocol.errors import MilestoneInvalid, ProtocolError
from tangle.protocol.fields import Blob, UInt

LOCKS = "locks/1"
"""outputs at the address of a lock can be consumed by showing it (`tangle.protocol.locks`)"""
KNOWN_RULES = frozenset({LOCKS})
"""what this version can judge by"""
RULES_KIND = 3
"""kind of the record that holds names of rules: ASCII, ascending, a space between two"""


@dataclass(frozen=True, slots=True)
class Record(Wire):
    """A record of a milestone's metadata."""

    kind: Annotated[int, UInt(1)]
    value: Annotated[bytes, Blob(2)]


def records_of(metadata: bytes) -> Mapping[int, bytes]:
    """Kind -> value. Raises MilestoneInvalid."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(metadata):
        try:
            record, at = Record.read(metadata, at)
        except ProtocolError as error:
            raise MilestoneInvalid("metadata", f"must be a list of records: {error}") from None
        if found and record.kind <= max(found):
            raise MilestoneInvalid("metadata", "must hold records in ascending order of kind, each once")
        found[record.kind] = record.value
    return found


def rules_of(metadata: bytes) -> frozenset[str]:
    """The rules that a milestone names. Raises MilestoneInvalid."""
    value = records_of(metadata).get(RULES_KIND)
    if value is None:
        return frozenset()
    try:
        rules = frozenset(value.decode("ascii").split(" "))
    except UnicodeDecodeError:
        rules = frozenset()
    if not rules or "" in rules or _value(rules) != value:
        raise MilestoneInvalid("metadata", "must name rules in ascending order, a space between two")
    return rules


def metadata_with(rules: Iterable[str]) -> bytes:
    """The metadata of a milestone that names `rules`; empty for none."""
    named = _value(rules)
    return Record(RULES_KIND, named).encode() if named else b""


def _value(rules: Iterable[str]) -> bytes:
    return " ".join(sorted(rules)).encode("ascii")
