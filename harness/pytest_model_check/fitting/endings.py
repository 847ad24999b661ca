"""What to say of a fit whose process ended, or had to be ended. Pure."""

from __future__ import annotations

import re
import signal

from pytest_model_check.errors import CandidateError

INNERMOST = 8  # lines of a traceback
FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)$')


def died(where: str, exit_code: int | None, trace: str) -> CandidateError:
    """Describe what became of a fit whose process is no more.

    Parameters
    ----------
    where : str
        Which fit it was.
    exit_code : int or None
        As `multiprocessing` has it: a signal's number is negative.
    trace : str
        What `faulthandler` wrote.
    """
    lines = innermost(trace)
    advice = ["It was here (most recent call last):", *lines] if lines else []
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name if -exit_code in set(signal.Signals) else f"signal {-exit_code}"
        how = f"was killed ({name}){': out of memory?' if name == 'SIGKILL' else ''}"
        if name == "SIGKILL":
            advice.append("Fewer at a time need less memory: --model-check-jobs=1")
    elif exit_code is None:
        how = "lost its connection, and was ended"
    else:
        how = f"ended with exit code {exit_code} before it answered"
        advice.append("Does something in it call os._exit, or end the interpreter?")
    return CandidateError(f"{where}: the process that fits the candidate {how}", "\n".join(advice))


def late(where: str, timeout: float, trace: str) -> CandidateError:
    """Describe where a fit was when its time was over."""
    lines = innermost(trace)
    return CandidateError(
        f"{where}: the fit was not done after {timeout:g} s, and was ended",
        "\n".join(
            [
                *(["It was here (most recent call last):", *lines] if lines else []),
                "If it only needs longer: timeout= in the check, or model_check_timeout in the ini file.",
            ]
        ),
    )


def innermost(trace: str) -> list[str]:
    """Find the innermost frames of the fit in what `faulthandler` wrote, in the order of a traceback."""
    for block in re.split(r"\n\s*\n", trace):
        frames = [match for match in map(FRAME.match, block.splitlines()) if match]
        names = [frame["name"] for frame in frames]
        if "try_fit" in names:
            inner = frames[: min(names.index("try_fit"), INNERMOST)][::-1]
            return [f'  File "{frame["file"]}", line {frame["line"]}, in {frame["name"]}' for frame in inner]
    return []
