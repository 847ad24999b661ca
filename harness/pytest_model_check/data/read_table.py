"""A file -> a table: by its ending and the reader options, with a hint where it is not what it seems."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pytest_model_check import bounded
from pytest_model_check.checks.reader_options import DECIMAL_COMMA, ENDINGS, SPACES, for_format, format_of
from pytest_model_check.errors import DataError, ModelCheckError, one_line
from pytest_model_check.paths import clipped

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = ";\t|"
HEADER = {"header", "names", "skiprows", "comment"}  # options that say where the columns' names are
SNIFFED = 20  # lines of a text file that are looked at
SEEN_ROWS = 10_000  # in which a column's name is looked for


def read_table(path: Path, name: str, read: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Read a file.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What messages call it.
    read : mapping or None
        Reader options.

    Raises
    ------
    DataError, PromiseError
        If it can't be read, or is not what it seems: values that are glued together, a row of them for a header.
    """
    import pandas as pd

    kind = format_of(name)
    if kind is None:
        raise DataError(
            f"{name} is none of {', '.join(ENDINGS)}",
            "Pass load=: a function that gets the paths and returns a DataFrame, e.g. "
            "load=lambda paths: pandas.read_json(paths[0]).",
        )
    options = for_format(read, kind, name)
    try:
        if kind == "Parquet":
            return with_text_names(bounded.read_parquet(path, **options), name)
        frame = _text(path, name, options) if kind == "text" else _workbook(path, name, options)
    except ModelCheckError:
        raise
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{name} is empty", "It holds neither a header nor rows.") from error
    except ImportError as error:
        raise DataError(
            f"{name} is a workbook, and openpyxl, which reads it, is not installed",
            'pip install "pytest-model-check[excel]", or save the sheet as CSV.',
        ) from error
    except Exception as error:  # pandas', pyarrow's and csv's own trees, bad encodings, warnings made errors
        raise DataError(
            f"{name} can't be read: {one_line(error, str(error).replace(str(path), name))}", _unreadable(error)
        ) from error
    if not HEADER & options.keys() and has_data_for_names(frame):
        raise DataError(
            f"{name}: the column names look like data: {clipped(', '.join(map(str, frame.columns)))}",
            'Has it no header? read={"header": None} names the columns 0, 1, 2 and so on (target=8). '
            'If this is its header: read={"header": 0}',
        )
    return with_text_names(frame, name)


def named_twice(where: str, column: object) -> DataError:
    """Refuse a table with two columns of one name."""
    return DataError(f"{where} has the column {str(column)!r} twice", "Give every column a name of its own.")


def with_text_names(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the table with columns called "0", "1", "2" where their names are whole numbers."""
    import pandas as pd

    names = [str(name) if pd.api.types.is_integer(name) else name for name in frame.columns]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise named_twice(where, twice)
    return frame if names == list(frame.columns) else frame.set_axis(names, axis=1)


def has_data_for_names(frame: pd.DataFrame) -> bool:
    """Whether the names look like a row of values: half of them or more stand among the values of their own column."""
    import pandas as pd

    names = [re.sub(r"\.\d+$", "", name) if name.count(".") > 1 else name for name in map(str, frame.columns)]
    head = frame.head(SEEN_ROWS)
    among = 0
    for i, name in enumerate(names):
        values, number = head.iloc[:, i], _number(name)
        if number is not None and abs(number - i) <= 1:  # pixel 0, pixel 1 and so on
            continue
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            among += number is not None and bool((values == number).any())
        else:
            among += bool((values.astype(str) == name).any())
    return among >= max(2, len(names) / 2)


def suggested(path: Path, name: str) -> dict[str, Any] | None:
    """Return the reader options that a text file seems to need; None: its ending says it all."""
    if format_of(name) != "text":
        return None
    try:
        separator = separator_of(path, name)
        return None if separator is None else separated_by(path, separator)
    except (OSError, ValueError):  # whoever reads it says what is wrong with it
        return None


def separated_by(path: Path, separator: str, encoding: str = "utf-8-sig") -> dict[str, Any]:
    """Return the options for this separator: where it is no comma, that may be a number's."""
    with _opened(path, encoding) as file:
        lines = [line for _, line in zip(range(SNIFFED), file, strict=False)]
    values = [value.strip() for line in lines[1:] for value in line.split(separator)]
    decimal = {"decimal": ","} if any(DECIMAL_COMMA.fullmatch(value) for value in values) else {}
    return {"sep": separator} | decimal


def separator_of(path: Path, name: str, encoding: str = "utf-8-sig") -> str | None:
    """Return the separator of a text file, where it is clearly another than its ending says; None: it is not."""
    with _opened(path, encoding) as file:
        header, first = file.readline(), file.readline()
    usual = _usual(name)
    if usual in header:
        return None
    return next((mark for mark in SEPARATORS if header.count(mark) and header.count(mark) == first.count(mark)), None)


def _text(path: Path, name: str, options: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    options = {"sep": _usual(name)} | dict(options)
    if not HEADER & options.keys():
        _require_header(path, name, options)
    with bounded.open_gzip(path) if _is_compressed(path) else nullcontext(path) as source:
        # in one go: the type of a column does not depend on chunks
        frame = pd.read_csv(source, low_memory=False, compression=None, iterator=False, chunksize=None, **options)
    if not isinstance(frame.index, pd.RangeIndex):  # pandas would shift the names, and call the first values an index
        raise DataError(
            f"{name} has more values in a row than the {len(frame.columns)} columns of its header",
            "Name every column; a comma at the end of the lines makes one too.",
        )
    return frame


def _require_header(path: Path, name: str, options: Mapping[str, Any]) -> None:
    """Refuse a header that names a column twice, or is one glued name."""
    separator, encoding = options["sep"], options.get("encoding", "utf-8-sig")
    other = separator_of(path, name, encoding) if separator == _usual(name) else None
    if other is not None:
        raise DataError(
            f"{name} would be one column: its values are parted by {other!r}",
            f"Say so: read={json.dumps(separated_by(path, other, encoding))}",
        )
    with _opened(path, encoding) as file:
        header: Sequence[str] = (
            next((line.split() for line in file if line.strip()), [])
            if separator == SPACES
            else next((row for row in csv.reader(file, delimiter=separator) if row), [])
        )
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice and "usecols" not in options:  # pandas would rename the second one in silence
        raise named_twice(name, twice[0])


def _usual(name: str) -> str:
    return "\t" if name.lower().removesuffix(".gz").endswith(".tsv") else ","


def _is_compressed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _opened(path: Path, encoding: str) -> TextIO:
    if _is_compressed(path):
        return TextIOWrapper(bounded.open_gzip(path), encoding, newline="")
    return path.open(newline="", encoding=encoding)


def _workbook(path: Path, name: str, options: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    bounded.require_archive(path)
    if not HEADER & options.keys():
        sheet = {key: options[key] for key in ("sheet_name", "usecols") if key in options}
        header = pd.read_excel(path, engine="openpyxl", header=None, nrows=1, **sheet)
        names = [] if header.empty else [value for value in header.iloc[0].tolist() if not pd.isna(value)]
        twice = next((value for value in names if names.count(value) > 1), None)
        if twice is not None:  # pandas would rename the second one in silence
            raise named_twice(name, twice)
    frame: pd.DataFrame = pd.read_excel(path, engine="openpyxl", **options)
    return frame


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _unreadable(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return 'It is not UTF-8: write it anew, or say what it is, e.g. read={"encoding": "latin-1"}'
    return "Write it anew (CSV as UTF-8, with one header line), name its options in read=, or read it in load=."
