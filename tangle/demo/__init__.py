"""`make demo`: a pump is paid per unit, watched live, and everything promised is checked over REST."""

ABOUT = "Watch a pump being paid per unit through a fresh Tangle, on real readings; checked against the ledger."
"""the first line of the command's help"""
