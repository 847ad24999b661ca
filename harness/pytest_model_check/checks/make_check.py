"""What a user writes in `model_check(...)`, validated -> Check."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from numbers import Integral, Real
from pathlib import Path, PureWindowsPath
from typing import Any, Literal, ParamSpec, TypeVar

from pytest_model_check.checks.check import DEFAULT_SEEDS, Check, Load, Metric, file_name, task_of
from pytest_model_check.checks.declared import Declared
from pytest_model_check.checks.holdout import Holdout, make_holdout
from pytest_model_check.checks.item_score import NEGATED, ItemScore, item_score
from pytest_model_check.checks.reader_options import reader_options
from pytest_model_check.errors import PromiseError, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")
DEFAULT_CV = 10
EARLIER_DEFAULT = "neg_log_loss"  # of classifiers with probabilities, in baselines recorded before 1.0
Metrics = str | Callable[..., float] | Sequence[Any] | Mapping[Any, float | None]


def _called_in_words(function: Callable[P, R]) -> Callable[P, R]:
    """Say what is wrong with a call in the words of the test that makes it, not in Python's."""
    signature = inspect.signature(function)
    hidden = ("candidate", "name", "nodeid")

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        known = [name for name in signature.parameters if name not in hidden]
        unknown = next((key for key in kwargs if key not in signature.parameters), None)
        if unknown is not None:
            raise PromiseError(
                f"model_check() has no argument {unknown!r}{did_you_mean(unknown, known)}",
                f"It takes: {', '.join([*known, 'name'])}.",
            )
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise PromiseError(
                f"model_check(): {error}",
                'It needs e.g. model_check(candidate, data="data/churn.csv", target="churned").',
            ) from error
        return function(*args, **kwargs)

    return called


@_called_in_words
def make_check(
    candidate: Any,
    *,
    data: str | Path | Sequence[str | Path] | None = None,
    target: str | int | None = None,
    metrics: Metrics | None = None,
    margin: float | None = None,
    cv: Any = DEFAULT_CV,
    holdout: str | Path | date | Literal[True] | None = None,
    features: Sequence[str] | None = None,
    groups: str | None = None,
    time: str | None = None,
    season: int | None = None,
    sample_weight: str | None = None,
    slices: str | Sequence[str] = (),
    seeds: int = DEFAULT_SEEDS,
    read: Mapping[str, Any] | None = None,
    load: Load | None = None,
    description: str = "",
    caveats: str | Sequence[str] = (),
    timeout: float | None = None,
    baseline: str | None = None,
    name: str,
    nodeid: str = "",
) -> Check:
    """Write down a promise; see `Check` for the parameters.

    Raises
    ------
    PromiseError
        Naming the parameter that is wrong and what it may be.
    """
    if not isinstance(name, str) or file_name(name) != name:
        raise PromiseError(
            f"name={name!r} can't be a file's name on every system",
            f"Use letters, digits, . _ -: {file_name(str(name))!r}.",
        )
    if baseline is not None and (not isinstance(baseline, str) or file_name(baseline) != baseline or baseline == name):
        raise PromiseError(
            f"baseline={baseline!r} names no other check's baseline", f"{name} has its own: leave baseline= out."
        )
    _require_estimator(candidate)
    target = _target(_name(target), candidate)
    groups, time, sample_weight = _name(groups), _name(time), _name(sample_weight)
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise PromiseError(f"seeds={seeds!r} is no number of seeds", "Use a whole number from 1 (default 10).")
    _require_reader(load, read)
    if not isinstance(description, str):
        raise PromiseError(f"description={description!r} is no text", 'Say what the model is for: description="...".')
    for key, column in (("groups", groups), ("time", time), ("sample_weight", sample_weight)):
        if column is not None and not isinstance(column, str):
            raise PromiseError(f"{key}={column!r} is no column name", f"Name one column of the data: {key}=...")
    _require_different({"target": target, "groups": groups, "time": time, "sample_weight": sample_weight})
    if season is not None:
        if isinstance(season, bool) or not isinstance(season, int) or season < 2:
            raise PromiseError(
                f"season={season!r} is no length of a season",
                "Say how many distinct times it has: 7 for days with a weekly pattern, 12 for months of a year.",
            )
        if time is None:
            raise PromiseError("season= needs time=", "Name the column that holds the time of each row: time=...")
    if features is not None and target in _columns("features", features):
        raise PromiseError(
            f"features= names the target {target!r}: the candidate would be told what it has to predict",
            "Take it out of features=.",
        )
    if features is not None and sample_weight in _columns("features", features):
        raise PromiseError(
            f"features= names the sample weight {sample_weight!r}: it says how much a row counts, and is no feature",
            "Take it out of features=; or copy it into another column in load=, if the model may look at it.",
        )
    paths = _paths(data, candidate)
    return Check(
        name=name,
        nodeid=nodeid,
        candidate=candidate,
        data=paths,
        target=target,
        metrics=_metrics(_resolved(metrics, candidate), margin),
        default_metric=metrics is None,
        cv=_cv(cv),
        holdout=_holdout(make_holdout(holdout, paths, time), cv, candidate),
        features=None if features is None else _columns("features", features),
        groups=groups,
        time=time,
        season=season,
        sample_weight=sample_weight,
        slices=_columns("slices", slices),
        seeds=seeds,
        load=load,
        read=reader_options(read),
        baseline=baseline,
        description=inspect.cleandoc(description),
        caveats=_caveats(caveats),
        timeout=_timeout(timeout),
    )


