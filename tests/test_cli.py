"""The command line: help for everything, errors in words, and no terminal that breaks it."""

import os
import subprocess
import sys

import pytest
from pytest_model_check.cli import main
from support.lives import Life, baseline


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from pytest_model_check.cli import main; sys.exit(main())",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)


@pytest.mark.parametrize("command", ["show", "history", "diff", "judge", "plan", "rename", "retire", "write-up"])
def test_every_command_has_help_and_takes_the_folder_of_the_baselines(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert "--baselines DIR" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["rename", "one"], ["diff", "--format", "xml"]])
def test_a_wrong_call_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: model-check" in capsys.readouterr().err


def test_an_ascii_terminal_shows_names_that_it_has_no_letters_for(tmp_path, monkeypatch):
    life = Life(tmp_path / "repository")
    life.record(baseline(), author="Jürgen 李")
    monkeypatch.chdir(life.path)
    done = run("history", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "J\\xfcrgen" in done.stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from pytest_model_check.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'numpy', 'pandas', 'sklearn', 'dvc', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_in_a_subfolder_the_baselines_above_are_pointed_at(tmp_path, monkeypatch, capsys):
    life = Life(tmp_path / "repository")
    life.record(baseline())
    (life.path / "tests").mkdir()
    monkeypatch.chdir(life.path / "tests")
    assert main(["show"]) == 2
    assert f"There are some in {life.path / 'baselines'}: run it in {life.path}" in capsys.readouterr().err
