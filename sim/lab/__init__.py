"""The laboratory: figures, reports, and known figures made again. The engine beside it imports nothing of it."""
