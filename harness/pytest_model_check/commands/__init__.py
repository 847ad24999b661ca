"""The commands of ``model-check``: a module for each, with what it takes and what it does."""
