"""Where a fit's random numbers come from: the candidate's own parameters, and the generators that a process shares."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np


def set_random_states(model: Any, random_state: np.random.SeedSequence) -> None:
    """Set every parameter called ``random_state``, nested ones too (in a fixed order), each from its own number.

    A splitter inside, a search's ``cv``, has one that is no parameter: unset, it would draw from numpy's global state.
    """
    parameters = model.get_params(deep=True)
    names = sorted(name for name in parameters if name == "random_state" or name.endswith("__random_state"))
    splitters = [
        parameters[name]
        for name in sorted(parameters)
        if hasattr(parameters[name], "split") and hasattr(parameters[name], "random_state")
    ]
    numbers = random_state.generate_state(len(names) + len(splitters)) >> 1  # 31 bits: some take signed integers only
    if names:
        model.set_params(**{name: int(number) for name, number in zip(names, numbers, strict=False)})
    for splitter, number in zip(splitters, numbers[len(names) :], strict=True):
        splitter.random_state = int(number)


def _seed_tensorflow(module: Any, seed: int) -> None:
    module.random.set_seed(seed)


def _seed_generator(module: Any, seed: int) -> None:
    module.random.seed(seed)


def _seed_torch(module: Any, seed: int) -> None:
    module.manual_seed(seed)  # of every device


# By module, as each documents it. JAX has no shared generator: its keys are the candidate's parameters.
SHARED_GENERATORS: Mapping[str, Callable[[Any, int], None]] = {
    "cupy": _seed_generator,
    "tensorflow": _seed_tensorflow,
    "torch": _seed_torch,
}


@contextmanager
def seeded_generators(random_state: np.random.SeedSequence) -> Iterator[None]:
    """Seed the generators that a whole process shares, for one fit: Python's, numpy's, and those of imported libraries.

    Python's and numpy's are put back afterwards: in pytest's own process other tests draw from them. A library that the
    fit itself imports begins with its own seed, which is the same each time.
    """
    (key,) = random_state.spawn(1)
    seed = int(key.generate_state(1)[0] >> 1)
    python, legacy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    for name, seed_library in SHARED_GENERATORS.items():
        if name in sys.modules:
            seed_library(sys.modules[name], seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
