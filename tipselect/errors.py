"""What can be wrong with a call into this room. All are ValueErrors that name the argument.

TipSelectError (ValueError)
├── BadIndex     a vertex that is not in the window
├── BadParents   parents that no vertex can have
└── BadSetting   a number out of its range, an array of the wrong shape
"""


class TipSelectError(ValueError):
    """Base of the tree. `code` is stable, `argument` is the name of the argument at fault."""

    code = "tipselect"

    def __init__(self, argument: str, reason: str) -> None:
        super().__init__(f"{argument}: {reason}")
        self.argument = argument


class BadIndex(TipSelectError):
    """A vertex index outside `low <= index < high`."""

    code = "bad_index"


class BadParents(TipSelectError):
    """Too many parents, one twice, or one that is not older than its child."""

    code = "bad_parents"


class BadSetting(TipSelectError):
    """A setting out of its range or an array of the wrong shape."""

    code = "bad_setting"
