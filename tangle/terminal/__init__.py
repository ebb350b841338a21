"""What programs of this project write to a terminal, and how; it knows nothing of what they are about."""
