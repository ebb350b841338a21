"""Settings of the whole suite."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.networks import close_nodes
from tests.tries import tries

# Machines are shared and noisy: a slow example is no failure. What fails prints how to see it again.
settings.register_profile("tangle", deadline=None, print_blob=True, max_examples=tries(50))
settings.load_profile("tangle")

# Shells start what runs in the background with SIGINT ignored, and children inherit that; then Ctrl-C ends nobody.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def nodes_are_closed() -> Iterator[None]:
    """Close every node that a test opened in this process."""
    yield
    close_nodes()
