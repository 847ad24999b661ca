"""Pull requests: which baseline decides, and what a branch claims."""
