"""A09: whatever draws random numbers is told its seed, and nothing shares a state."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from lib.workbench.checklist.page import Page
from lib.workbench.checklist.rules import Problem

SEEDING = {
    "numpy.random.seed", "random.seed", "torch.manual_seed", "torch.cuda.manual_seed",
    "torch.cuda.manual_seed_all", "tensorflow.random.set_seed", "tensorflow.set_random_seed",
    "pytorch_lightning.seed_everything", "lightning.seed_everything", "numpy.random.set_state",
}  # fmt: skip
SHARED = {
    "numpy.random": (
        "beta binomial bytes chisquare choice dirichlet exponential f gamma geometric gumbel "
        "hypergeometric laplace logistic lognormal logseries multinomial multivariate_normal "
        "negative_binomial noncentral_chisquare noncentral_f normal pareto "
        "permutation poisson power "
        "rand randint randn random random_integers random_sample ranf rayleigh sample shuffle "
        "standard_cauchy standard_exponential standard_gamma standard_normal "
        "standard_t triangular "
        "uniform vonmises wald weibull zipf"
    ),
    "random": (
        "random randint randrange choice choices shuffle sample uniform gauss "
        "normalvariate betavariate "
        "expovariate gammavariate lognormvariate paretovariate triangular vonmisesvariate "
        "weibullvariate getrandbits randbytes binomialvariate"
    ),
}  # fmt: skip
SHARED_CALLS = {f"{module}.{name}" for module, names in SHARED.items() for name in names.split()}
# Of torch: these take a `generator`.
TORCH = {
    f"torch.{n}"
    for n in ["rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial"]
}
GENERATORS = {
    "numpy.random.default_rng",
    "numpy.random.RandomState",
    "random.Random",
    "numpy.random.SeedSequence",
}
# scikit-learn, by module: `random_state` is None by default, and that matters.
SKLEARN = {
    "ensemble": (
        "RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor "
        "GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier "
        "HistGradientBoostingRegressor BaggingClassifier BaggingRegressor AdaBoostClassifier "
        "AdaBoostRegressor IsolationForest RandomTreesEmbedding"
    ),
    "tree": (
        "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier "
        "ExtraTreeRegressor"
    ),
    "neural_network": "MLPClassifier MLPRegressor BernoulliRBM",
    "linear_model": (
        "SGDClassifier SGDRegressor SGDOneClassSVM Perceptron PassiveAggressiveClassifier "
        "RANSACRegressor TheilSenRegressor"
    ),
    "cluster": "KMeans MiniBatchKMeans BisectingKMeans SpectralClustering k_means",
    "mixture": "GaussianMixture BayesianGaussianMixture",
    "manifold": "TSNE MDS SpectralEmbedding",
    "decomposition": (
        "NMF MiniBatchNMF FastICA TruncatedSVD LatentDirichletAllocation "
        "DictionaryLearning MiniBatchDictionaryLearning"
    ),
    "random_projection": "GaussianRandomProjection SparseRandomProjection",
    "kernel_approximation": "Nystroem RBFSampler",
    "inspection": "permutation_importance",
    "feature_selection": "mutual_info_classif mutual_info_regression",
    "model_selection": (
        "train_test_split ShuffleSplit StratifiedShuffleSplit GroupShuffleSplit RepeatedKFold "
        "RepeatedStratifiedKFold RandomizedSearchCV HalvingRandomSearchCV HalvingGridSearchCV "
        "ParameterSampler permutation_test_score"
    ),
    "utils": "resample shuffle",
    "datasets": (
        "make_classification make_regression make_blobs make_moons make_circles make_friedman1 "
        "make_friedman2 make_friedman3 make_gaussian_quantiles make_hastie_10_2 "
        "make_low_rank_matrix "
        "make_multilabel_classification make_s_curve make_swiss_roll "
        "make_sparse_uncorrelated make_biclusters"
    ),
}  # fmt: skip
NEEDS_SEED = {f"sklearn.{m}.{n}" for m, names in SKLEARN.items() for n in names.split()} | {
    "umap.UMAP", "optuna.samplers.TPESampler", "optuna.samplers.RandomSampler",
    "optuna.samplers.CmaEsSampler", "optuna.samplers.GPSampler", "optuna.samplers.NSGAIISampler",
    "scipy.stats.bootstrap", "scipy.stats.permutation_test", "scipy.stats.monte_carlo_test",
    "scipy.optimize.differential_evolution", "scipy.optimize.dual_annealing",
    "scipy.optimize.basinhopping", "lightgbm.cv", "xgboost.cv",
}  # fmt: skip
# Random only when they are told so: argument, and the values with which they are.
WHEN: dict[str, tuple[str, set[Any]]] = {
    "sklearn.model_selection.KFold": ("shuffle", {True}),
    "sklearn.model_selection.StratifiedKFold": ("shuffle", {True}),
    "sklearn.model_selection.StratifiedGroupKFold": ("shuffle", {True}),
    "sklearn.model_selection.GroupKFold": ("shuffle", {True}),
    "sklearn.model_selection.learning_curve": ("shuffle", {True}),
    "sklearn.dummy.DummyClassifier": ("strategy", {"stratified", "uniform"}),
    "sklearn.svm.SVC": ("probability", {True}),
    "sklearn.linear_model.LogisticRegression": ("solver", {"sag", "saga", "liblinear"}),
    "sklearn.linear_model.Ridge": ("solver", {"sag", "saga"}),
    "torch.utils.data.DataLoader": ("shuffle", {True}),
    "torch.utils.data.random_split": ("", set()),
}  # fmt: skip
NEVER_RANDOM = {
    "sklearn.model_selection.train_test_split": ("shuffle", False),
    "sklearn.ensemble.HistGradientBoostingClassifier": ("early_stopping", False),
    "sklearn.ensemble.HistGradientBoostingRegressor": ("early_stopping", False),
}
SEED_NAMES = {"random_state", "seed", "rng", "generator", "random_seed", "seed_rng"}
SAMPLED = re.compile(
    r"(^|_)(rng|random|generator|dist\w*|trial|sampler|study|model|posterior|prior|kernel|space)$",
    re.IGNORECASE,
)
CLOCKS = {"time.time", "time.time_ns", "time.perf_counter", "os.getpid", "uuid.uuid4", "os.urandom",
          "datetime.datetime.now", "secrets.randbits"}  # fmt: skip


def check_seeds(page: Page) -> Iterator[Problem]:
    """A09: seeds."""
    for name, call in page.calls:
        yield from _check_shared(page, name, call)
        yield from _check_given(page, name, call)
        yield from _check_value(page, call)


def _check_shared(page: Page, name: str, call: ast.Call) -> Iterator[Problem]:
    if name in SEEDING:
        yield page.at(call, "A09", f"`{name}` seeds a state that the whole process shares")
    elif name in SHARED_CALLS:
        yield page.at(call, "A09", f"`{name}` draws from the state that the whole process shares")
    elif name in TORCH and not _given(call, "generator"):
        yield page.at(call, "A09", f"`{name}` without `generator` draws from torch's shared state")


def _check_given(page: Page, name: str, call: ast.Call) -> Iterator[Problem]:
    if any(keyword.arg is None for keyword in call.keywords):
        return  # **options may hold it
    if name in GENERATORS and not call.args and not call.keywords:
        yield page.at(call, "A09", f"`{name}()` starts somewhere else at every run")
    elif name in NEEDS_SEED or _is_random(name, call):
        switch, off = NEVER_RANDOM.get(name, ("", None))
        is_off = bool(switch) and _value(call, switch) is off
        if not is_off and not any(_given(call, seed) for seed in SEED_NAMES):
            yield page.at(call, "A09", f"`{name.rpartition('.')[2]}` without {_seed_of(name)}")
    elif _samples_rows(page, call) and not any(_given(call, seed) for seed in SEED_NAMES):
        yield page.at(call, "A09", "`.sample` of rows without `random_state` (polars: `seed`)")


def _check_value(page: Page, call: ast.Call) -> Iterator[Problem]:
    """Look at a seed that is given: None and the clock are none, a number belongs to the study."""
    keywords = [k for k in call.keywords if k.arg in {"random_state", "seed"}]
    values = [k.value for k in keywords]
    if page.dotted(call.func) in GENERATORS:
        values += call.args[:1]
    for value in values:
        inside = {page.dotted(n.func) for n in ast.walk(value) if isinstance(n, ast.Call)}
        if isinstance(value, ast.Constant) and value.value is None:
            yield page.at(call, "A09", "a seed of None is another one at every run")
        elif inside & CLOCKS:
            yield page.at(call, "A09", "a seed taken from clock or process differs at every run")
        elif page.uses_lib and isinstance(value, ast.Constant) and isinstance(value.value, int):
            yield page.at(call, "A09", f"seed {value.value} is typed here: take `config.seed`")


def _is_random(name: str, call: ast.Call) -> bool:
    if name not in WHEN:
        return False
    argument, values = WHEN[name]
    return not argument or _value(call, argument) in values


def _samples_rows(page: Page, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "sample":
        return False
    name = page.dotted(call.func)
    front = ast.unparse(call.func.value).rpartition(".")[2]
    is_imported = name.partition(".")[0] in {n.partition(".")[0] for n in page.names.values()}
    tables = page.packages & {"pandas", "polars", "dask", "geopandas"}
    return bool(tables) and not is_imported and not SAMPLED.search(front)


def _given(call: ast.Call, name: str) -> bool:
    """Say whether an argument is given by name (None included: that is reported as such)."""
    return any(keyword.arg == name for keyword in call.keywords)


def _value(call: ast.Call, name: str) -> Any:
    found = next((k.value for k in call.keywords if k.arg == name), None)
    return found.value if isinstance(found, ast.Constant) else None


def _seed_of(name: str) -> str:
    seed = "generator" if name.startswith("torch.") else "random_state"
    if name.startswith(("optuna.", "scipy.optimize", "lightgbm.", "xgboost.")):
        seed = "seed"
    return "`rng`" if name.startswith("scipy.stats") else f"`{seed}`"
