"""What the server of `tests.forked` has loaded before it forks. Only that server imports this."""

import tests.client.channels.victim
import tests.forked
import tests.machines.victim  # noqa: F401
from tangle.protocol.pow.search import compile_kernels as compile_pow
from tangle.tipselect.compile import compile_kernels as compile_tipselect

compile_pow()
compile_tipselect()
