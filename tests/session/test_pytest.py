"""pytest with and without --model-check: what runs, what never passes, what is said."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.project import LOGISTIC, Project
from support.runs import CLAIMS, K, messages

LEFT_OVER = re.compile(r"\.tmp$|\.before$")
TWO = f"""
    def test_good(model_check):
        model_check({LOGISTIC}, {K})

    def test_stump(model_check):
        model_check(DecisionTreeClassifier(max_depth=1), {K})

    def test_ordinary():
        pass
"""


def plain(project: Project, pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest without --model-check."""
    os.chdir(project.path)
    return pytester.runpytest_inprocess(*arguments)


def pytest_in(project: Project, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, cwd=project.path, capture_output=True, text=True)


def junit(path: Path) -> dict[str, list[ET.Element]]:
    """Return the failures and errors of each test case."""
    found: dict[str, list[ET.Element]] = {}
    for case in ET.parse(path).iter("testcase"):
        found.setdefault(case.get("name", ""), []).extend(case.findall("failure") + case.findall("error"))
    return found


# -- what runs ---------------------------------------------------------------------------------------------------------


def test_an_ordinary_run_skips_the_model_checks_and_says_how_to_run_them(
    project: Project, pytester: pytest.Pytester
) -> None:
    project.source(
        TWO
        + """
    import pytest

    @pytest.fixture
    def release(model_check):
        return model_check

    def test_by_a_fixture(release):
        assert False

    def test_by_name(request):
        request.getfixturevalue("model_check")
        assert False
    """
    )
    result = plain(project, pytester, "-rs")
    result.assert_outcomes(passed=1, skipped=4)
    result.stdout.fnmatch_lines(["*run with --model-check*"])
    result.stdout.no_fnmatch_line("*model-check: *")
    assert project.stored() == {}


def test_the_marker_selects_the_tests_that_use_the_fixture(project: Project, pytester: pytest.Pytester) -> None:
    project.source(TWO)
    chosen = ("--strict-markers", "-rs", "-m", "model_check")
    plain(project, pytester, *chosen).assert_outcomes(skipped=2, deselected=1)
    plain(project, pytester, "--strict-markers", "-m", "not model_check").assert_outcomes(passed=1, deselected=2)
    plain(project, pytester, "--markers").stdout.fnmatch_lines(["@pytest.mark.model_check: *"])
    project.run(*chosen, "--update-baselines").assert_outcomes(passed=2, deselected=1)


def test_without_model_check_the_plugin_imports_nothing_heavy(project: Project) -> None:
    (project.path / "test_light.py").write_text(
        "import sys\n"
        "def test_light(model_check): pass\n"
        "def test_imports():\n"
        "    heavy = {'numpy', 'pandas', 'sklearn', 'dvc', 'scipy', 'joblib', 'tabulate', 'cloudpickle', 'pyarrow'}\n"
        "    assert not heavy & set(sys.modules)\n"
        "    assert 'pytest_model_check.session.session' not in sys.modules\n"
    )
    done = pytest_in(project, [sys.executable, "-m", "pytest", "-q"])
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout


