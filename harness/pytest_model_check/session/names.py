"""The names under which plugin and session know one another."""

from __future__ import annotations

NAME = "model_check"  # the fixture, and the marker of tests that use it
SESSION = "model_check_session"  # the plugin that is registered while --model-check is on
EVIDENCE = "evidence"  # the folder, in that of temporary files, where it waits until the run is over
TOML = "model_checks.toml"  # checks without code
FOLDER = "baselines"  # where they lie, from rootdir, unless an ini file says otherwise
ENDINGS = (".md", ".json", ".txt", ".html")  # of the reports
