"""Keys, what they hold, and transactions made from it."""
