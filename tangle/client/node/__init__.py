"""A node over REST, as a program sees it: questions, events, posting with or without work of one's own."""
