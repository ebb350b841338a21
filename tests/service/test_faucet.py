"""How often the faucet gives to one client: by a clock of the test."""

from __future__ import annotations

from tangle.service.faucet import COUNTED_MAX, HOUR_S, Quota, client_of


def test_what_was_given_an_hour_ago_does_not_count() -> None:
    now = [0.0]
    quota = Quota(2, lambda: now[0])
    quota.take("a")
    now[0] = 10.0
    quota.take("a")
    assert quota.wait_s("a") == HOUR_S - 10
    assert quota.wait_s("b") == 0
    now[0] = HOUR_S
    assert quota.wait_s("a") == 0
    quota.take("a")
    assert quota.wait_s("a") == 10


def test_who_is_counted_is_bounded() -> None:
    quota = Quota(1, lambda: 0.0)
    for i in range(COUNTED_MAX + 1):
        quota.take(i)
    assert quota.wait_s(0) == 0
    assert quota.wait_s(1) == HOUR_S


def test_one_client_has_a_whole_network_of_ipv6() -> None:
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:1") != client_of("2001:db8:0:1::1")
    assert client_of("127.0.0.1") != client_of("127.0.0.2")
    assert client_of("") == ""
