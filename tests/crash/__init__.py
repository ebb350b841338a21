"""What a node has to survive, done to it while all kinds of clients are at work."""
