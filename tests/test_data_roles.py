"""What is inferred about columns: always listed with a reason, always correctable."""

import numpy as np
import pandas as pd
import pytest

from lib.config import Config
from lib.data import load_data
from lib.errors import InputError


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return a project whose catalogue a test writes with `catalog`."""
    monkeypatch.delenv("STUDY_REPORTS", raising=False)
    (tmp_path / "data").mkdir()
    return Config(root=tmp_path)


@pytest.fixture
def table(tmp_path):
    """Return what writes a frame to a file."""

    def write(frame):
        path = tmp_path / "t.csv"
        pd.DataFrame(frame).to_csv(path, index=False)
        return path

    return write


def catalog(config, text):
    """Write the catalogue."""
    config.catalog_path.write_text(text)


def role(dataset, column, name):
    """Return the one row of a column's role."""
    rows = dataset.roles
    found = rows[(rows["column"] == column) & (rows["role"] == name)]
    assert len(found) == 1, rows.to_string()
    return found.iloc[0]


N = 60
X1 = np.round(np.sin(np.arange(N)), 3)


@pytest.mark.parametrize(
    ("y", "task", "classes"),
    [
        (["no", "yes", "no"] * 20, "binary", ("no", "yes")),
        (["yes", "yes", "no"] * 20, "binary", ("no", "yes")),
        (["good", "bad", "bad"] * 20, "binary", ("good", "bad")),
        (["blue", "red", "red"] * 20, "binary", ("red", "blue")),
        ([0, 1, 1] * 20, "binary", ("0", "1")),
        ([1, 2, 2] * 20, "binary", ("2", "1")),
        ([True, False, True] * 20, "binary", ("0", "1")),
        (["a", "b", "c"] * 20, "multiclass", ("a", "b", "c")),
        ([3, 1, 10] * 20, "multiclass", ("1", "3", "10")),
        (list(range(20)) * 3, "regression", ()),
        ((X1 * 7).tolist(), "regression", ()),
    ],
)
def test_task_and_classes_follow_from_the_target(y, task, classes, table, config):
    """Two values are binary, text or few whole numbers classes, other numbers a regression."""
    dataset = load_data(table({"x": X1, "y": y}), config=config)
    assert (dataset.task, dataset.classes) == (task, classes)
    assert role(dataset, "y", "task")["origin"] == "inferred"
    if task == "binary":
        assert dataset.y.mean() == pytest.approx(
            np.mean([str(int(v) if not isinstance(v, str) else v) == classes[1] for v in y])
        )
        assert role(dataset, "y", "positive class")["kind"] == classes[1]
    elif task == "regression":
        assert dataset.y.tolist() == pytest.approx(y)


def test_target_by_customary_name_else_the_last_column(table, config):
    """`churn` is taken wherever it stands; without such a name, the last column, and said."""
    named = load_data(table({"churn": ["a", "b"] * 30, "x": X1}), config=config)
    assert named.target == "churn"
    last = load_data(table({"x": X1, "z": ["a", "b"] * 30}), config=config)
    assert last.target == "z"
    assert "the last column" in role(last, "z", "target")["reason"]


def test_columns_that_say_nothing_are_left_out_with_a_reason(table, config):
    """Identifiers, counters, constants and empty columns are no features, and listed as such."""
    frame = {
        "row": range(N),
        "customerID": [f"{i:04d}-XY" for i in range(N)],
        "order_id": np.random.default_rng(0).permutation(10_000)[:N],
        "same": ["always"] * N,
        "nothing": [None] * N,
        "x": X1,
        "y": ["a", "b"] * 30,
    }
    dataset = load_data(table(frame), config=config)
    assert list(dataset.X) == ["x"]
    assert role(dataset, "row", "identifier")["reason"] == "counts the rows; left out"
    assert "named like an identifier" in role(dataset, "customerID", "identifier")["reason"]
    assert "named like an identifier" in role(dataset, "order_id", "identifier")["reason"]
    assert "always 'always'" in role(dataset, "same", "constant")["reason"]
    assert role(dataset, "nothing", "empty")["origin"] == "inferred"