def _require_reader(load: Any, read: Any) -> None:
    if load is not None and not callable(load):
        raise PromiseError(f"load={load!r} is no function", "load(paths) gets a list of paths and returns a DataFrame.")
    if load is not None and read is not None:
        raise PromiseError("read= and load= both say how the files are read", "Leave one of them out.")


def _timeout(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, Real) or not 0 < timeout < math.inf:
        raise PromiseError(f"timeout={timeout!r} is no number of seconds", "Say how long one fit may take: timeout=60.")
    return float(timeout)


def _holdout(holdout: Holdout | None, cv: Any, candidate: Any) -> Holdout | None:
    if holdout is not None and cv != DEFAULT_CV:
        raise PromiseError(
            "cv= and holdout= both say which rows are held out", "Leave one of them out: holdout= judges its rows once."
        )
    if holdout is not None or not isinstance(candidate, Declared) or candidate.origin == "refitted":
        return holdout
    if cv != DEFAULT_CV:
        raise PromiseError(
            f"cv= parts rows to fit on from rows to predict, and {candidate.description} is not fitted here",
            "Leave cv= out; holdout= names the rows that it has not seen.",
        )
    if candidate.origin == "elsewhere":
        return Holdout("all")
    raise PromiseError(
        f"{candidate.description} is not refitted here: nobody knows which rows it has not seen",
        'Say it: holdout=True for every row of data=, or a file of them, a condition ("month > 9") or a date.',
    )


def _require_estimator(candidate: Any) -> None:
    if isinstance(candidate, Declared):
        return
    if inspect.isclass(candidate):
        raise PromiseError(
            f"the candidate is the class {candidate.__name__}, not an estimator", f"Pass {candidate.__name__}()."
        )
    # some have predict only once they are fitted (StackingClassifier): their class has it before
    lacking = [
        method
        for method in ("fit", "predict", "get_params", "set_params")
        if not hasattr(candidate, method) and not hasattr(type(candidate), method)
    ]
    if lacking:
        raise PromiseError(
            f"the candidate ({type(candidate).__name__}) is no estimator: it has no {', '.join(lacking)}",
            "Pass a scikit-learn-compatible estimator: fit, predict, and sklearn.base.BaseEstimator's parameters.",
        )
    of_many = _of_several_targets(candidate)
    if of_many is not None:
        raise PromiseError(
            f"{type(of_many).__name__} predicts several targets at once, and a check has one",
            "Give each target a check of its own, and let the candidate be the estimator for one of them.",
        )


def _of_several_targets(candidate: Any) -> Any | None:
    """Find what can't learn a single target: the candidate, or what a pipeline or a search has innermost."""
    from sklearn.base import BaseEstimator
    from sklearn.utils import get_tags

    while isinstance(candidate, BaseEstimator):
        if not get_tags(candidate).target_tags.single_output:
            return candidate
        steps = getattr(candidate, "steps", None)
        inner = getattr(candidate, "estimator", None) or getattr(candidate, "regressor", None)
        candidate = steps[-1][1] if isinstance(steps, list) and steps else inner
    return None


def _require_different(roles: Mapping[str, str | None]) -> None:
    """Refuse a column that plays two parts."""
    for column in filter(None, roles.values()):
        keys = [key for key, named in roles.items() if named == column]
        if len(keys) > 1:
            raise PromiseError(
                f"{' and '.join(keys)} must be different columns: they are {', '.join([repr(column)] * len(keys))}",
                "Name for each the column that plays this part, or leave "
                f"{' or '.join(f'{key}=' for key in keys if key != 'target')} out.",
            )


