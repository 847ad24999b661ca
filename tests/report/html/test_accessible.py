"""The page in a real browser: axe-core finds nothing to complain of, and nothing is wider than a phone."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from pytest_model_check.judgement.verdicts import WORST_FIRST, Run
from pytest_model_check.report.html import page
from support.pages import check, full, metric, recordings

AXE = "axe-core@4.14.1"
WIDTHS = (380, 800, 1400)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=60000", "--dump-dom",
]  # fmt: skip
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NPM = shutil.which("npm")
# In every frame: open what is closed, let axe look, and write what it found where --dump-dom shows it.
LOOK = """
addEventListener("load", async () => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  const found = await axe.run(document);
  const told = {
    violations: found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`),
    passes: found.passes.length,
    wide: document.documentElement.scrollWidth,
    width: innerWidth,
    paper: getComputedStyle(document.body).backgroundColor,
  };
  parent.document.getElementById(frameElement.name).textContent = JSON.stringify(told);
});
"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
    pytest.mark.skipif(NPM is None, reason="needs npm, which brings axe-core"),
]


@pytest.fixture(scope="session")
def axe() -> str:
    """Return axe-core's source; npm brings it once, into the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pytest-model-check" / AXE
    script = cache / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as fresh:  # another worker may be at it too
            command = [NPM, "install", "--prefix", fresh, "--no-audit", "--no-fund", "--ignore-scripts", AXE]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode:
                pytest.skip(f"npm could not bring {AXE}: {done.stderr.strip()[-200:]}")
            with suppress(OSError):
                Path(fresh, "node_modules").rename(cache / "node_modules")
    return script.read_text(encoding="utf-8")


def text() -> str:
    checks = [check(f"a {label} one", metric(label)) for label in WORST_FIRST]
    checks += [full("churn"), full("long_" * 40), check("broken")]
    run = Run(tuple(checks), False, "merge base 3f2a1c9", ("One test was never run",))
    return page.render(run, {"churn": recordings("churn")})


@pytest.mark.parametrize(("theme", "paper"), [(1, "rgb(255, 255, 255)"), (0, "rgb(20, 24, 28)")], ids=["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    axe: str, tmp_path: Path, theme: int, paper: str
) -> None:
    # the policy forbids scripts, and axe is one
    shown, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', f"<script>{_raw(axe)}</script>", text())
    assert count == 1
    shown = shown.replace("</head>", f"<script>{LOOK}</script></head>")
    frames = "".join(
        f'<iframe name="w{width}" width="{width}" height="900" srcdoc="{html.escape(shown)}"></iframe>'
        f'<pre id="w{width}"></pre>'
        for width in WIDTHS
    )
    (tmp_path / "frames.html").write_text(f"<!DOCTYPE html><meta charset='utf-8'>{frames}", encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM, *FLAGS, f"--blink-settings=preferredColorScheme={theme}", f"--user-data-dir={tmp_path / 'user'}",
            (tmp_path / "frames.html").as_uri(),
        ],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    for width in WIDTHS:
        told = json.loads(html.unescape(re.findall(rf'<pre id="w{width}">(.+?)</pre>', done.stdout)[0]))
        assert told["violations"] == []
        assert told["passes"] > 20
        assert told["paper"] == paper
        assert told["wide"] <= told["width"] <= width


def _raw(script: str) -> str:
    """Keep what a regular expression's replacement would read."""
    return script.replace("\\", "\\\\")
