"""The repository's own model checks: run them with ``pytest --model-check``."""

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def test_breast_cancer(model_check):
    """A linear model of 569 tumours: benign or malignant."""
    model_check(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        data="data/breast_cancer.csv",
        target="diagnosis",
        metrics=["neg_log_loss", "roc_auc"],
    )


def test_diabetes(model_check):
    """A forest of 442 patients: how far the disease goes in a year. It draws random numbers."""
    model_check(
        RandomForestRegressor(n_estimators=50, min_samples_leaf=5),
        data="data/diabetes.csv",
        target="progression",
        metrics=["r2", "neg_mean_absolute_error"],
    )


def test_flights(model_check):
    """Will a flight from New York be 30 minutes late? Always judged on days after those it has learned from."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_include="category")),
    )
    model_check(
        make_pipeline(columns, LogisticRegression(max_iter=1000)),
        data="data/flights.parquet",
        target="late",
        time="departure",
        metrics=["neg_log_loss", "roc_auc"],
        slices=["origin"],
    )
