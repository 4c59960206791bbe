"""The catalogue that comes with the project, and what the runner asks about sources."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.config import load_config
from lib.data import forget_sources, list_datasets, load_data, loaded_sources, source_hash
from lib.data.catalog import find_entry
from lib.errors import InputError


@pytest.fixture(scope="module", autouse=True)
def reports(tmp_path_factory):
    """Locks of these tests go to a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDY_REPORTS", str(tmp_path_factory.mktemp("reports")))
        yield


@pytest.fixture(scope="module")
def rand_hie(reports):
    """Return the default table."""
    return load_data("rand_hie")


def test_default_table_is_the_published_one(rand_hie):
    """14,266 person-years, 9.1 % costly, who carry 72 % of next year's dollars."""
    assert len(rand_hie) == 14_266
    assert rand_hie.y.mean() == pytest.approx(0.091, abs=0.0005)
    carried = rand_hie.amounts[rand_hie.y == 1].sum() / rand_hie.amounts.sum()
    assert carried == pytest.approx(0.72, abs=0.005)
    assert rand_hie.groups.nunique() == 5_639
    assert sorted(rand_hie.time.unique()) == [1, 2, 3, 4]


def test_default_table_says_everything_about_itself(rand_hie):
    """Every feature is described; plan and site are categories; black and female sensitive."""
    assert set(rand_hie.descriptions) == set(rand_hie.X)
    assert {"plan", "site"} <= set(rand_hie.categorical)
    assert rand_hie.sensitive == ("black", "female")
    assert (rand_hie.task, rand_hie.currency, rand_hie.licence) == (
        "binary",
        "USD",
        "public domain",
    )
    assert rand_hie.X["plan"].cat.categories.tolist()[:3] == ["1", "2", "3"]
    assert rand_hie.summary() == (
        "14,266 rows × 30 features; 9.1 % high_cost_next_year; 5,639 groups (person)"
    )


def test_default_table_knows_nothing_of_next_year(rand_hie):
    """Next year's dollars are the amounts, exactly, and no feature equals or nearly gives them."""
    assert ((rand_hie.amounts >= 400) == (rand_hie.y == 1)).all()
    assert not [column for column in rand_hie.X if "next" in column]
    numbers = rand_hie.X[rand_hie.numeric]
    assert numbers.corrwith(rand_hie.amounts).abs().max() < 0.3


def test_next_year_is_the_row_of_the_same_person_a_year_later(rand_hie):
    """Amounts of year t are the medical dollars of year t + 1, where that row is present."""
    rows = pd.DataFrame(
        {
            "person": rand_hie.groups,
            "year": rand_hie.time,
            "now": rand_hie.X["medical_dollars"],
            "next": rand_hie.amounts,
        }
    )
    later = rows.assign(year=rows["year"] - 1)[["person", "year", "now"]]
    both = rows.merge(later, on=["person", "year"], suffixes=("", "_later"))
    assert len(both) > 8_000
    np.testing.assert_array_equal(both["next"], both["now_later"])


def test_gains_are_those_of_the_amounts(rand_hie):
    """The constant gain of a true positive is the mean of the gains per row, to a dollar."""
    gains = rand_hie.gains
    costly = rand_hie.amounts[rand_hie.y == 1].mean()
    assert gains["tp"] == pytest.approx(gains["amount_share"] * costly + gains["fp"], abs=1)
    assert gains["tp"] > gains["fn"]
    assert gains["fp"] < gains["tn"]


def test_split_of_the_default_table_is_pinned(rand_hie):
    """Whole persons, a fifth of the rows; changing it would need a new study."""
    split = rand_hie.split
    assert not set(rand_hie.groups[split.train]) & set(rand_hie.groups[split.test])
    assert (split.n_train, split.n_test) == (11_415, 2_851)
    assert rand_hie.y[split.test].mean() == pytest.approx(0.091, abs=0.005)
    assert split.rule == "20 % of the groups (person), stratified by target, seed 0"


@pytest.mark.parametrize(
    ("name", "shape", "task", "classes"),
    [
        ("rand_hie_visits", (20_190, 9), "regression", 0),
        ("breast_cancer", (569, 30), "binary", 2),
        ("wine", (178, 13), "multiclass", 3),
        ("diabetes", (442, 10), "regression", 0),
        ("digits", (1_797, 61), "multiclass", 10),
        ("planted", (2_000, 11), "binary", 2),
    ],
)
def test_catalogued_tables(name, shape, task, classes):
    """Every other entry loads with its size, task and a test set."""
    dataset = load_data(name)
    assert dataset.X.shape == shape
    assert (dataset.task, len(dataset.classes)) == (task, classes)
    assert len(dataset.train) == pytest.approx(0.8 * shape[0], abs=1)
    assert dataset.description
    assert dataset.source


def test_catalogue_is_listed_in_order():
    """The default stands first; the study's table is no dataset."""
    assert list_datasets()[0] == "rand_hie"
    assert "study" not in list_datasets()


def test_malignant_is_positive():
    """The class that matters is class 1, whatever its code in scikit-learn."""
    dataset = load_data("breast_cancer")
    assert dataset.positive_label == "malignant"
    assert dataset.y.sum() == 212


