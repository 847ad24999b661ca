"""Tables of other libraries -> pandas', through the protocol that Arrow has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_model_check.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def as_pandas(table: Any) -> pd.DataFrame:
    """Return a table of pandas, polars, Arrow, DuckDB or whatever else speaks Arrow, as pandas has it.

    Raises
    ------
    DataError
        If it is none.
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "__arrow_c_stream__") and not isinstance(table, pd.Series):
        import pyarrow as pa

        try:
            converted: pd.DataFrame = pa.table(table).to_pandas(date_as_object=False)
        except (TypeError, ValueError, NotImplementedError) as error:  # pyarrow's own are of these
            raise DataError(
                f"load= returned a {_kind(table)} that can't become a pandas DataFrame: {' '.join(str(error).split())}",
                "Convert it in load=.",
            ) from error
        return converted
    advice = "load(paths) must return a DataFrame: of pandas, polars or another library that speaks Arrow."
    if hasattr(table, "collect"):
        advice = "It is not computed yet: return it .collect()ed."
    raise DataError(f"load= returned {_kind(table)}, not a DataFrame", advice)


def _kind(table: Any) -> str:
    """Name its type, with the library that it is of: several have a DataFrame."""
    module = type(table).__module__.partition(".")[0]
    return type(table).__name__ if module == "builtins" else f"{module}.{type(table).__name__}"
