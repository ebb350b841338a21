"""What the server of `tests.forked` has loaded before it forks. Only that server imports this."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import pkgutil
import sys

import tangle
import tests.client.channels.victim
import tests.forked
import tests.machines.victim  # noqa: F401
from tangle.cli.main import run
from tangle.protocol.pow.search import compile_kernels as compile_pow
from tangle.tipselect.compile import compile_kernels as compile_tipselect


def load() -> None:
    """All modules, all kernels, and what libraries load when they are first used."""
    for module in pkgutil.walk_packages(tangle.__path__, "tangle."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    compile_pow()
    compile_tipselect()
    sys.argv = ["tangle", "info", "--node", "http://127.0.0.1:9"]
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        run()
    # What is here stays: looking through it would copy all of its pages into every fork.
    gc.collect()
    gc.freeze()


load()
