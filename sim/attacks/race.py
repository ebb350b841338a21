"""The race between a payment that all can see and a subtangle in secret: what outpacing and parasite chains share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sim.world import Attacker, Issue

PAYMENT, REPLACEMENT = 0, 1
"""sides of the conflict"""


class Race:
    """Blocks in secret until it is time to release them, or to give up.

    secret : numbers of the blocks nobody knows of yet
    released : whether they are public now

    The attacker looks after every block whether it is time, not only when it is his turn: a payment that is accepted
    while he is ahead is taken back at once.
    """

    def __init__(self, attacker: Attacker, *, depth: int, patience: float, ahead: bool) -> None:
        self.attacker = attacker
        self.depth = depth
        self.until = attacker.now + patience
        self.ahead = ahead
        self.secret: list[int] = []
        self.released = False

    def run(self, parents: Callable[[], Sequence[int]], side: int | None = None) -> Iterator[Issue]:
        """Issue block after block until all are released; the first one opens `side`.

        parents : of the next block
        """
        attacker = self.attacker
        while not self.released and attacker.now < self.until:
            block = attacker.next_block
            if self.ripe(attacker.own_weight(block)):
                # This very block tips the balance, so it goes out with the others.
                self.release()
                yield Issue(parents(), side=side)
                self.secret.append(block)
                return
            # Until his next turn he only falls back: while he is behind there is nothing to look out for.
            attacker.watch = self.look if self.leads(attacker.own_weight(block)) else None
            issue = Issue(parents(), side=side, withheld=True)
            self.secret.append(block)
            side = None
            yield issue
        attacker.watch = None

    def leads(self, more: int = 0) -> bool:
        """Whether the secret side, with so much more weight, is heavy enough."""
        attacker = self.attacker
        return not self.ahead or attacker.support(REPLACEMENT) + more > attacker.support(PAYMENT)

    def ripe(self, more: int = 0) -> bool:
        """Whether the payment is accepted, and the secret side heavy enough."""
        return self.attacker.support(PAYMENT) >= self.depth and self.leads(more)

    def look(self) -> None:
        """Release when it is time."""
        if self.ripe() and self.attacker.now < self.until:
            self.release()

    def release(self) -> None:
        """Tell everybody."""
        self.attacker.release(self.secret)
        self.attacker.watch = None
        self.released = True


def press_on(attacker: Attacker, race: Race) -> Iterator[Issue]:
    """Go on upon the tips of the released side, or, after giving up, where nobody sees it."""
    parents = race.secret[-1:] or [0]
    while True:
        if race.released:
            tips = attacker.tips_on(REPLACEMENT)
            parents = attacker.some(tips) if tips.size else parents
        block = yield Issue(parents, withheld=not race.released)
        parents = [block]
