"""A payment that all can see against a subtangle in secret: what outpacing and parasite chains share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tangle.sim.attacker import Attacker, Issue, Moves

PAYMENT, REPLACEMENT = 0, 1
"""sides of the conflict"""


class Race:
    """Blocks in secret until it is time to release them, or to give up.

    depth : cumulative weight of the payment that the merchant waits for
    ahead : whether the secret side has to be the heavier one
    secret : numbers of the blocks that nobody else knows of
    weight : sum of their own weights
    released : whether they are public now

    The attacker looks after every block whether it is time, not only when it is his turn: a payment that is
    accepted while he is ahead is taken back at once.
    """

    def __init__(self, attacker: Attacker, *, depth: int, patience: float, ahead: bool) -> None:
        self.attacker = attacker
        self.depth = depth
        self.until = attacker.now + patience
        self.ahead = ahead
        self.secret: list[int] = []
        self.weight = 0
        self.released = False

    def run(self, parents: Callable[[], Sequence[int]], side: int | None = None) -> Moves:
        """Issue block after block until all are released, or it takes too long; the first one opens `side`.

        parents : of the next block
        """
        attacker = self.attacker
        while not self.released and attacker.now < self.until:
            issue = Issue(parents(), side=side, withheld=True)
            self.secret.append(attacker.next_block)
            self.weight += attacker.own_weight(attacker.next_block)
            payment = attacker.support(PAYMENT)
            if self.leads(payment) and payment >= self.depth:
                # This very block tips the balance, so it goes out with the others.
                self.release(self.secret[:-1])
                issue = Issue(issue.parents, side=side)
            else:
                # Until his next turn he only falls back: while he is behind there is nothing to look out for.
                attacker.watch = self.look if self.leads(payment) else None
            side = None
            yield issue
        attacker.watch = None

    def leads(self, payment: int) -> bool:
        """Whether the secret side is heavy enough against a payment of that weight."""
        return not self.ahead or self.weight > payment

    def look(self) -> None:
        """Release when it is time."""
        payment = self.attacker.support(PAYMENT)
        if payment >= self.depth and self.leads(payment) and self.attacker.now < self.until:
            self.release(self.secret)

    def release(self, blocks: Sequence[int]) -> None:
        """Tell everybody."""
        self.attacker.release(blocks)
        self.attacker.watch = None
        self.released = True


def press_on(attacker: Attacker, race: Race) -> Moves:
    """Go on upon the tips of the released side, or, after giving up, where nobody sees it."""
    parents = race.secret[-1:] or [0]
    while True:
        if race.released:
            tips = attacker.tips_on(REPLACEMENT)
            parents = attacker.some(tips) if tips.size else parents
        block = attacker.next_block
        yield Issue(parents, withheld=not race.released)
        parents = [block]