def test_the_autoloaded_plugin_can_be_switched_off(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.delenv("PYTEST_PLUGINS")
    (project.path / "test_light.py").write_text("def test_light(model_check): pass\ndef test_ordinary(): pass\n")
    others = ["-p", "no:hydra_pytest", "-p", "no:hypothesispytest", "-p", "no:xdist"]
    pytest_here = [sys.executable, "-m", "pytest", "-rs", *others]
    loaded = pytest_in(project, pytest_here)
    assert "1 passed, 1 skipped" in loaded.stdout
    off = pytest_in(project, [*pytest_here, "-p", "no:model_check"])
    assert "fixture 'model_check' not found" in off.stdout
    assert "1 passed, 1 error" in off.stdout


def test_model_check_runs_the_checks_and_nothing_else(project: Project) -> None:
    project.source(
        f"""
        import pytest

        @pytest.fixture
        def release(model_check):
            return model_check

        def test_good(release):
            release({LOGISTIC}, {K})

        @pytest.mark.parametrize("depth", [1, 2])
        def test_tree(model_check, depth):
            model_check(DecisionTreeClassifier(max_depth=depth), {K})

        def test_several(model_check):
            first = model_check({LOGISTIC}, {K}, name="first")
            second = model_check(Ridge(), data="data/patients.csv", target="progression", cv=3, seeds=1, name="second")
            assert (first.name, second.name) == ("first", "second")
            assert first.passed and second.passed

        def test_ordinary():
            assert False
        """
    )
    result = project.run("--update-baselines")
    result.assert_outcomes(passed=4, deselected=1)
    names = ["first", "good", "second", "tree-1", "tree-2"]
    assert sorted(name for name in project.stored() if name.endswith(".json")) == [f"{name}.json" for name in names]
    assert project.baseline("tree-2")["nodeid"] == "test_models.py::test_tree[2]"
    result.stdout.fnmatch_lines(
        ["model-check: updating baselines/", "5 model checks: 5 passed; 87 fits in *", "recorded baselines/good.json"]
    )
    result.stdout.fnmatch_lines(["To approve:", "  git add test_models.py baselines/good.json *", "  dvc push"])

    assert "fold by fold" not in project.run("-v").stdout.str()  # nothing fails
    result = project.run("-vv")
    result.assert_outcomes(passed=4, deselected=1)
    result.stdout.fnmatch_lines(["model-check: against baselines/", "*5 passed; 15 fits (15 from the cache) in *"])
    result.stdout.fnmatch_lines(["good, fold by fold", "*roc_auc: baseline*roc_auc: candidate*"])
    project.run("-q", "test_models.py::test_tree[2]").assert_outcomes(passed=1)
    assert project.verdicts() == {"tree-2": "identical"}
    project.run("-k", "good").assert_outcomes(passed=1, deselected=4)


def test_pytests_own_options_keep_their_meaning(project: Project) -> None:
    project.source(TWO)
    project.run("--update-baselines").assert_outcomes(passed=2, deselected=1)
    project.source(TWO.replace(LOGISTIC, "DecisionTreeClassifier(max_depth=1)").replace("test_stump", "test_tree"))

    project.run("-x").assert_outcomes(failed=1, deselected=1)
    assert project.verdicts() == {"good": "worse"}
    result = project.run("--maxfail=2", "-rA", "--durations=2", "--junitxml=junit.xml")
    result.assert_outcomes(failed=2, deselected=1)
    result.stdout.fnmatch_lines(
        ["*slowest 2 durations*", "FAILED test_models.py::test_good - good: roc_auc is worse by*"]
    )
    failures = junit(project.path / "junit.xml")
    assert failures["test_good"][0].get("message", "").startswith("good: roc_auc is worse by 0.")
    assert "tree: there is no baseline" in failures["test_tree"][0].get("message", "")
    assert project.verdicts() == {"good": "worse", "tree": "missing"}

    project.run("test_models.py::test_good").assert_outcomes(failed=1)
    project.source(TWO)
    project.run("--lf").assert_outcomes(passed=1)
    assert project.verdicts() == {"good": "identical"}


def test_quiet_shows_what_fails_and_the_totals(project: Project) -> None:
    project.source(TWO)
    project.run("--update-baselines", "-k", "good")
    result = project.run("-q")
    lines = result.outlines[result.outlines.index(next(s for s in result.outlines if "= model checks =" in s)) + 1 :]
    assert [line.split()[0] for line in lines[:5]] == ["check", "-------", "stump", "stump:", "2"]
    assert lines[4].startswith("2 model checks: 1 failed, 1 passed; 3 fits (3 from the cache) in ")
    result.stdout.no_fnmatch_line("next: *")

    result = project.run("-k", "stump")
    result.stdout.fnmatch_lines(
        ["1 model check: 1 failed; 0 fits in *", "next: pytest --model-check --update-baselines"]
    )


def test_the_next_command_can_be_typed_as_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project.path / "tests"
    folder.mkdir()
    project.source(
        """
        import pytest

        @pytest.mark.parametrize("scale", ["a b"])
        def test_stump(model_check, scale):
            assert False
        """,
        file="tests/test_models.py",
    )
    result = project.run()
    result.stdout.fnmatch_lines(["next: pytest --model-check -v 'tests/test_models.py::test_stump[[]a b]'"])
    monkeypatch.setattr(Project, "_command", staticmethod(lambda arguments: ["--model-check", *arguments]))
    monkeypatch.setattr(os, "chdir", lambda path, chdir=os.chdir: chdir(folder))
    result = project.run()
    result.stdout.fnmatch_lines(["next: pytest --model-check -v 'test_models.py::test_stump[[]a b]'"])


def test_collect_only_trains_and_writes_nothing(project: Project) -> None:
    project.source(
        TWO.replace("model_check(", "raise SystemExit('it ran')  # ").replace(
            "raise SystemExit('it ran')  # ):", "model_check):"
        )
    )
    result = project.run("--collect-only", "-q", "--update-baselines")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["test_models.py::test_good", "2/3 tests collected (1 deselected)*"])
    result.stdout.no_fnmatch_line("*model checks*")
    assert project.stored() == {}
    assert not (project.path / "report.json").exists()


