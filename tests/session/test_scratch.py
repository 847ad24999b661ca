"""The temporary folder of a run, and what a killed run leaves."""

import subprocess
import sys
import tempfile

from pytest_model_check.session.scratch import Scratch

KILLED = """
import os, signal
from pytest_model_check.session.scratch import Scratch
(Scratch().path / "data").write_text("large")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_leaves_goes_with_the_next_and_what_others_use_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    others, running = tmp_path / "model-check-of-others", Scratch()
    others.mkdir()
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert len(list(tmp_path.iterdir())) == 3
    second = Scratch()
    assert set(tmp_path.iterdir()) == {others, running.path, second.path}
    running.close()
    second.close()
    assert list(tmp_path.iterdir()) == [others]
