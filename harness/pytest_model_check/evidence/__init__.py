"""Evidence: what a run found, in files that another process can judge; nothing in them is ever executed."""
