"""A session: one run of pytest, from options to outputs."""