def test_unique_measurements_are_no_identifiers(table, config):
    """Decimal numbers, and whole ones of a plain name, are features even when all differ."""
    frame = {"price": X1 + np.arange(N), "size": (np.arange(N) * 37) % 101, "y": ["a", "b"] * 30}
    assert load_data(table(frame), config=config).numeric == ["price", "size"]


def test_free_text_of_names_is_kept(table, config):
    """A text with spaces that differs in every row may still say something."""
    frame = {"name": [f"Mrs. No {i}" for i in range(N)], "x": X1, "y": ["a", "b"] * 30}
    assert load_data(table(frame), config=config).text == ["name"]


@pytest.mark.parametrize(
    "name", ["patient", "subject#", "customer_id", "Individual ID", "personId"]
)
def test_persons_who_repeat_become_groups(name, table, config):
    """Rows of one person are kept together; the column is no feature."""
    persons = np.arange(N) // 3
    dataset = load_data(table({name: persons, "x": X1, "y": ["a", "b"] * 30}), config=config)
    assert dataset.groups.tolist() == persons.tolist()
    assert list(dataset.X) == ["x"]
    assert "20 rows" not in role(dataset, name, "groups")["reason"]
    assert "20 in 60 rows" in role(dataset, name, "groups")["reason"]


def test_dates_in_order_become_time_and_stay_a_feature(table, config):
    """Ordered dates make the last rows the test set."""
    days = pd.date_range("2024-01-01", periods=N)
    dataset = load_data(table({"day": days, "x": X1, "y": ["a", "b"] * 30}), config=config)
    assert dataset.datetimes == ["day"]
    assert dataset.split.rule == "the last 20 % by day"
    assert dataset.split.test.tolist() == list(range(48, 60))


def test_years_in_order_become_time(table, config):
    """A column of years that orders the rows is their time, not a count of rows."""
    years = range(1950, 1950 + N)
    dataset = load_data(table({"year": years, "x": X1, "y": ["a", "b"] * 30}), config=config)
    assert dataset.numeric == ["year", "x"]
    assert dataset.time.tolist() == list(years)


def test_catalogue_corrects_everything(table, config):
    """What was inferred wrongly is put right in the catalogue, and then says "given"."""
    frame = {
        "grade": [1, 2, 3] * 20,
        "code": [f"{i:04d}" for i in range(N)],
        "gone": X1,
        "bad": [-9.0] * 2 + [0.5, 0.7] * 29,
        "who": np.arange(N) // 2,
        "when": range(N),
        "money": X1 * 100,
        "w": [1.0, 2.0] * 30,
        "y": [1, 2, 3, 4, 5] * 12,
    }
    path = table(frame)
    catalog(
        config,
        f"""
        [t]
        path = "{path}"
        target = "y"
        task = "regression"
        groups = "who"
        time = "when"
        weights = "w"
        amounts = "money"
        drop = {{ gone = "known too late" }}
        sensitive = ["School grade"]
        missing_values = [-9]
        gains = {{ over = 1.0, under = 2.0 }}
        currency = "EUR"
        split = {{ rule = "random", seed = 3, test_fraction = 0.25 }}
        [t.columns]
        grade = {{ name = "School grade", kind = "category", description = "as given in June" }}
        code = {{ kind = "text" }}
        """,
    )
    dataset = load_data("t", config=config)
    assert dataset.task == "regression"
    assert dataset.categorical == ["school_grade"]
    assert dataset.text == ["code"]
    assert dataset.labels["school_grade"] == "School grade"
    assert dataset.descriptions["school_grade"] == "as given in June"
    assert dataset.sensitive == ("school_grade",)
    assert dataset.X["bad"].isna().sum() == 2
    assert "known too late" in role(dataset, "gone", "dropped")["reason"]
    assert set(dataset.X) == {"school_grade", "code", "bad"}
    assert dataset.currency == "EUR"
    assert dataset.amounts.tolist() == pytest.approx(X1 * 100)
    assert dataset.sample_weight.sum() == 90
    assert dataset.split.n_test == 15
    assert role(dataset, "School grade", "feature")["origin"] == "given"
    by_path = load_data(path, config=config)
    assert by_path.name == "t"
    assert by_path.fingerprint == dataset.fingerprint


