"""The shape of the project holds: levels of `lib`, homes of heavy packages, analyses apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.config import project_root

ROOT = project_root()
LIB = ROOT / "lib"

# A module may import only modules of a lower level, or of its own package.
LEVELS = {
    "errors": 0,
    "config": 0,
    "data": 1,
    "estimates": 1,
    "checks": 2,
    "statistics": 2,
    "quality": 3,
    "leakage": 3,
    "profile": 2,
    "resampling": 2,
    "features": 2,
    "evaluation": 2,
    "models": 3,
    "explanation": 3,
    "neural": 3,
    "tracking": 3,
    "tuning": 3,
    "ensembles": 3,
    "design": 3,
    "comparison": 3,
    "business": 3,
    "performance": 3,
    "plots": 4,
    "interpreter": 5,
    "report": 5,
    "experiments": 5,
    "workbench": 6,
}
# Inside one level these may look at each other; the order is the direction.
WITHIN_LEVEL = [
    ("config", "errors"),
    ("data", "estimates"),
    ("evaluation", "resampling"),
    ("profile", "statistics"),
    ("tuning", "models"),
    ("design", "models"),
    ("comparison", "models"),
    ("comparison", "design"),
    ("comparison", "tracking"),
    ("tuning", "neural"),
    ("performance", "explanation"),
]

# The only homes of heavy packages: swap one by editing one module.
HOMES = {
    "lightgbm": {"models"},
    "matplotlib": {"plots"},
    "mlflow": {"tracking"},
    "nbconvert": {"report"},
    "jinja2": {"report"},
    "plotly": {"plots"},
    "seaborn": {"plots"},
    "skrub": {"features", "profile"},
    "statsmodels": {"statistics"},
    "torch": {"neural"},
    "shap": {"explanation"},
    "optuna": {"tuning"},
    "sqlalchemy": {"data"},
    "pandera": {"quality"},
}

# Exported functions without an executed example, by package: a number may only fall. A figure's
# example is the gallery, and `workbench` is the command line.
WITHOUT_EXAMPLE = {
    "business": 18,
    "comparison": 9,
    "ensembles": 7,
    "features": 2,
    "neural": 2,
    "performance": 12,
    "tracking": 11,
}


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Yield (dotted name, line) of every import statement of a file, wherever it stands."""
    package = ["lib", *path.relative_to(LIB).parts[:-1]] if path.is_relative_to(LIB) else []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def top_module(path: Path) -> str:
    """Return "data" for lib/data/readers.py and "config" for lib/config.py."""
    return path.relative_to(LIB).parts[0].removesuffix(".py")


MODULES = sorted(p for p in LIB.rglob("*.py") if p != LIB / "__init__.py")
ANALYSES = sorted((ROOT / "analyses").glob("*.py"))


def test_there_is_something_to_check():
    """The checks below would pass on an empty folder; this one would not."""
    assert len(MODULES) > 15
    assert len(ANALYSES) >= 2


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIB)))
def test_imports_run_downward(path):
    """A module imports only lower levels, so a change can be understood from below."""
    here = top_module(path)
    assert here in LEVELS, f"lib/{here} has no level: add it to LEVELS in {Path(__file__).name}"
    upward = []
    for name, line in imports_of(path):
        parts = name.split(".")
        if parts[0] != "lib" or len(parts) < 2 or parts[1] == here or parts[1] not in LEVELS:
            continue
        if LEVELS[parts[1]] >= LEVELS[here] and (here, parts[1]) not in WITHIN_LEVEL:
            upward.append(f"{path.name}:{line} imports lib.{parts[1]}")
    assert not upward


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIB)))
def test_heavy_packages_stay_home(path):
    """Each heavy package is imported by its one home, so that it can be replaced there.

    The workbench may name any: it preloads what the analyses will import.
    """
    here = top_module(path)
    strays = [
        f"{path.name}:{line} imports {name}; its home is lib/{'/'.join(sorted(HOMES[package]))}"
        for name, line in imports_of(path)
        if (package := name.split(".")[0]) in HOMES and here not in HOMES[package]
    ]
    assert here == "workbench" or not strays, strays


@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_analyses_stand_apart(path):
    """An analysis imports shared logic from `lib` and never another analysis."""
    own = {p.stem for p in ANALYSES} | {"analyses"}
    assert not [name for name, _ in imports_of(path) if name.split(".")[0] in own]


@pytest.mark.parametrize("path", ANALYSES, ids=lambda p: p.stem)
def test_analyses_hold_no_mechanics(path):
    """No class, path, environment, global seed or magic in an analysis: those live in `lib`."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    calls = [ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)]
    forbidden = {"np.random.seed", "random.seed", "torch.manual_seed", "sys.path.append"}
    assert not forbidden & set(calls)
    assert not [line for line in text.splitlines() if line.startswith(("%", "!"))]
    assert "os.environ" not in text


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIB)))
def test_lib_is_quiet(path):
    """No `print`, `plt.show` or module-level warning filter in `lib`; commands may write.

    `report` shows findings and `workbench` talks to the terminal: showing is their task.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    loud = {"plt.show"} if top_module(path) in {"report", "workbench"} else {"plt.show", "print"}
    assert not calls & loud
    at_import = [ast.unparse(n) for n in tree.body if isinstance(n, ast.Expr)]
    assert not [text for text in at_import if "filterwarnings" in text or "basicConfig" in text]


def exported_functions(package: str) -> dict[str, str]:
    """Return the docstrings of the functions that a module or a package's `__init__` exports."""
    folder = LIB / package
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    known = {
        node.name: ast.get_docstring(node) or ""
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    lists = [
        ast.literal_eval(node.value)
        for node in trees[folder / "__init__.py" if folder.is_dir() else files[0]].body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    names = lists[0] if lists else [name for name in known if not name.startswith("_")]
    return {name: known[name] for name in names if name in known}


@pytest.mark.parametrize("package", sorted(LEVELS.keys() - {"plots", "workbench"}))
def test_what_a_package_exports_has_an_example(package):
    """Whoever meets a function sees it used, in an example that runs with the tests."""
    lacking = [name for name, said in exported_functions(package).items() if ">>>" not in said]
    assert len(lacking) <= WITHOUT_EXAMPLE.get(package, 0), lacking
