"""White-flag order against the worked example of TIP-2.

The edges are those of the figure in TIP-2, section "Example"; the first of two parents is the one drawn solid.
"""

from tangle.protocol.serial import blake2b_256
from tangle.state.dag import Dag

PARENTS = {
    "A": "", "B": "", "C": "", "D": "AB", "E": "AB", "F": "BC", "G": "DE", "H": "EF", "I": "FC", "J": "GH",
    "K": "HI", "L": "GJ", "M": "JH", "N": "HK", "O": "KI", "R": "LM", "S": "NO", "V": "RS",
}  # fmt: skip


def build(referenced: str) -> tuple[Dag, dict[str, int]]:
    dag = Dag()
    at: dict[str, int] = {}
    for name, parents in PARENTS.items():
        indices = [at[parent] for parent in parents]
        at[name] = dag.append(blake2b_256(name.encode()), indices, number=len(at) + 1)
    dag.mark_referenced([at[name] for name in referenced], 1)
    return dag, at


def test_order_is_that_of_the_worked_example() -> None:
    dag, at = build("ABCEFH")
    order = dag.white_flag_order([at["V"]])
    names = {index: name for name, index in at.items()}
    assert "".join(names[index] for index in order) == "DGJLMRIKNOSV"


def test_referenced_blocks_are_not_entered_again() -> None:
    dag, at = build("ABCEFH")
    dag.mark_referenced(dag.white_flag_order([at["J"]]), 2)
    names = {index: name for name, index in at.items()}
    order = dag.white_flag_order([at["R"], at["S"]])
    assert "".join(names[index] for index in order) == "LMRIKNOS"