@pytest.mark.parametrize(
    ("locator", "expected"),
    [
        ("sklearn:wnie", r"scikit-learn has no dataset 'wnie'\. Did you mean 'wine'\?"),
        ("statsmodels:randhei", r"statsmodels has no dataset .*Did you mean 'randhie'\?"),
        ("openml:credit", r"'openml:credit' needs the number of a dataset"),
    ],
)
def test_unknown_packaged_table_is_one_sentence(locator, expected):
    """A misspelt name is answered with the near one."""
    with pytest.raises(InputError, match=expected):
        load_data(locator)


def test_every_statsmodels_table_loads_or_says_why():
    """The reader is not made for one table: most load, none ends in a traceback."""
    names = ("fair", "star98", "grunfeld", "longley", "anes96", "heart", "copper", "nile")
    assert {load_data(f"statsmodels:{name}").task for name in names} <= {
        "binary",
        "multiclass",
        "regression",
    }


def test_openml_without_network_is_one_sentence(monkeypatch):
    """A failed download names the table and the ways on."""
    import sklearn.datasets

    def fail(**_):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fail)
    with pytest.raises(InputError, match=r"'openml:31' could not be fetched \(ConnectionError\)"):
        load_data("openml:31")


def test_openml_table_becomes_a_dataset(monkeypatch):
    """What OpenML gives as a frame is read like any other table."""
    import sklearn.datasets
    from sklearn.utils import Bunch

    frame = pd.DataFrame({"age": range(0, 80, 2), "class": pd.Categorical(["good", "bad"] * 20)})
    bunch = Bunch(frame=frame, target=frame["class"], target_names=["class"], DESCR="Some credits")
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **_: bunch)
    dataset = load_data("openml:31")
    assert (dataset.target, dataset.positive_label) == ("class", "bad")
    assert dataset.source == "https://www.openml.org/d/31"


# ── sources, for the runner ──────────────────────────────────────────────────────────────────
def test_sources_are_recorded_and_recomputed(tmp_path):
    """What was read is named with a hash that the same contents give again."""
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "".join(f"{i}.5,{'ab'[i % 2]}\n" for i in range(30)))
    forget_sources()
    load_data(path)
    load_data("rand_hie")
    load_data("wine")
    sources = {source.locator: source.sha256 for source in loaded_sources()}
    assert len(sources) == 5  # two entries, two files, one package
    assert all(source_hash(locator) == digest for locator, digest in sources.items())
    path.write_text(path.read_text() + "1,a\n")
    assert source_hash(str(path)) != sources[str(path)]
    path.unlink()
    assert source_hash(str(path)) is None


def test_entry_is_a_source(tmp_path):
    """A changed entry is a changed source; another entry of the file is not."""
    config = load_config(root=tmp_path)
    (tmp_path / "data").mkdir()
    config.catalog_path.write_text('[a]\npath = "sklearn:wine"\n[b]\npath = "sklearn:iris"\n')
    forget_sources()
    find_entry("a", config)
    (source,) = loaded_sources()
    text = config.catalog_path.read_text()
    config.catalog_path.write_text(text.replace("iris", "digits") + "# a remark\n")
    assert source_hash(source.locator) == source.sha256
    config.catalog_path.write_text(text.replace("wine", "digits"))
    assert source_hash(source.locator) != source.sha256


def _python(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_asking_about_sources_loads_nothing_heavy():
    """The runner's question costs no import of pandas or polars."""
    code = (
        "import sys, json; from lib.data.sources import source_hash; source_hash('sklearn:wine');"
        "print(json.dumps([m for m in ('pandas', 'polars', 'numpy') if m in sys.modules]))"
    )
    assert json.loads(_python(code)) == []


def test_default_table_needs_no_heavy_package():
    """Loading it imports neither statsmodels nor scikit-learn nor SQLAlchemy."""
    code = (
        "import sys, json; from lib.data import load_data; load_data('rand_hie').train;"
        "names = ('statsmodels', 'sklearn', 'sqlalchemy', 'matplotlib');"
        "print(json.dumps([m for m in names if m in sys.modules]))"
    )
    assert json.loads(_python(code)) == []


def test_paths_begin_here_then_at_the_root(tmp_path, monkeypatch):
    """A relative path is looked up from the working directory, then the project's root."""
    root, here = tmp_path / "root", tmp_path / "here"
    for folder, shift in ((root, 0.5), (here, 1.5)):
        folder.mkdir()
        lines = "".join(f"{i + shift},{'ab'[i % 2]}\n" for i in range(30))
        (folder / "t.csv").write_text("a,y\n" + lines)
    config = load_config(root=root)
    monkeypatch.chdir(here)
    assert load_data("t.csv", config=config).X["a"][0] == 1.5
    Path("t.csv").unlink()
    assert load_data("t.csv", config=config).X["a"][0] == 0.5


def test_same_data_same_fingerprint_in_another_process(rand_hie):
    """The fingerprint does not depend on hash seeds, time zone or working directory."""
    code = "from lib.data import load_data; print(load_data('rand_hie').fingerprint)"
    env = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env, cwd="/")
    assert done.stdout.strip() == rand_hie.fingerprint
