"""Slices of encoded blocks are what decoding gives."""

from hypothesis import given

from tangle.protocol import peek
from tangle.protocol.blocks import Block
from tangle.protocol.tagged_data import TaggedData
from tests.protocol import objects
from tests.protocol.objects import fuzz


@fuzz
@given(block=objects.blocks)
def test_slices_are_what_the_block_says(block: Block) -> None:
    data = block.encoded
    assert tuple(peek.parents(data)) == block.parents
    assert peek.without_nonce(data) + block.nonce.to_bytes(8, "little") == data
    assert not peek.lacks_parents(data)
    if isinstance(block.payload, TaggedData):
        assert peek.tagged_data(data) == block.payload.data


def test_parents_take_the_place_of_none() -> None:
    data = Block(objects.PARENTS, TaggedData(b"", b"")).encoded
    bare = data[:1] + b"\x00" + data[2 + 32 * len(objects.PARENTS) :]
    assert peek.lacks_parents(bare)
    assert peek.with_parents(bare, objects.PARENTS) == data
    assert not peek.lacks_parents(b"")
    assert not peek.lacks_parents(b"\x02")
