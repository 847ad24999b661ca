"""Data: the rows at one version, as DVC and git know it, and their splits."""
