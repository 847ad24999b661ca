"""A report -> other tools: experiment trackers, model repositories. None of them is a dependency."""
