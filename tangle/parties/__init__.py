"""What every party of a trade needs: its process, its seed, what it says and keeps, and the ledger it pays on."""
