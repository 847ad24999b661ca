"""DeLong's test on pROC's own data, where Debian's r-cran-proc is installed (and the package rdata can read it)."""

from __future__ import annotations

import os
import struct
import zlib
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from pytest_model_check.judgement.statistics import delong_placements, standard_error

DATA = Path(os.environ.get("PROC_DATA", "/usr/lib/R/site-library/pROC/data"), "Rdata.rdb")


@pytest.mark.skipif(not DATA.exists(), reason="apt install r-cran-proc, pip install rdata")
@pytest.mark.filterwarnings("ignore::UserWarning:rdata")  # it guesses the file's type
def test_two_markers_of_aneurysms_differ_as_proc_says():
    rdata = pytest.importorskip("rdata")
    stored = DATA.read_bytes()  # a single object: its length, and then the object compressed
    plain = zlib.decompress(stored[4:])
    assert struct.unpack(">I", stored[:4])[0] == len(plain)
    patients = rdata.conversion.convert(rdata.parser.parse_data(plain))
    poor = (patients["outcome"] == "Poor").to_numpy()
    wfns, s100b = (delong_placements(poor, patients[name].astype(float).to_numpy()) for name in ("wfns", "s100b"))
    assert (wfns.mean(), s100b.mean()) == pytest.approx((0.8236788618, 0.7313685637), abs=1e-10)
    difference = wfns - s100b
    of_class = [difference[poor == label] * np.mean(poor == label) for label in (True, False)]
    se = sqrt(sum(values.var(ddof=1) / values.size for values in of_class))  # class by class, as DeLong and pROC do
    assert difference.mean() / se == pytest.approx(2.20898359144091, rel=1e-12)
    bounds = difference.mean() + 1.959963984540054 * se * np.array([-1, 1])
    assert bounds == pytest.approx([0.0104061770, 0.1742144192], abs=1e-10)
    assert standard_error(difference).se == pytest.approx(se, rel=0.01)  # over all rows: no class of its own
