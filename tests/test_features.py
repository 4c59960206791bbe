"""What `lib.features` promises: any table becomes what a model can take, learned in the fold."""

import numpy as np
import pandas as pd
import pytest

from lib.data import Dataset
from lib.errors import InputError
from lib.features import make_category_codes, make_preprocessor

N = 120


@pytest.fixture
def mixed():
    """Return a table with every kind of column, gaps, rare levels and an outlier."""
    rng = np.random.default_rng(0)
    words = ["broken leg", "flu", "headache and fever", "back pain"]
    X = pd.DataFrame(
        {
            "number": np.where(rng.random(N) < 0.2, np.nan, rng.normal(size=N)),
            "outlier": np.append(rng.normal(size=N - 1), 1e9),
            "count": rng.integers(0, 9, N),
            "empty": np.full(N, np.nan),
            "few": pd.Categorical(rng.choice(["a", "b", "c", None], N)),
            "many": pd.Categorical([f"town {i}" for i in rng.permutation(N)]),
            "text": pd.Series(rng.choice(words, N) + pd.Series(range(N)).astype(str), dtype="str"),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D"),
        }
    )
    X.loc[3, "day"] = pd.NaT
    y = pd.Series(rng.integers(0, 2, N), name="target")
    return Dataset("mixed", X, y, "binary", classes=("no", "yes"))


def fit_halves(dataset, kind):
    """Return both halves after a preprocessor fitted on the first."""
    preprocessor = make_preprocessor(dataset, kind=kind)
    first, second = dataset.X.iloc[: N // 2], dataset.X.iloc[N // 2 :]
    return preprocessor.fit_transform(first, dataset.y.iloc[: N // 2]), preprocessor.transform(
        second
    )


def test_linear_gives_complete_numbers_of_like_size(mixed):
    """No gap, no text, nothing beyond five, also for an outlier that training never saw."""
    train, test = fit_halves(mixed, "linear")
    for table in (train, test):
        values = table.to_numpy(dtype=float)
        assert np.isfinite(values).all()
        assert np.abs(values).max() <= 5
    assert train.columns.tolist() == test.columns.tolist()


def test_linear_marks_gaps(mixed):
    """That a number is missing stays visible as a column of its own."""
    train, _ = fit_halves(mixed, "linear")
    assert any("missingindicator_number" in name for name in train.columns)


def test_tree_keeps_categories_and_gaps(mixed):
    """Few levels stay a pandas category, gaps stay gaps, text becomes numbers."""
    train, test = fit_halves(mixed, "tree")
    assert isinstance(train["few"].dtype, pd.CategoricalDtype)
    assert train["number"].isna().any()
    rest = train.drop(columns="few")
    assert all(pd.api.types.is_numeric_dtype(dtype) for dtype in rest.dtypes)
    assert train.columns.tolist() == test.columns.tolist()


def test_unseen_levels_and_gaps_have_no_code():
    """Levels that training lacked become NaN for trees, as gaps do; other columns pass."""
    train = pd.DataFrame({"c": pd.Categorical(["x", "y", "x"]), "n": [1.0, 2.0, 3.0]})
    test = pd.DataFrame({"c": pd.Categorical(["y", "z", None]), "n": [4.0, 5.0, 6.0]})
    codes = make_category_codes().fit(train).transform(test)
    assert codes["c"].isna().tolist() == [False, True, True]
    assert codes["n"].tolist() == [4.0, 5.0, 6.0]


@pytest.mark.parametrize("kind", ["linear", "tree"])
def test_preprocessing_repeats(mixed, kind):
    """Two fits give the same table: the text encoder is seeded."""
    once, twice = (fit_halves(mixed, kind)[1] for _ in range(2))
    pd.testing.assert_frame_equal(once, twice)


def test_errors_say_the_way_out(mixed):
    """An unknown kind is corrected; a table without columns is named."""
    with pytest.raises(InputError, match="Did you mean 'linear'"):
        make_preprocessor(mixed, kind="liner")
    bare = Dataset("bare", pd.DataFrame(index=range(3)), pd.Series([0, 1, 0]), "binary")
    with pytest.raises(InputError, match="'bare' has no feature left"):
        make_preprocessor(bare, kind="tree")
