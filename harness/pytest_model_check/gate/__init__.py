"""The gate: one check, from data to verdict. Begin with `gate.py`."""
