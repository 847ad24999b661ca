"""From a table to a first check: candidates side by side, the choice between them, and what is written of it."""