def test_paths_and_testpaths(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("unit", "checks/a", "checks/b"):
        (project.path / folder).mkdir(parents=True)
    project.source("import nothing_like_that", file="unit/test_unit.py")
    project.source(TWO, file="checks/a/test_models.py")
    project.source("def test_other(model_check): pass", file="checks/b/test_other.py")
    (project.path / "pytest.ini").write_text("[pytest]\ntestpaths = unit\nmodel_check_testpaths = checks/*\n")
    project.run("--collect-only", "-q").stdout.fnmatch_lines(["3/4 tests collected*"])
    project.run("--collect-only", "-q", "checks/b").stdout.fnmatch_lines(["1 test collected*"])
    # from a folder below, the same as pytest's own testpaths: what is there; data and baselines still from rootdir
    monkeypatch.setattr(os, "chdir", lambda path, chdir=os.chdir: chdir(project.path / "checks" / "a"))
    result = project.run("--update-baselines")
    result.assert_outcomes(passed=2, deselected=1)
    result.stdout.fnmatch_lines(["recorded */project/baselines/good.json"])
    assert "good.json" in project.stored()
    assert (project.path / "checks" / "a" / "report.json").exists()


# -- settings ----------------------------------------------------------------------------------------------------------

INI = """
[pytest]
model_check_baselines = approved
model_check_jobs = 1
model_check_report = out/ini.md out/ini.json
model_check_inconclusive = pass
"""
TOML = """
[tool.pytest]
model_check_baselines = "approved"
model_check_jobs = 1
model_check_report = ["out/ini.md", "out/ini.json"]
model_check_inconclusive = "pass"
"""


@pytest.mark.parametrize(("file", "text"), [("pytest.ini", INI), ("pyproject.toml", TOML)])
def test_settings_come_from_the_ini_file(project: Project, pytester: pytest.Pytester, file: str, text: str) -> None:
    (project.path / "pytest.ini").unlink()
    (project.path / file).write_text(text)
    project.source(TWO)
    os.chdir(project.path)
    result = pytester.runpytest_inprocess("--update-baselines", "-k", "stump")
    result.stdout.fnmatch_lines(["model-check: updating approved/"])
    assert (project.path / "approved" / "stump.json").exists()
    assert "## ✅ May ship: 1 of 1 model check passed" in (project.path / "out" / "ini.md").read_text(encoding="utf-8")
    assert (project.path / "out" / "ini.json").exists()

    (project.path / "out" / "ini.md").unlink()
    pytester.runpytest_inprocess("--model-check", "--model-check-report=cli.md", "-k", "stump")
    assert (project.path / "cli.md").exists()
    assert not (project.path / "out" / "ini.md").exists()


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("pytest.ini", "[pytest]\nmodel_check_jobs = many", "*model_check_jobs: use a whole number*"),
        ("pytest.ini", "[pytest]\nmodel_check_jobs = -1", "*model_check_jobs = -1: use a whole number*"),
        ("pyproject.toml", "[tool.pytest]\nmodel_check_jobs = '2'", "*model_check_jobs: use a whole number*"),
        (
            "pytest.ini",
            "[pytest]\nmodel_check_inconclusive = warn",
            "*model_check_inconclusive = warn: use fail or pass",
        ),
        ("pytest.ini", "[pytest]\nmodel_check_timeout = soon", "*model_check_timeout: use a number of seconds*"),
        ("pytest.ini", "[pytest]\nmodel_check_timeout = -1", "*model_check_timeout = -1: use a number of seconds*"),
        ("pytest.ini", "[pytest]\nmodel_check_report = a.pdf", "*a.pdf: can't tell the format*.md, .json*"),
    ],
)
def test_wrong_settings_are_a_usage_error(
    project: Project, pytester: pytest.Pytester, file: str, text: str, complaint: str
) -> None:
    (project.path / "pytest.ini").unlink()
    (project.path / file).write_text(text)
    os.chdir(project.path)
    result = pytester.runpytest_inprocess("--model-check")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {complaint}"])


