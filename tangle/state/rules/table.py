"""The table of output types: a further type is a module beside this one and a row here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tangle.protocol.outputs import AliasOutput, BasicOutput, FoundryOutput, NftOutput
from tangle.state.rules import alias, basic, foundry, nft
from tangle.state.rules.context import OutputRules

OUTPUT_RULES: Mapping[int, OutputRules[Any]] = {
    BasicOutput.TYPE: basic.RULES,
    AliasOutput.TYPE: alias.RULES,
    FoundryOutput.TYPE: foundry.RULES,
    NftOutput.TYPE: nft.RULES,
}
