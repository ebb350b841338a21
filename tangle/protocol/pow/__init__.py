"""Proof of work: what a block costs its sender (TIP-5, TIP-12).

Light on purpose: importing this package compiles nothing and loads neither numpy nor numba. Take what you need
from its modules.

    score       how much work a block carries, for one block, in microseconds
    search      a nonce that carries enough, on all cores
    ternary     bytes as balanced ternary (b1t6) and back
    kernels     the compiled functions
    reference   the same hash in plain Python: the oracle of the tests
"""
