"""What stands in the code: where imports are, how things are named, which places are fixed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from lib.workbench.checklist.page import Definition, Page
from lib.workbench.checklist.rules import Problem
from lib.workbench.new import NAME as FILE_NAME

# Single letters that mean the same to everyone in the field.
LETTERS = frozenset("xyzijkmnpqt_ABCDEFGHIJKLMNOPQRSTUVWXYZ")  # capitals: matrices, sizes
PLACEHOLDER = re.compile(
    r"_*(foo|bar|baz|qux|quux|asdf|blah|xxx+|aaa+|stuff|thingy?|things|something|whatever|junk|tmp|temp)_?\d*"
    r"|(df|data|dat|var|val|lst|arr|obj|dict|list|func|function|res|result|out|output|thing)_?\d+"
    r"|(df|data|model|result|results|test|final)_?(final|new|old|copy|bak|tmp|temp|foo|v\d+)\d*"
    r"|untitled\w*|my(_?)(df|data|var|list|dict|func|function|model)\d*",
    re.IGNORECASE,
)
PLACE = re.compile(
    r"""(?x)
    [A-Za-z]:[\\/](?![\\/]) .*          # C:\data, not c://
    | \\\\[\w.-]+\\.+                   # \\server\share
    | ~[\w.-]*[/\\].+                   # ~/data
    | file:/+.+ | s?ftp://.+
    | /(?:home|Users|root|mnt|media|tmp|var|opt|srv|etc|usr|Volumes|scratch|private|content|kaggle
        |dbfs|workspaces?|gpfs|lustre|nfs|work|data|project|projects|storage|export)/.+
    | /(?:[\w.-]+/)+[\w.-]+\.[A-Za-z]\w{0,7}
    """
)
READERS = {
    "open", "io.open", "pathlib.Path", "numpy.load", "numpy.loadtxt", "numpy.genfromtxt",
    "numpy.save", "numpy.savez", "numpy.savez_compressed", "numpy.savetxt", "numpy.fromfile",
    "joblib.load", "joblib.dump", "torch.load", "torch.save", "sqlite3.connect",
    "duckdb.connect", "h5py.File", "PIL.Image.open", "matplotlib.pyplot.savefig",
    "matplotlib.pyplot.imread", "cv2.imread", "cv2.imwrite", "xarray.open_dataset",
    "os.makedirs", "os.mkdir", "os.listdir", "os.remove", "glob.glob", "shutil.copy",
    "skops.io.load", "lightgbm.Booster", "soundfile.read", "fitz.open",
}  # fmt: skip
READS = re.compile(
    r"(pandas|polars|geopandas|dask\.dataframe|pyarrow(\.\w+)*|imageio|skimage\.io)\.(read|scan)_\w+|imageio\.imread|skimage\.io\.imread"
)
WRITES = re.compile(
    r".+\.(to_(csv|parquet|feather|excel|json|pickle|hdf|html|markdown|latex|stata|file)"
    r"|savefig|write_(csv|parquet|json|html|image|ipc|excel)|sink_(csv|parquet)|save_model|tofile)"
)
FILE_ARGUMENTS = {"path", "filename", "fname", "filepath_or_buffer", "source", "file", "io"}
HAS_FILE = re.compile(r"(?!\w+://).*?([/\\]|\.[A-Za-z]\w{0,7}$).*", re.DOTALL)
PLACES_BY_CALL = {
    "os.getcwd": "the working directory", "pathlib.Path.cwd": "the working directory",
    "os.chdir": "the working directory", "pathlib.Path.home": "the home folder",
    "os.path.expanduser": "the home folder",
    "sys.path.append": "`sys.path` (install the project instead)",
    "sys.path.insert": "`sys.path` (install the project instead)",
    "sys.path.extend": "`sys.path` (install the project instead)",
}  # fmt: skip


def check_imports(page: Page) -> Iterator[Problem]:
    """A02: imports in the setup cell."""
    setup = None
    for cell, tree in page.trees():
        found = [
            node for node in _at_top(tree.body) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        found = [
            n for n in found if not (isinstance(n, ast.ImportFrom) and n.module == "__future__")
        ]
        if setup is None and found:
            setup = cell
        elif found and setup is not None:
            where = f"the setup cell is at line {setup.line}"
            for node in found:
                names = ", ".join(_imported(node))
                yield page.at(node, "A02", f"{names} imported outside the setup cell ({where})")


def check_names(page: Page) -> Iterator[Problem]:
    """A04: names that say what they hold."""
    if page.in_project and not FILE_NAME.fullmatch(page.path.stem):
        yield page.whole("A04", f"'{page.path.name}' is not named like 50_my_experiment.py")
    seen: set[str] = set()
    for _, tree in page.trees():
        for name, node in _bound(tree.body):
            if name in seen:
                continue
            seen.add(name)
            if len(name) == 1 and name not in LETTERS:
                yield page.at(node, "A04", f"'{name}' says nothing in another cell")
            elif PLACEHOLDER.fullmatch(name):
                yield page.at(node, "A04", f"'{name}' is a placeholder, not a name")


def check_paths(page: Page) -> Iterator[Problem]:
    """A08: no place of one machine, and none that depends on where one stands."""
    for _, tree in page.trees():
        ignored = _no_paths(page, tree)
        for node in ast.walk(tree):
            if id(node) in ignored:
                continue
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if "\n" not in node.value and PLACE.fullmatch(node.value):
                    yield page.at(node, "A08", f'hard-coded path "{node.value[:80]}"')
            elif isinstance(node, ast.Name) and node.id == "__file__":
                yield page.at(node, "A08", "`__file__` is unknown in a notebook")
            elif isinstance(node, ast.Call):
                yield from _check_call(page, node)


def _check_call(page: Page, call: ast.Call) -> Iterator[Problem]:
    name = page.dotted(call.func)
    if name in PLACES_BY_CALL:
        yield page.at(call, "A08", f"depends on {PLACES_BY_CALL[name]}")
    if not (name in READERS or READS.fullmatch(name) or WRITES.fullmatch(name)):
        return
    arguments = [*call.args[:1], *(k.value for k in call.keywords if k.arg in FILE_ARGUMENTS)]
    for argument in arguments:
        text = argument.value if isinstance(argument, ast.Constant) else None
        if isinstance(argument, ast.JoinedStr) and argument.values:
            first = argument.values[0]
            text = first.value if isinstance(first, ast.Constant) else None
        if isinstance(text, str) and HAS_FILE.fullmatch(text) and not PLACE.fullmatch(text):
            yield page.at(call, "A08", f'path "{text[:80]}" depends on where the script is started')


def _no_paths(page: Page, tree: ast.Module) -> set[int]:
    """Return texts that are no paths: docstrings, addresses, patterns, routes, messages."""
    ignored: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            ignored.add(id(node.value))  # a docstring, or a text alone
        elif isinstance(node, ast.Call):
            name = page.dotted(node.func)
            if name.startswith("re.") or name.endswith((".get", ".post", ".route", ".mount")):
                ignored.update(id(argument) for argument in node.args)
        elif isinstance(node, ast.JoinedStr):
            ignored.update(id(part) for part in node.values[1:])
    return ignored


def _at_top(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a cell, those under `if`, `try` and `with` included."""
    for node in body:
        yield node
        if not isinstance(node, Definition):
            for name in ("body", "orelse", "finalbody"):
                yield from _at_top(getattr(node, name, []))
            for handler in getattr(node, "handlers", []):
                yield from _at_top(handler.body)


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module]
    return [alias.name for alias in node.names]


def _bound(body: list[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that later cells can see, loop variables apart."""
    for node in _at_top(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, _head(node)
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id, part


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
    """Return a stand-in for the line of a definition: its body has exceptions of its own."""
    head = ast.Pass(lineno=node.lineno, col_offset=0)
    head.end_lineno = max(node.lineno, node.body[0].lineno - 1)
    return head
