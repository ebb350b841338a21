"""What can be wrong with a call into this room: `field` is the name of the argument, `rule` what it broke.

BrokenRule
└── TipSelectError
    ├── BadIndex     a vertex that is not in the window
    ├── BadParents   parents that no vertex can have
    └── BadSetting   a number out of its range, an array of the wrong shape
"""

from tangle.errors import BrokenRule


class TipSelectError(BrokenRule):
    """Base of the tree."""

    code = "tipselect"


class BadIndex(TipSelectError):
    """A vertex index outside `low <= index < high`."""

    code = "bad_index"


class BadParents(TipSelectError):
    """Too many parents, one twice, or one that is not older than its child."""

    code = "bad_parents"


class BadSetting(TipSelectError):
    """A setting out of its range or an array of the wrong shape."""

    code = "bad_setting"