@pytest.mark.parametrize(
    "option",
    [
        "--model-check-jobs=0",
        "--model-check-jobs=x",
        "--model-check-report=report",
        "--model-check-engine=spark",
        "--model-check-engine=dask://host",
    ],
)
def test_wrong_options_are_a_usage_error(project: Project, option: str) -> None:
    result = project.run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{option.partition('=')[0]}*"])


# -- never green for lack of evidence ----------------------------------------------------------------------------------


def test_no_check_is_no_pass(project: Project) -> None:
    project.source("def test_ordinary(): pass")
    for more in ((), ("-k", "nothing"), ("-q",)):
        result = project.run(*more)
        assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
        result.stdout.fnmatch_lines(["No model check was collected: *the fixture model_check*"])
        assert project.report() == {
            "schema": 1,
            "passed": False,
            "against": None,
            "problems": ["No model check was collected: a check is a test that uses the fixture model_check."],
            "retired": [],
            "checks": [],
            "silent": {},
            "collected": [],
        }


def test_a_check_that_proves_nothing_fails_in_its_own_words(project: Project) -> None:
    project.source(
        f"""
        import pytest

        def judge(model_check):
            return model_check({LOGISTIC}, {K})

        @pytest.fixture
        def skipping():
            pytest.skip("no driver")

        @pytest.fixture
        def breaking():
            raise ValueError("no database")

        @pytest.fixture
        def breaking_late():
            yield
            raise ValueError("no cleaning")

        @pytest.mark.skip(reason="later")
        def test_marked(model_check): judge(model_check)

        @pytest.mark.skipif(True, reason="on Mondays")
        def test_conditional(model_check): judge(model_check)

        def test_in_body(model_check): pytest.skip("no time")

        def test_skip_after(model_check):
            judge(model_check)
            pytest.skip("enough")

        def test_importorskip(model_check): pytest.importorskip("nothing_like_that")

        def test_fixture_skips(skipping, model_check): judge(model_check)

        @pytest.mark.xfail(reason="known")
        def test_xfail_bad(model_check): model_check(DummyClassifier(), {K})

        @pytest.mark.xfail(strict=True)
        def test_xfail_strict_bad(model_check): model_check(DummyClassifier(), {K})

        @pytest.mark.xfail(run=False)
        def test_xfail_no_run(model_check): judge(model_check)

        def test_xfail_called(model_check):
            judge(model_check)
            pytest.xfail("known")

        @pytest.mark.xfail(strict=True)
        def test_xfail_strict_good(model_check): judge(model_check)

        def test_never(model_check): pass

        def test_own_assert(model_check):
            judge(model_check)
            assert 1 == 2, "mine"

        def test_setup(breaking, model_check): judge(model_check)

        def test_teardown(breaking_late, model_check): judge(model_check)

        def test_swallows(model_check):
            try:
                model_check(DummyClassifier(), {K})
            except BaseException:
                pass

        def test_good(model_check): judge(model_check)
        """
    )
    result = project.run("--update-baselines", "--junitxml=junit.xml")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    said = messages(project)
    nothing = "so nothing was proved"
    dummy = "roc_auc is 0.5, no better than a dummy"
    expected = {
        "marked": f"the check was skipped, {nothing} (later)",
        "conditional": f"the check was skipped, {nothing} (on Mondays)",
        "in_body": f"the check was skipped, {nothing} (no time)",
        "skip_after": f"the check was skipped, {nothing} (enough)",
        "importorskip": f"the check was skipped, {nothing} (could not import 'nothing_like_that'",
        "fixture_skips": f"the check was skipped, {nothing} (no driver)",
        "xfail_bad": dummy,
        "xfail_strict_bad": dummy,
        "xfail_no_run": f"the check was expected to fail, {nothing}",
        "xfail_called": f"the check was expected to fail, {nothing} (known)",
        "xfail_strict_good": "the test itself failed: [XPASS(strict)]",
        "never": f"the test never called model_check, {nothing}",
        "own_assert": "the test itself failed: AssertionError: mine",
        "setup": "the test's setup failed: ValueError: no database",
        "teardown": "the test's teardown failed: ValueError: no cleaning",
        "swallows": dummy,
        "good": "recorded",
    }
    assert list(said) == list(expected)
    for name, text in expected.items():
        assert said[name].startswith(f"{name}: {text}"), name
        if name != "good":
            result.stdout.fnmatch_lines([said[name].replace("[", "[[]")])
    verdicts = project.verdicts()
    assert verdicts.pop("good") == "recorded"
    assert set(verdicts.values()) == {"error"}
    assert sorted(project.stored()) == [".gitignore", "good.json", "good.parquet", "good.parquet.dvc"]
    result.stdout.fnmatch_lines(["17 model checks: 16 failed, 1 passed; *"])
    failures = junit(project.path / "junit.xml")
    assert [name for name, found in failures.items() if not found] == ["test_good"]
    assert failures["test_never"][0].get("message") == f"never: the test never called model_check, {nothing}"


