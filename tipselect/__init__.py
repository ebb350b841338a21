"""Tip selection on plain integer arrays: a DAG with a moving window, walks, confidence.

The room knows no block, no hash and no I/O, imports nothing of ours and can be used and measured alone.
"""

from tangle.extras import needs

needs("pow", "tip selection", "numba", "numpy")
