"""The small table of subscribers: all of them get everything while some read nothing."""

import pytest

from tests.bench import subscribers


@pytest.mark.slow
def test_every_subscriber_gets_every_message_once_and_in_order() -> None:
    rows = subscribers.run(small=True)
    assert [set(row) for row in rows] == [{"what", "ours", "rival", "ratio", "note"}] * 3
    assert rows[-1]["ours"] == f"{50 * 60:,}"
