"""Settings of the whole suite."""

from hypothesis import settings

# Machines are shared and noisy: a slow example is no failure. What fails prints how to see it again.
settings.register_profile("tangle", deadline=None, print_blob=True)
settings.load_profile("tangle")
