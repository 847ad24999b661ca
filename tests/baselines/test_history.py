"""The history of a baseline: every recording, by whom, on which data, and nothing left out in silence."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from pytest_model_check.baselines import history
from pytest_model_check.cli import main
from pytest_model_check.errors import BaselineError
from pytest_model_check.report import history_plot, history_table, promise_table
from support.lives import Life, accepted, anchor, baseline, metric

OTHER_DATA = (("data/churn.csv", "f" * 32),)


@pytest.fixture
def life(tmp_path, monkeypatch) -> Life:
    life = Life(tmp_path / "repository")
    monkeypatch.chdir(life.path)
    return life


def generations(life: Life, name="churn") -> list[int]:
    return [one.baseline.generation for one in history.recordings(life.folder, name)]


def rows_of(out: str) -> list[str]:
    return [line for line in out.splitlines() if "roc_auc " in line]


def test_every_recording_is_listed_with_who_brought_it_and_when(life):
    first = life.record(baseline(0.9), author="Ada", day=1)
    life.commit("Something else", day=2)
    second = life.record(baseline(0.92, 2), author="Grace", day=3)
    found = history.recordings(life.folder, "churn")
    assert [(one.commit.sha, one.commit.author, one.commit.date[:10]) for one in found] == [
        (first, "Ada", "2026-03-01"),
        (second, "Grace", "2026-03-03"),
    ]


def test_what_is_not_committed_yet_comes_last(life, capsys):
    life.record(baseline(0.9))
    life.write(baseline(0.92, 2))
    found = history.recordings(life.folder, "churn")
    assert [one.commit is None for one in found] == [False, True]
    assert main(["history", "churn"]) == 0
    assert "not yet" in capsys.readouterr().out


def test_the_table_shows_score_interval_margin_drift_data_and_reason(life, capsys):
    life.record(baseline(0.9), day=1)
    worse = {"roc_auc": metric(0.885, anchor=anchor(0.9))}
    life.record(baseline(0.9, 2, metrics=worse, history=(accepted(2, "the new law"),)), day=2)
    life.record(baseline(0.7, 3, data=OTHER_DATA), day=3)
    assert main(["history"]) == 0
    out = capsys.readouterr().out
    first, second, third = rows_of(out)
    assert "0.900" in first
    assert "0.880 to 0.920" in first
    assert "0.020" in first
    assert "-0.015" in second
    assert second.rstrip().endswith("the new law")
    assert "the new law" not in third
    assert "ffffffff *" in third
    assert "*" not in first + second
    assert "95% interval" in out


def test_a_terminal_of_80_columns_has_room_for_all(life):
    life.record(baseline(0.9), day=1)
    worse = {"roc_auc": metric(0.885, anchor=anchor(0.9))}
    life.record(baseline(0.9, 2, metrics=worse, history=(accepted(2, "the new law, " * 12),)), day=2)
    past = [history.read(life.folder, "churn")]
    text = history_table.render(past, width=80)
    assert max(map(len, text.splitlines())) <= 80 < max(map(len, history_table.render(past).splitlines()))
    first, second = text.split("recording 1: 2026-03-01, ")[1].split("recording 2: 2026-03-02, ")
    assert "0.880 to 0.920" in first
    assert "accepted loss: the new law, the new law" in second
    assert "-0.015" in second
    shown = promise_table.render([baseline(0.9)], width=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "0.900 ± " in shown


def test_the_drift_so_far_is_said_below_the_table(life, capsys):
    life.record(baseline(0.9))
    life.record(baseline(0.9, 2, metrics={"roc_auc": metric(0.885, anchor=anchor(0.9))}))
    main(["history"])
    assert (
        "roc_auc: -0.015 since recording 1 scored 0.900, the anchor; harmless in all is 0.020"
        in capsys.readouterr().out
    )


def test_a_recording_undone_and_made_again_is_listed_each_time(life):
    life.record(baseline(0.9))
    life.record(baseline(0.92, 2))
    life.git("revert", "--no-edit", "HEAD")
    assert generations(life) == [1, 2, 1]


def test_a_commit_that_only_reformats_or_renames_is_no_recording(life):
    life.record(baseline(0.9, name="attrition"))
    life.git("mv", "baselines/attrition.json", "baselines/churn.json")
    life.record(baseline(0.9, formerly=("attrition",)))
    life.record(baseline(0.92, 2, formerly=("attrition",)))
    found = history.recordings(life.folder, "churn")
    assert [(one.baseline.name, one.baseline.generation) for one in found] == [("attrition", 1), ("churn", 2)]


def test_two_renames_and_one_back_are_followed(life):
    life.record(baseline(0.9, name="a"), day=1)
    life.git("mv", "baselines/a.json", "baselines/b.json")
    life.record(baseline(0.91, 2, name="b", formerly=("a",)), day=2)
    life.git("mv", "baselines/b.json", "baselines/a.json")
    life.record(baseline(0.92, 3, name="a", formerly=("a", "b")), day=3)
    assert generations(life, "a") == [1, 2, 3]


def test_a_rename_that_is_not_committed_is_followed(life):
    life.record(baseline(0.9, name="attrition"))
    (life.folder / "attrition.json").unlink()
    life.write(baseline(0.9, formerly=("attrition",)))
    (one,) = history.recordings(life.folder, "churn")
    assert one.baseline.name == "attrition"


def test_another_check_that_bears_the_old_name_now_has_a_history_of_its_own(life):
    life.record(baseline(0.9, name="attrition"))
    life.git("mv", "baselines/attrition.json", "baselines/churn.json")
    life.record(baseline(0.9, formerly=("attrition",)))
    life.record(baseline(0.6, 7, name="attrition"))
    assert generations(life) == [1]


def test_another_check_that_bore_the_new_name_before_is_left_out(life):
    life.record(baseline(0.6, 7))
    life.record(baseline(0.9, name="attrition"))
    life.git("rm", "-q", "baselines/churn.json")
    life.commit("Delete")
    life.git("mv", "baselines/attrition.json", "baselines/churn.json")
    life.record(baseline(0.9, formerly=("attrition",)))
    assert generations(life) == [1]


def test_a_version_that_cannot_be_read_is_said(life, capsys):
    (life.folder / "churn.json").write_text('{"schema": 3}\n', encoding="utf-8")
    life.commit("Torn", day=5)
    plain = json.loads((life.folder / "churn.json").read_text()) | {"name": "churn"}
    (life.folder / "churn.json").write_text(json.dumps(plain), encoding="utf-8")
    life.commit("Torn again", day=6)
    life.record(baseline(0.9), day=7)
    assert generations(life) == [1]
    main(["history", "churn"])
    out = capsys.readouterr().out
    assert "2026-03-05" in out
    assert "churn.json: the key data is missing" in out


def test_a_version_edited_by_hand_is_said(life):
    life.record(baseline(0.9))
    path = life.folder / "churn.json"
    path.write_text(path.read_text().replace("0.9,", "0.99,"), encoding="utf-8")
    life.commit("Cheat")
    life.record(baseline(0.92, 2))
    found = history.read(life.folder, "churn")
    assert [one.baseline.generation for one in found.recordings] == [1, 2]
    assert "digest does not match" in found.remarks[0]


def test_a_baseline_that_was_deleted_and_recorded_anew_says_so(life):
    life.record(baseline(0.9))
    life.git("rm", "-q", "baselines/churn.json")
    life.commit("Delete", day=9)
    life.folder.mkdir(exist_ok=True)
    life.record(baseline(0.8))
    found = history.read(life.folder, "churn")
    assert [one.baseline.metrics["roc_auc"].score for one in found.recordings] == [0.9, 0.8]
    assert "churn.json was deleted" in found.remarks[0]


def test_a_deleted_baseline_still_has_its_history(life, capsys):
    life.record(baseline(0.9))
    life.write(baseline(0.9, name="other"))
    life.git("rm", "-q", "baselines/churn.json")
    life.commit("Delete")
    assert main(["history", "churn"]) == 0
    out = capsys.readouterr().out
    assert len(rows_of(out)) == 1
    assert "churn.json is not in baselines/ any more" in out


def test_both_sides_of_a_merge_are_listed(life):
    life.record(baseline(0.9))
    life.git("switch", "-qc", "side")
    life.record(baseline(0.92, 2), day=2)
    life.git("switch", "-q", "main")
    life.write(baseline(0.5, name="other"))
    life.commit("Main goes on", day=3)
    life.git("merge", "-q", "--no-ff", "--no-edit", "side")
    assert generations(life) == [1, 2]


def test_a_merge_that_brings_a_recording_of_its_own_is_listed(life):
    life.record(baseline(0.9))
    life.git("switch", "-qc", "side")
    life.record(baseline(0.92, 2))
    life.git("switch", "-q", "main")
    life.record(baseline(0.91, 2))
    life.git("merge", "-q", "--no-commit", "-s", "ours", "side")
    merge = life.record(baseline(0.95, 3))
    assert history.recordings(life.folder, "churn")[-1].commit.sha == merge


def test_a_shallow_clone_says_that_its_history_is_cut_and_how_to_get_it(life, tmp_path, monkeypatch):
    life.record(baseline(0.9))
    life.record(baseline(0.92, 2))
    subprocess.run(["git", "clone", "-q", "--depth=1", life.path.as_uri(), tmp_path / "shallow"], check=True)
    found = history.read(tmp_path / "shallow" / "baselines", "churn")
    assert [one.baseline.generation for one in found.recordings] == [2]
    assert "git fetch --unshallow" in found.remarks[0]
    subprocess.run(["git", "fetch", "-q", "--unshallow"], cwd=tmp_path / "shallow", check=True)
    found = history.read(tmp_path / "shallow" / "baselines", "churn")
    assert [one.baseline.generation for one in found.recordings] == [1, 2]
    assert found.remarks == ()


def test_a_detached_head_a_repository_without_commits_and_none_at_all_are_said(life, tmp_path):
    life.write(baseline(0.9))
    assert "no commits yet" in history.read(life.folder, "churn").remarks[0]
    life.commit()
    life.git("switch", "-q", "--detach", "HEAD")
    assert "HEAD is detached at" in history.read(life.folder, "churn").remarks[0]
    bare = tmp_path / "nowhere" / "baselines"
    bare.mkdir(parents=True)
    (bare / "churn.json").write_bytes((life.folder / "churn.json").read_bytes())
    found = history.read(bare, "churn")
    assert len(found.recordings) == 1
    assert "no git repository" in found.remarks[0]


def test_an_unknown_name_is_refused_with_the_ones_that_may_be_meant(life, capsys):
    life.record(baseline(0.9))
    with pytest.raises(BaselineError, match="did you mean churn"):
        history.read(life.folder, "chrun")
    assert main(["history", "chrun"]) == 2
    assert main(["show", "chrun"]) == 2
    assert capsys.readouterr().err.count("did you mean churn?\nThere are: churn.\n") == 2


def test_no_baseline_at_all_says_how_to_record_one(life, capsys):
    assert main(["history"]) == 2
    assert "--update-baselines" in capsys.readouterr().err


def test_a_hostile_author_steers_no_terminal(life, capsys):
    life.record(baseline(0.9), author="Eve\x1b[31m\u202eevil")
    life.record(baseline(0.92, 2, history=(accepted(2, "a\nb\x1b]0;c"),)))
    main(["history"])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "a b\\x1b]0;c" in out


def test_a_line_break_of_unicode_in_a_subject_is_none(life):
    life.write(baseline(0.9))
    life.commit("One\u2028two\x0bthree")
    assert generations(life) == [1]


def test_thirty_recordings_take_few_processes(life, monkeypatch):
    for generation in range(1, 31):
        life.record(baseline(0.9 + generation / 1000, generation))
    started = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: started.append(a[0]) or run(*a, **k))
    assert len(history.recordings(life.folder, "churn")) == 30
    assert len(started) < 12


# --- the plot


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_plot_is_drawn(life, ending, capsys):
    both = {"roc_auc": metric(0.9), "accuracy": metric(0.8)}
    life.record(baseline(metrics=both))
    life.record(baseline(0.88, 2, history=(accepted(2, "the new law"),)))
    life.record(baseline(0.7, 3, data=OTHER_DATA))
    assert main(["history", "--plot", f"skill.{ending}"]) == 0
    drawn = (life.path / f"skill.{ending}").read_bytes()
    assert drawn.startswith(b"\x89PNG" if ending == "png" else b"<?xml")


def test_the_plot_names_axes_intervals_dummy_data_moves_and_accepted_losses(life):
    life.record(baseline(0.9), day=1)
    life.record(baseline(0.88, 2, history=(accepted(2, "the new law"),)), day=2)
    life.record(baseline(0.7, 3, data=OTHER_DATA), day=3)
    found = history.read(life.folder, "churn")
    drawn = history_plot.draw([found], "svg")
    words = " ".join(ET.fromstring(drawn).itertext())
    for expected in (
        "churn: roc_auc",
        "higher is better",
        "recording, date, commit",
        "95% interval",
        "dummy",
        "the data moved",
        "accepted loss",
        "2026-03-01",
    ):
        assert expected in words, expected
    assert history_plot.draw([found], "svg") == drawn


def test_a_dummy_far_below_is_named_and_the_scores_stay_readable(life):
    far = metric(0.999, standard_error=0.0001)
    life.record(baseline(metrics={"roc_auc": far}))
    words = " ".join(ET.fromstring(history_plot.draw([history.read(life.folder, "churn")], "svg")).itertext())
    assert "far below this axis" in words


def test_names_like_mathematics_and_markup_are_drawn_as_they_are(life):
    life.record(baseline(metrics={"$\\frac$<b>&": metric(0.9)}))
    words = " ".join(ET.fromstring(history_plot.draw([history.read(life.folder, "churn")], "svg")).itertext())
    assert "$\\frac$<b>&" in words


@pytest.mark.parametrize("name", ["skill.pdf", "skill", "absent/skill.png"])
def test_a_plot_that_cannot_be_written_is_refused_in_words(life, capsys, name):
    life.record(baseline(0.9))
    assert main(["history", "--plot", name]) == 2
    assert name in capsys.readouterr().err


def test_without_matplotlib_the_command_that_installs_it_is_named(life, tmp_path):
    life.record(baseline(0.9))
    blocked = (
        "import sys; sys.modules['matplotlib'] = None; from pytest_model_check.cli import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", blocked, "history"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0
    done = subprocess.run([*command, "--plot", "a.svg"], capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 2
    assert "pip install 'pytest-model-check[report]'" in done.stderr


def test_history_through_a_real_project(project, capsys):
    project.check("DecisionTreeClassifier(max_depth=2, random_state=0)", 'metrics="roc_auc", seeds=2, cv=5')
    assert project.run("--update-baselines").ret == 0
    project.git("add", "-A")
    project.git("commit", "-qm", "A stump")
    project.check(promise='metrics="roc_auc", seeds=2, cv=5')
    assert project.run("--update-baselines").ret == 0
    project.git("add", "-A")
    project.git("commit", "-qm", "Logistic regression")
    capsys.readouterr()
    assert main(["history", "tumours"]) == 0
    first, second = rows_of(capsys.readouterr().out)
    assert first.split()[0] == "1"
    assert second.split()[0] == "2"
    assert replace(history.recordings(project.path / "baselines", "tumours")[1], commit=None).baseline.generation == 2
