"""A file becomes the table that it seems to be, or a hint that names the option."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pytest_model_check import bounded
from pytest_model_check.checks.reader_options import reader_options
from pytest_model_check.data.frames import as_pandas
from pytest_model_check.data.read_table import read_table, suggested
from pytest_model_check.errors import DataError, PromiseError

PIMA = "6,148,72,0.627\n1,85,66,0.351\n8,183,64,0.672\n6,148,90,0.1\n0,100,72,0.2\n"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        ("a.csv", "size,price,kind\n1,1234.5,x\n2,2.5,y\n", None),
        ("a.csv", "\ufeffsize,price,kind\n1,1234.5,x\n2,2.5,y\n", None),
        ("a.csv", "size;price;kind\n1;1.234,5;x\n2;2,5;y\n", {"sep": ";", "decimal": ",", "thousands": "."}),
        ("a.csv", 'size,price,kind\n1,"1,234.5",x\n2,2.5,y\n', {"thousands": ","}),
        ("a.csv", "size price  kind\n1 1234.5 x\n2 2.5  y\n", {"sep": r"\s+"}),
        ("a.tsv", "size\tprice\tkind\n1\t1234.5\tx\n2\t2.5\ty\n", None),
        ("a.CSV.gz", gzip.compress(b"size,price,kind\n1,1234.5,x\n2,2.5,y\n", mtime=0), None),
        ("a.tsv.gz", gzip.compress(b"size\tprice\tkind\n1\t1234.5\tx\n2\t2.5\ty\n", mtime=0), None),
        ("a.csv", "1,1234.5,x\n2,2.5,y\n", {"names": ["size", "price", "kind"]}),
    ],
)
def test_the_ending_and_the_options_say_how_a_file_is_read(
    tmp_path: Path, name: str, content: str | bytes, read: dict[str, str] | None
) -> None:
    table = read_table(written(tmp_path, name, content), name, reader_options(read))
    assert table.to_dict("list") == {"size": [1, 2], "price": [1234.5, 2.5], "kind": ["x", "y"]}


def test_a_workbook_is_read_by_sheet(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "a.xlsx") as writer:
        pd.DataFrame({"a": [1, 2]}).to_excel(writer, sheet_name="first", index=False)
        pd.DataFrame([["b", "b"], [1, 2]]).to_excel(writer, sheet_name="second", index=False, header=False)
    assert read_table(tmp_path / "a.xlsx", "a.xlsx").to_dict("list") == {"a": [1, 2]}
    with pytest.raises(DataError, match=r"a\.xlsx has the column 'b' twice"):
        read_table(tmp_path / "a.xlsx", "a.xlsx", {"sheet_name": "second"})


def test_without_openpyxl_a_workbook_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("sheet", "")
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"openpyxl, which reads it, is not installed\n.*pytest-model-check\[excel\]"):
        read_table(tmp_path / "a.xlsx", "a.xlsx")


def test_a_table_without_header_has_numbers_for_names(tmp_path: Path) -> None:
    path = written(tmp_path, "pima.csv", PIMA)
    with pytest.raises(DataError, match=r"the column names look like data: '6, 148, 72, 0\.627'\n.*header") as error:
        read_table(path, "pima.csv")
    assert 'read={"header": None}' in error.value.advice
    assert list(read_table(path, "pima.csv", {"header": None}).columns) == ["0", "1", "2", "3"]
    assert list(read_table(path, "pima.csv", {"header": 0}).columns) == ["6", "148", "72", "0.627"]


@pytest.mark.parametrize(
    "content",
    [
        "0,1,2,ill\n0,1,2,1\n1,0,2,0\n",  # pixels
        "2019,2020,2021\n5.5,6.5,7\n4,2,3\n",  # a column a year
        "male,smoker,age\nmale,0,31\nfemale,1,40\n",  # one name among its values
    ],
)
def test_names_that_are_names_are_taken_for_names(tmp_path: Path, content: str) -> None:
    table = read_table(written(tmp_path, "a.csv", content), "a.csv")
    assert list(table.columns) == content.split("\n", maxsplit=1)[0].split(",")


@pytest.mark.parametrize(
    ("name", "content", "shown", "option"),
    [
        ("a.csv", "a;b\n1;2\n", "';'", '{"sep": ";"}'),
        ("a.csv", "a;b\n1;2\n1,5;2\n", "';'", '{"sep": ";", "decimal": ","}'),
        ("a.csv", "a\tb\n1\t2\n", "'\\t'", '{"sep": "\\t"}'),
        ("a.csv", "a|b\n1|2\n", "'|'", '{"sep": "|"}'),
        ("a.csv.gz", gzip.compress(b"a;b\n1;2\n", mtime=0), "';'", '{"sep": ";"}'),
    ],
)
def test_a_glued_column_names_the_separator(
    tmp_path: Path, name: str, content: str | bytes, shown: str, option: str
) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(DataError) as error:
        read_table(path, name)
    assert error.value.message == f"{name} would be one column: its values are parted by {shown}"
    assert error.value.advice == f"Say so: read={option}"
    found = suggested(path, name)
    assert found is not None
    assert list(read_table(path, name, found).columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (";", "read=';' is no dict of options\n"),
        ({"seperator": ";"}, "read= has no option 'seperator'"),
        ({"spe": ";"}, "did you mean 'sep'?"),
        ({"dtype": {"a": float}}, "is no text, number, list or dict of them\n.*by its name"),
        ({"sep": "(a+)+"}, "is no separator\n"),
        ({"sep": None}, "is no separator\n"),
        ({"sheet_name": None}, "several headers or sheets"),
    ],
)
def test_options_that_a_baseline_could_not_keep_are_refused(read: object, words: str) -> None:
    with pytest.raises(PromiseError, match=words):
        reader_options(read)


def test_what_toml_has_for_none_is_none() -> None:
    assert reader_options({"header": False}) == {"header": None}
    assert reader_options({}) is None


def test_an_option_of_another_format_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(PromiseError, match=r"read= names 'sep', which says nothing of a\.parquet\nOf Parquet it may"):
        read_table(tmp_path / "a.parquet", "a.parquet", {"sep": ";"})


def test_a_small_file_can_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MANY_BYTES", 10_000)
    path = written(tmp_path, "a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000, mtime=0))
    with pytest.raises(DataError, match=r"a\.csv\.gz can't be read: .*it becomes more than"):
        read_table(path, "a.csv.gz")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet", b"0" * 4_000_000)
    with pytest.raises(DataError, match=r"a\.xlsx can't be read: it becomes more than"):
        read_table(tmp_path / "a.xlsx", "a.xlsx")


def test_what_speaks_arrow_is_a_table() -> None:
    assert as_pandas(pa.table({"a": [1, 2], "b": ["x", None]})).to_dict("list")["a"] == [1, 2]
    for no_table in (pd.Series([1], name="a"), {"a": [1]}, [1]):
        with pytest.raises(DataError, match="not a DataFrame"):
            as_pandas(no_table)
