"""Settings of the whole suite."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.networks import close_nodes
from tests.tries import leave_out, tries

# Machines are shared and noisy: a slow example is no failure. What fails prints how to see it again.
settings.register_profile("tangle", deadline=None, print_blob=True, max_examples=tries(50))
settings.load_profile("tangle")

TESTS = Path(__file__).parent
DEAR = (
    "e2e/test_iota_sdk_assets.py",
    "e2e/test_pay_on_production.py",
    "crash/test_crash.py",
    "web/test_channel_page.py",
    "web/test_connection.py",
    "cli/test_mam.py",
    "cli/test_wallet.py",
    "web/test_page.py",
    "web/test_decoder.py",
    "bench/test_bench.py",
    "node/test_attacks.py",
    "node/test_whole_ledger.py",
    "sim/test_sim_engines.py",
    "sim/test_sim_known.py",
    "client/test_live_conditions.py",
    "api/test_openapi.py",
    "e2e/test_iota_sdk.py",
    "e2e/test_mam_js.py",
    "differential/test_rules.py",
    "client/test_subscription_breaks.py",
)
"""files that take long: they begin first, so that no worker is left with one of them at the end"""

# Shells start what runs in the background with SIGINT ignored, and children inherit that; then Ctrl-C ends nobody.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def nodes_are_closed() -> Iterator[None]:
    """Close every node that a test opened in this process."""
    yield
    close_nodes()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Dear files first; a worker is given files in this order. Of drawn tests some cases are left out."""
    left_out = leave_out(items, os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid())))
    config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = [item for item in items if item not in gone]
    place = {TESTS / name: number for number, name in enumerate(DEAR)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