def _name(column: Any) -> Any:
    """Return a whole number as the name that it is: without a header, columns are called "0", "1", "2"."""
    return str(column) if isinstance(column, Integral) and not isinstance(column, bool) else column


def _target(target: Any, candidate: Any) -> str:
    if isinstance(candidate, Declared) and candidate.scores:
        if target is not None:
            raise PromiseError(
                f"target={target!r}: the results hold finished scores, which need none",
                "Leave target= out; or leave score= out, and have predictions judged against the target.",
            )
        return ""
    if not isinstance(target, str) or not target:
        raise PromiseError(
            f"target={target!r} is no column name"
            if target is not None
            else "model_check(): missing a required argument: 'target'",
            'Name the one column to predict: model_check(candidate, data="data/churn.csv", target="churned").',
        )
    return target


def _paths(data: Any, candidate: Any) -> tuple[str, ...]:
    if data is None and isinstance(candidate, Declared) and candidate.scores:
        return ()
    if data is None:
        raise PromiseError(
            "model_check(): missing a required argument: 'data'",
            'It needs e.g. model_check(candidate, data="data/churn.csv", target="churned").',
        )
    return _named_files(data)


def _named_files(data: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    if hasattr(data, "columns") or hasattr(data, "__arrow_c_stream__"):
        raise PromiseError(
            f"data= takes paths, and got a {type(data).__name__}",
            'DVC has to know its version: table.to_parquet("data/rows.parquet"), dvc add data/rows.parquet, and name '
            'it: data="data/rows.parquet". What is to be done with the rows after that, load= does.',
        )
    paths = _listed("data", data, (str, Path))
    if not paths or not all(isinstance(path, str | Path) and str(path) for path in paths):
        raise PromiseError(f"data={data!r} is no path", 'Name a file, or a list of them: data="data/churn.csv".')
    # one spelling of a path on every system, for the baseline keeps it: "data\\a.csv" and "./data/a.csv" are data/a.csv
    names = [posixpath.normpath(PureWindowsPath(path).as_posix()) for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PromiseError(
            f"data= names {twice!r} twice", "Its rows would be both fitted on and predicted: name each file once."
        )
    return tuple(names)


def _caveats(caveats: str | Sequence[str]) -> tuple[str, ...]:
    texts = _listed("caveats", caveats, (str,))
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise PromiseError(
            f"caveats={caveats!r} is no list of sentences", 'Write e.g. caveats=["Labels before 2020 are guesses."].'
        )
    return tuple(" ".join(text.split()) for text in texts)


def _columns(key: str, columns: str | Sequence[str]) -> tuple[str, ...]:
    names = [_name(column) for column in _listed(key, columns, (str, int))]
    if not all(isinstance(column, str) for column in names) or len(set(names)) < len(names):
        raise PromiseError(
            f"{key}={columns!r} is no list of different column names", f'Name columns of the data: {key}=["region"].'
        )
    return tuple(names)


def _listed(key: str, given: Any, single: tuple[type, ...]) -> list[Any]:
    """Return a list, where one of its items is allowed to stand for it."""
    if isinstance(given, single):
        return [given]
    if not isinstance(given, Iterable):
        raise PromiseError(f"{key}={given!r} is neither a name nor a list of names", f'Write e.g. {key}=["..."].')
    return list(given)


def _cv(cv: Any) -> Any:
    if isinstance(cv, int) and not isinstance(cv, bool) and cv >= 2:
        return cv
    if not inspect.isclass(cv) and hasattr(cv, "split") and hasattr(cv, "get_n_splits"):
        return cv
    raise PromiseError(
        f"cv={cv!r} is neither a number of folds (2 or more) nor a splitter",
        "Pass e.g. cv=5 or cv=RepeatedStratifiedKFold(n_splits=10, n_repeats=3).",
    )


def _resolved(metrics: Metrics | None, candidate: Any) -> Metrics:
    """Return the default metrics where none is named; finished scores in place of their names."""
    scores = candidate.scores if isinstance(candidate, Declared) else ()
    if not scores:
        return _default_metric(candidate) if metrics is None else metrics
    columns = tuple(name.removeprefix(NEGATED) for name in scores)
    if metrics is None:
        metrics = scores
    named = metrics if isinstance(metrics, Mapping) else dict.fromkeys(_listed("metrics", metrics, (str,)))
    found = {}
    for name, margin in named.items():
        score = item_score(name, columns) if isinstance(name, str) else None
        if score is None:
            raise PromiseError(
                f"metrics= names {name!r}, and the results hold finished scores: {', '.join(scores)}",
                "Name these, or neg_ and one of which less is better.",
            )
        found[score] = margin
    return found


def _metrics(metrics: Metrics, margin: float | None) -> tuple[Metric, ...]:
    margins: Iterable[tuple[Any, float | None]]
    if isinstance(metrics, Mapping):
        margins = metrics.items()
    elif isinstance(metrics, str) or callable(metrics):
        margins = [(metrics, None)]
    else:
        margins = [(scorer, None) for scorer in _listed("metrics", metrics, ())]
    _require_margin("margin", margin)
    found = tuple(_metric(scorer, margin if own is None else own) for scorer, own in margins)
    names = [metric.name for metric in found]
    if not names or len(set(names)) < len(names):
        twice = next((name for name in names if names.count(name) > 1), None)
        raise PromiseError(
            f"metrics= names {repr(twice) + ' twice' if twice else 'no metric'}",
            'Name each metric once, e.g. metrics={"roc_auc": 0.01, "accuracy": None}, or leave metrics= out.',
        )
    return found


def _default_metric(candidate: Any) -> str:
    """Choose the metric that sees most: a proper score where there are probabilities, and one no row can own."""
    if task_of(candidate) == "regression":
        return "r2"
    has_probabilities = (
        candidate.has_probabilities if isinstance(candidate, Declared) else hasattr(candidate, "predict_proba")
    )
    return "neg_brier_score" if has_probabilities else "accuracy"


def common_metrics(task: str) -> tuple[Metric, ...]:
    """Return metrics that see every row, and might do better than those that a check has."""
    names = ("neg_brier_score", "neg_log_loss") if task == "classification" else ("r2", "neg_mean_absolute_error")
    return tuple(_metric(name, None) for name in names)


def known_metric(name: str, margin: float | None) -> Metric | None:
    """Return a metric that scikit-learn has a scorer for; None where it has none of this name."""
    from sklearn.metrics import get_scorer_names

    return _metric(name, margin) if name in get_scorer_names() else None


def _metric(scorer: Any, margin: float | None) -> Metric:
    from sklearn.metrics import get_scorer, get_scorer_names

    if isinstance(scorer, str):
        name = scorer
        if name not in get_scorer_names():
            near = _near_metrics(name, get_scorer_names())
            raise PromiseError(
                f"{name!r} is no scorer of scikit-learn's" + (f": did you mean {' or '.join(near)}?" if near else ""),
                "sklearn.metrics.get_scorer_names() lists them all; make_scorer() makes one of your own function.",
            )
        scorer = get_scorer(name)
    elif isinstance(scorer, ItemScore):
        name = f"{'' if scorer.sign > 0 else NEGATED}{scorer.column}"
    elif hasattr(scorer, "_score_func"):
        name = f"{'' if scorer._sign > 0 else 'neg_'}{getattr(scorer._score_func, '__name__', 'scorer')}"
    else:
        raise PromiseError(
            f"metric {scorer!r} is no scorer", "Name one of scikit-learn's, or wrap your function in make_scorer()."
        )
    _require_margin(f"the margin of {name}", margin)
    return Metric(name, scorer, None if margin is None else float(margin))


def _near_metrics(wrong: str, known: Sequence[str]) -> list[str]:
    """Find what may be meant: losses are called neg_... in scikit-learn, and many know them by their initials."""
    meant = re.sub(r"[ -]", "_", wrong.lower()).removeprefix("neg_")
    plain = {name.removeprefix("neg_"): name for name in known}
    initials = [name for name in plain if "".join(word[0] for word in name.split("_")) == meant]
    exact = [name for name in {meant, meant.removesuffix("_score")} if name in plain]
    return [plain[name] for name in exact or initials or difflib.get_close_matches(meant, plain, n=3)]


def _require_margin(what: str, margin: float | None) -> None:
    if margin is None:
        return
    if isinstance(margin, bool) or not isinstance(margin, Real) or not math.isfinite(margin) or margin <= 0:
        raise PromiseError(
            f"{what} is {margin!r}: it must be a number above 0",
            "A margin is the loss, in the metric's unit, that you call harmless; None takes the default.",
        )
