"""What storing an output costs (TIP-19).

All fields of all output types count as data; only the id under which the ledger finds the output counts as a key.
So the deposit follows from the length of the binary form.
"""

from __future__ import annotations

from tangle.protocol.addresses import Address
from tangle.protocol.errors import DepositTooSmall
from tangle.protocol.outputs.basic import BasicOutput
from tangle.protocol.outputs.conditions import StorageDepositReturnUnlockCondition
from tangle.protocol.outputs.form import OutputForm
from tangle.protocol.parameters import ProtocolParameters


def storage_deposit(output: OutputForm, parameters: ProtocolParameters) -> int:
    """Least amount, in base units, that `output` must hold."""
    return parameters.storage_deposit(len(output.encoded))


def least_return(address: Address, parameters: ProtocolParameters) -> int:
    """Least amount, in base units, that can be sent back to `address`: the deposit of a plain basic output."""
    return storage_deposit(BasicOutput.to(address, 1), parameters)


def check_deposit(output: OutputForm, parameters: ProtocolParameters) -> None:
    """Raise DepositTooSmall, naming the least amount, unless `output` pays for its storage.

    What it asks back must pay for the storage of a plain basic output at its return address (TIP-18).
    """
    least = storage_deposit(output, parameters)
    if output.amount < least:
        raise DepositTooSmall(
            "amount", f"{output.amount} base units are below the storage deposit of {least} for this output"
        )
    for i, condition in enumerate(output.unlock_conditions):
        if isinstance(condition, StorageDepositReturnUnlockCondition):
            least = least_return(condition.return_address, parameters)
            if condition.amount < least:
                rule = f"{condition.amount} base units are below the storage deposit of {least} for their return"
                raise DepositTooSmall(f"unlockConditions[{i}].amount", rule)
