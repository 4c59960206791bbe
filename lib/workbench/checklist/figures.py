"""A05 without a run: in each cell that draws, a title, and labels where no library sets them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lib.workbench.checklist.page import Page
from lib.workbench.checklist.rules import Problem

# What draws on bare axes: nothing is labelled unless one says so.
BARE = {
    "plot", "scatter", "bar", "barh", "hist", "hist2d", "hexbin", "step", "errorbar",
    "fill_between", "stackplot", "semilogx", "semilogy", "loglog", "stem", "contour",
    "contourf", "boxplot", "violinplot", "plot_surface", "quiver", "eventplot",
}  # fmt: skip
# Without axes to label.
NO_LABELS = {"imshow", "matshow", "pie", "pcolormesh", "spy"}
FRAME_PLOTS = re.compile(r"\.(plot(\.\w+)?|hist|boxplot)$")
SEABORN = re.compile(
    r"seaborn\.(\w+plot|heatmap|clustermap|displot|catplot|relplot|lmplot|jointplot|pairplot)"
)
EXPRESS = re.compile(r"plotly\.express\.(?!data|colors|set_|get_)[a-z]\w+")
DISPLAYS = re.compile(r"(.*\.)?\w+Display\.from_(estimator|predictions|cv_results)")
AXES = re.compile(r"(^|_)(ax|axes|axs|axis|axarr)\d*(_|$)|^(fig|figure)\d*\.axes", re.IGNORECASE)
TITLES = {"title", "set_title", "suptitle", "set_titles", "update_layout", "figure_title"}
LABELS = {
    "x": {"xlabel", "set_xlabel", "supxlabel", "set_axis_labels", "set_xlabels"},
    "y": {"ylabel", "set_ylabel", "supylabel", "set_axis_labels", "set_ylabels"},
}


def check_figures(page: Page) -> Iterator[Problem]:
    """A05: figures with title and labels, as far as the code shows."""
    if not page.packages & {"matplotlib", "seaborn", "pandas", "plotly", "sklearn", "polars"}:
        return
    for _, tree in page.trees():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        kinds = [(kind, call) for call in calls if (kind := _draws(page, call))]
        if not kinds:
            continue
        kind, first = kinds[0]
        bare = next((call for kind, call in kinds if kind == "bare"), None)
        said = {_last(call) for call in calls}
        words = {k.arg for call in calls for k in call.keywords if k.arg and _is_named(k.value)}
        lacks = [] if said & TITLES or words & {"title", "suptitle"} else ["title"]
        if bare is not None and "off" not in _texts(calls, "axis") and "set_axis_off" not in said:
            lacks += [
                f"{axis} label"
                for axis, names in LABELS.items()
                if not (said & names or words & {f"{axis}label", f"{axis}_label"})
            ]
        if lacks:
            shown = bare if bare is not None and lacks != ["title"] else first
            what = "it draws" if kind else ""
            yield page.at(shown, "A05", f"{what} without {', '.join(lacks)}".strip())


def _draws(page: Page, call: ast.Call) -> str:
    """Return "bare", "named" (the library labels the axes) or ""."""
    if not isinstance(call.func, ast.Attribute):
        return ""
    name, last = page.dotted(call.func), call.func.attr
    front = ast.unparse(call.func.value)
    is_pyplot = name.startswith(("matplotlib.pyplot.", "pylab."))
    is_axes = is_pyplot or bool(AXES.search(front.partition("[")[0].rpartition(".")[2]))
    if name.startswith("lib."):
        return ""
    if is_axes and (last in BARE or last in NO_LABELS):
        given = bool(call.args or call.keywords)
        return "" if not given else "bare" if last in BARE else "named"
    if SEABORN.fullmatch(name) or EXPRESS.fullmatch(name) or DISPLAYS.fullmatch(name):
        return "named"
    is_module = name.partition(".")[0] in page.packages
    has_tables = page.packages & {"pandas", "polars", "geopandas"}
    if has_tables and not is_module and FRAME_PLOTS.search(f"{_chain(call.func)}"):
        return "named"
    return ""


def _chain(node: ast.expr) -> str:
    """Return `.plot.bar` of `frame["x"].plot.bar`."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return "." + ".".join(reversed(parts))


def _last(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_named(value: ast.expr) -> bool:
    return not (isinstance(value, ast.Constant) and value.value in {None, ""})


def _texts(calls: list[ast.Call], name: str) -> set[object]:
    return {
        argument.value
        for call in calls
        if _last(call) == name
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }
