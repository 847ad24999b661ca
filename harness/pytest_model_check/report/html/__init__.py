"""The page: a run as one file of HTML."""
