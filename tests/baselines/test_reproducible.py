"""A recording that is made twice is the same to the byte, whatever is different between two processes."""

from __future__ import annotations

import os
import subprocess
import sys

from support.project import Project

CHECK = """
    from functools import partial
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.metrics import fbeta_score, make_scorer
    from sklearn.pipeline import make_union
    from sklearn.preprocessing import FunctionTransformer

    class Halves:
        \"\"\"A splitter that prints its address.\"\"\"

        def __init__(self, names):
            self.names = names

        def split(self, X, y=None, groups=None):
            even = np.arange(len(X)) % 2 == 0
            yield even.nonzero()[0], (~even).nonzero()[0]
            yield (~even).nonzero()[0], even.nonzero()[0]

        def get_n_splits(self, X=None, y=None, groups=None):
            return 2

    class Chosen:
        def __init__(self, *names):
            self.names = frozenset(names)

        def __call__(self, frame):
            return [name for name in frame if name in self.names]

    def clipped(X, *, at):
        return X.clip(upper=at)

    def of_cancer(y, y_pred, *, beta, labels):
        return fbeta_score(y, y_pred, beta=beta, pos_label=min(labels))

    def test_tumours(model_check):
        model_check(
            make_pipeline(
                make_column_transformer(
                    (FunctionTransformer(partial(clipped, at=100)), make_column_selector(pattern="radius|texture")),
                    (FunctionTransformer(lambda X: X * 2), Chosen("mean smoothness", "mean concavity")),
                    (FunctionTransformer(clipped, kw_args={"at": 3}), lambda frame: ["worst symmetry"]),
                ),
                StandardScaler(),
                LogisticRegression(class_weight={"malignant": 2, "benign": 1}),
            ),
            data="data/tumours.csv",
            target="diagnosis",
            cv=Halves({"north", "south", "east"}),
            metrics=[
                "roc_auc",
                make_scorer(of_cancer, beta=2, labels={"malignant", "benign"}),
            ],
            slices=["band"],
            load=lambda paths: pd.read_csv(paths[0]).assign(band=lambda d: d["mean radius"] > 14),
            seeds=2,
        )
"""


def test_a_recording_made_in_two_processes_is_the_same_to_the_byte(project: Project) -> None:
    project.source(CHECK)
    recordings = []
    for seed in ("2", "3"):  # every set below is in another order then
        for file in project.path.glob("baselines/*"):
            file.unlink()
        subprocess.run(
            [sys.executable, "-m", "pytest", "--update-baselines", "--model-check-jobs=1", "-q"],
            cwd=project.path,
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
        recordings.append({name: content for name, content in project.stored().items() if name != ".gitignore"})
    assert recordings[0] == recordings[1]
    text = project.baseline()["candidate"]
    for part in (
        "func=functools.partial(test_models.clipped, at=100)",
        "make_column_selector(pattern='radius|texture')",
        "<test_models: lambda X: X * 2>",
        "test_models.Chosen(names=frozenset({'mean concavity', 'mean smoothness'}))",
        '<test_models: lambda frame: ["worst symmetry"]>',
        "func=test_models.clipped, kw_args={'at': 3}",
    ):
        assert part in text
    assert project.baseline()["protocol"]["cv"] == "test_models.Halves(names={'east', 'north', 'south'})"