def test_subtests_are_no_way_around(project: Project) -> None:
    project.source(
        f"""
        import pytest

        def test_good(model_check, subtests):
            with subtests.test("before"):
                pass
            with subtests.test("check"):
                model_check({LOGISTIC}, {K})

        def test_own_assert(model_check, subtests):
            with subtests.test("check"):
                model_check({LOGISTIC}, {K})
            with subtests.test("mine"):
                assert False

        def test_skip(model_check, subtests):
            model_check({LOGISTIC}, {K})
            with subtests.test("skip"):
                pytest.skip("no time")
        """
    )
    assert project.run("--update-baselines").ret == 1
    assert project.verdicts() == {
        "good": "recorded",
        "own_assert": "error",
        "skip": "error",
    }
    assert [name for name in project.stored() if name.endswith(".json")] == ["good.json"]


def test_an_exit_that_hides_checks_does_not_pass(project: Project) -> None:
    project.source(
        f"""
        import pytest

        def test_good(model_check):
            model_check({LOGISTIC}, {K})

        def test_leaves(model_check):
            pytest.exit("enough", returncode=0)
        """
    )
    result = project.run("--update-baselines")
    assert result.ret != 0
    assert project.report()["passed"] is False
    result.stdout.fnmatch_lines(["Never judged: test_models.py::test_leaves"])


def test_what_cannot_be_collected_does_not_pass(project: Project) -> None:
    project.source(TWO)
    project.source("import nothing_like_that", file="test_broken.py")
    result = project.run("--update-baselines")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    problem = "test_broken.py could not be collected: ModuleNotFoundError: No module named 'nothing_like_that'"
    result.stdout.fnmatch_lines([problem])
    assert project.report()["problems"] == [problem]
    assert project.report()["passed"] is False
    assert project.stored() == {}


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("-k", "test_A"), ("--collect-only",)])
def test_derived_names_that_clash_are_an_error_at_collection(project: Project, more: tuple[str, ...]) -> None:
    project.source("def test_a(model_check): pass")
    project.source("def test_A(model_check): pass", file="test_more.py")
    result = project.run(*more)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["two model checks have the name 'A': test_models.py::test_a and test_more.py::test_A", "*rename one*"]
    )


def test_parameters_that_collapse_are_an_error_at_collection(project: Project) -> None:
    project.source(
        """
        import pytest

        @pytest.mark.parametrize("x", ["a/b", "a-b"])
        def test_x(model_check, x): pass
        """
    )
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["two model checks have the name 'x-a-b': *test_x[[]a/b] and *test_x[[]a-b]"])


def test_a_name_that_is_claimed_twice_fails_both(project: Project) -> None:
    project.source(CLAIMS)
    result = project.run("--update-baselines", "--junitxml=junit.xml")
    assert result.ret == 1
    assert [name for name in project.stored() if name.endswith(".json")] == ["good.json"]
    assert [check["passed"] for check in project.report()["checks"]] == [False] * 8 + [True]
    both = "two checks claim this name: both test_models.py::test_a and test_models.py::test_b"
    assert messages(project)["same"] == f"same: {both}"
    assert messages(project)["Same"] == f"Same: {both}"
    assert messages(project)["twice"] == "twice: two checks claim this name: 2 calls in test_models.py::test_e"
    result.stdout.fnmatch_lines([f"same: {both}", f"Same: {both}"])
    failures = junit(project.path / "junit.xml")
    assert [name for name, found in failures.items() if not found] == ["test_good"]
    assert both in failures["test_b"][0].get("message", "")


