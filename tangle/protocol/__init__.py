"""What is on the wire: blocks, payloads, outputs, addresses and the rules each obeys alone.

Pure: no clock, no I/O, no state. The formats are the Stardust-era TIPs; each module names its own.
"""