MISTAKES = {
    "unknown key": ('path = "t.csv"\ntarger = "y"', r"unknown key 'targer'. Did you mean 'target'"),
    "two places": ('path = "t.csv"\nurl = "sqlite:///x.db"', r"give exactly one of path, url"),
    "bad task": ('path = "t.csv"\ntask = "ranking"', r"task got 'ranking'"),
    "bad gains": ('path = "t.csv"\ngains = { tpp = 1 }', r"gains has the keys tp, fp, fn, tn"),
    "bad kind": ('path = "t.csv"\ncolumns = { x = { kind = "int" } }', r"kind got 'int'"),
    "no such group": ('path = "t.csv"\ngroups = "X"', r"groups column 'X' is not in .*mean 'x'"),
    "no such drop": ('path = "t.csv"\ndrop = ["zz"]', r"drop names column 'zz' is not in 't'"),
    "target dropped": ('path = "t.csv"\ndrop = ["y"]', r"'y' of 't' is both the target and"),
    "wrong positive": ('path = "t.csv"\npositive = "A"', r"positive class 'A' is not .*mean 'a'"),
    "text to regress": ('path = "t.csv"\ntask = "regression"', r"is text such as 'a', 'b'"),
    "binary of three": ('path = "t.csv"\ntarget = "k"\ntask = "binary"', r"has 3 values; a binary"),
    "no time": ('path = "t.csv"\nsplit = { rule = "time" }', r"needs a column of that role"),
    "sensitive dropped": ('path = "t.csv"\nsensitive = ["k"]\ndrop = ["k"]', r"sensitive"),
    "bad weights": ('path = "t.csv"\nweights = "k"', r"Weights 'k' must be numbers"),
    "no such file": ('path = "u.csv"', r"There is no file 'u\.csv'"),
    "stray key": ('path = "t.csv"\n[u]\nx', r"is not valid TOML"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistake_in_the_catalogue_is_one_sentence(case, table, config):
    """A wrong entry says which key of which dataset, and what would be right."""
    text, expected = MISTAKES[case]
    table({"x": X1, "k": ["l", "m", "n"] * 20, "y": ["a", "b"] * 30})
    catalog(config, f"[t]\n{text}\n")
    with pytest.raises(InputError, match=expected) as error:
        load_data("t", config=config)
    assert "\n" not in str(error.value)


def test_three_lines_make_an_entry(table, config):
    """Name, path and target suffice; the path begins at the project's root."""
    table({"x": X1, "Churn": ["Yes", "No"] * 30})
    catalog(config, '[churn]\npath = "t.csv"\ntarget = "Churn"\n')
    dataset = load_data("churn", config=config)
    assert (dataset.name, dataset.target, dataset.positive_label) == ("churn", "Churn", "Yes")


def test_other_target_than_the_catalogues(table, config):
    """A target given in the call wins, and takes no positive class meant for the other."""
    table({"x": X1, "k": ["l", "m"] * 30, "y": ["a", "b", "b"] * 20})
    catalog(config, '[t]\npath = "t.csv"\ntarget = "y"\npositive = "b"\n')
    assert load_data("t", config=config).classes == ("a", "b")
    assert load_data("t", target="k", config=config).target == "k"


def test_missing_group_is_a_group_of_its_own(table, config):
    """Rows of unknown persons are not taken for one person."""
    persons = [*(np.arange(54) // 3), *[None] * 6]
    dataset = load_data(table({"person": persons, "x": X1, "y": ["a", "b"] * 30}), config=config)
    assert dataset.groups.nunique() == 18 + 6
    assert "missing group" in set(dataset.repairs["repair"])


def test_hostile_names_are_loaded_and_labelled(config):
    """Dollar signs, NUL, emoji, 5,000 characters, blanks and duplicates all survive."""
    names = ["$x$", "a\x00b", "😀", "n" * 5000, "", "dup", "dup", "_legend", "{json}", "target"]
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 10)), columns=names)
    frame["target"] = ["a", "b"] * 30
    dataset = load_data(frame, config=config)
    assert dataset.n_features == 9
    assert list(dataset.labels.values())[:4] == names[:4]
    assert all(name.isidentifier() and name.isascii() for name in dataset.X)