# -- the terminal ------------------------------------------------------------------------------------------------------


def screen_of(project: Project, columns: int, *arguments: str) -> tuple[str, list[str]]:
    """Run pytest in a pseudo-terminal; give all that was written, and the lines that remain on the screen."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    import termios

    command = [sys.executable, "-m", "pytest", "--model-check", "--model-check-jobs=1", "--color=no", *arguments]
    terminal, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, columns))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(command, cwd=project.path, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    while select.select([terminal], [], [], 120)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not chunk:
            break
        written += chunk
    process.wait()
    os.close(terminal)
    text = written.decode()
    lines: list[dict[int, str]] = [{}]
    row = column = 0
    for character in text:
        if character == "\n":
            row += 1
        elif character == "\r":
            column = 0
        elif character == "\b":
            column = max(0, column - 1)
        else:
            if column == columns:
                row, column = row + 1, 0
            while len(lines) <= row:
                lines.append({})
            lines[row][column] = character
            column += 1
        while len(lines) <= row:
            lines.append({})
    return text, ["".join(line.get(i, " ") for i in range(max(line, default=-1) + 1)).rstrip() for line in lines]


def test_the_progress_line_comes_and_goes(project: Project) -> None:
    project.source(TWO)
    project.run("--update-baselines")

    text, screen = screen_of(project, 80)
    assert "good: fitting 0/3" in text
    assert re.search(r"good: fitting 2/3, \S+ a second, \d+\.\d s left", text)
    assert f"test_models.py ..{'[100%]':>62}" in screen
    assert not any("fitting" in line for line in screen)

    text, screen = screen_of(project, 46, "-v", "-s")
    assert " left" in text
    assert "test_models.py::test_good PASSED" in screen
    assert not any("fitting" in line for line in screen)

    text, _ = screen_of(project, 80, "-q")
    assert "fitting" not in text
    assert "fitting" not in project.run().stdout.str()


# -- interruption ------------------------------------------------------------------------------------------------------

SLOW = f"""
    import os, pathlib, time

    class Slow(LogisticRegression):
        def fit(self, X, y):
            if os.environ.get("SLOW"):
                pathlib.Path("begun").touch()
                time.sleep(60)
            return super().fit(X, y)

    def test_good(model_check):
        model_check({LOGISTIC}, {K})

    def test_slow(model_check):
        model_check(Slow(), {K})
"""


def living(group: int) -> list[str]:
    """Return the processes of a process group; what has ended, and waits to be noticed, is none."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(pgrp) == group and state not in "ZX":
            found.append(stat.parent.name)
    return found


def interrupt(project: Project, tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Send what Ctrl-C sends, to the whole group, while a candidate is being fitted."""
    folder = tmp_path / "temporary"
    folder.mkdir(exist_ok=True)
    begun = project.path / "begun"
    command = [sys.executable, "-m", "pytest", *project._command(arguments)]
    with subprocess.Popen(
        command,
        cwd=project.path,
        env=os.environ | {"SLOW": "1", "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not begun.exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while living(process.pid):
        assert time.monotonic() < deadline, living(process.pid)
        time.sleep(0.1)
    assert list(folder.glob("model-check-*")) == []
    return process.returncode, output


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    "arguments", [("--update-baselines",), ("--model-check-jobs=2",), ("--update-baselines", "-p", "xdist", "-n2")]
)
def test_ctrl_c_writes_nothing_and_leaves_nothing(project: Project, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    project.source(SLOW)
    project.run("--update-baselines").assert_outcomes(passed=2)
    before = project.stored()
    project.source(SLOW.replace("LogisticRegression())", "LogisticRegression(C=0.8))"))
    code, output = interrupt(project, tmp_path, *arguments)
    assert code == pytest.ExitCode.INTERRUPTED
    assert "The run was interrupted: not every check was judged" in output
    assert ("no baseline was written" in output) == ("--update-baselines" in arguments)
    assert project.stored() == before
    assert project.report()["passed"] is False
    assert not any(LEFT_OVER.search(name) for name in project.stored())
