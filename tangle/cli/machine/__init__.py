"""`tangle machine`: what the owner of a machine asks of it."""
