"""Which output types there are: a further one is a module and a row here."""

from __future__ import annotations

from tangle.protocol.outputs.alias import AliasOutput
from tangle.protocol.outputs.basic import BasicOutput
from tangle.protocol.outputs.foundry import FoundryOutput
from tangle.protocol.outputs.nft import NftOutput
from tangle.protocol.tables import TypeTable

Output = BasicOutput | AliasOutput | FoundryOutput | NftOutput
OUTPUTS: TypeTable[Output] = TypeTable("output", 1, [BasicOutput, AliasOutput, FoundryOutput, NftOutput])
