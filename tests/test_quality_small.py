"""Tables with little in them: no check of data quality trips over what is not there."""

import numpy as np
import pandas as pd
import pytest

from lib import quality
from lib.config import load_config
from lib.data import load_data


def table(n_numbers: int, n_words: int, n_rows: int = 60) -> pd.DataFrame:
    """Return a table whose numbers are answers from 1 to 5, beside a target."""
    rng = np.random.default_rng(0)
    columns = {f"answer {i}": rng.integers(1, 6, n_rows) for i in range(n_numbers)}
    columns |= {f"word {i}": rng.choice(["red", "green"], n_rows) for i in range(n_words)}
    return pd.DataFrame(columns | {"bought": rng.choice(["yes", "no"], n_rows)})


@pytest.mark.parametrize(("n_numbers", "n_words"), [(3, 0), (0, 2), (1, 0), (0, 1), (1, 1)])
def test_few_columns_with_few_values_are_assessed(n_numbers, n_words, tmp_path, monkeypatch):
    """Ratings alone, words alone or a single column: every check answers, none fails."""
    monkeypatch.setenv("STUDY_REPORTS", str(tmp_path))
    dataset = load_data(table(n_numbers, n_words), target="bought", name="small")
    answers = quality.assess(dataset, config=load_config())
    assert {answer.code for answer in answers} >= {"Q01", "Q15"}
