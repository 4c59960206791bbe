"""What is checked: every code with its title, what it looks at, why, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """One point of the checklist.

    Attributes
    ----------
    code : str
        Such as "A08": A the ten points, C cells, X exceptions. One code, one rule, for ever.
    title : str
        What is asked for.
    what : str
        What is looked at, and how.
    why : str
        Why it matters, in one sentence.
    way_out : str
        What to do about it.
    """

    code: str
    title: str
    what: str
    why: str
    way_out: str


@dataclass(frozen=True, order=True)
class Problem:
    """One finding, at the lines where an exception may stand.

    Attributes
    ----------
    path : Path
        The file.
    line : int
        Where to look, from 1.
    code : str
        Of the rule.
    message : str
        What is wrong there.
    last : int
        Last line of the statement or cell that it is about; 0 for the whole file.
    """

    path: Path
    line: int
    code: str
    message: str
    last: int = 0


_ALL = (
    Rule(
        "A01",
        "Title and purpose in the first cell",
        "The first cell is Markdown with a heading, and says what the analysis is for: a "
        "paragraph, or in our analyses a line **Question** or **Purpose**.",
        "A reader decides on the first lines whether to read on.",
        "Open with a Markdown cell: `# # 50 · Name`, then `# **Question** …`.",
    ),
    Rule(
        "A02",
        "Imports in the setup cell",
        "Every import of a module stands in the first code cell that imports anything; imports "
        "inside functions are free.",
        "A reader sees at once what the analysis depends on, and it fails at once when something "
        "is missing.",
        "Move the import to the setup cell.",
    ),
    Rule(
        "A03",
        "Markdown between code",
        "No more than three code cells follow each other, and no code cell has more than 60 lines "
        "of code, without Markdown between.",
        "Code says what is done; why, and how to read the result, only prose can say.",
        "Say why before, or how to read it after, in a cell `# %% [markdown]`.",
    ),
    Rule(
        "A04",
        "Meaningful names",
        "Names that cells share are no placeholders (`foo`, `tmp`, `df2`) and no single letters, "
        "the field's own (`X`, `y`, `n`, `k` …) apart; a file among the analyses is named "
        "`##_descriptive_name.py`.",
        "Cells are read out of order, far from where a name was made.",
        "Name what it holds: `admissions`, not `df2`.",
    ),
    Rule(
        "A05",
        "Figures with title and labels",
        "At the last run every axes that was drawn had a title (its own or the figure's) and names "
        "on its axes. Without a run, in each cell that draws: a title, and labels where the "
        "library sets none itself.",
        "Figures travel without the text around them.",
        "Use a function of `lib.plots`, or `ax.set(title=…, xlabel=…, ylabel=…)` with units.",
    ),
    Rule(
        "A06",
        "Key findings recorded",
        "An analysis that uses `lib` calls `report.finding`, and its last run recorded something. "
        "Elsewhere a concluding Markdown cell, a heading such as Conclusion, or a printed result "
        "near the end.",
        "A result that only stood on a screen cannot be reviewed, compared or quoted.",
        'End with the findings: `report.finding("… {auc}", auc=auc)`.',
    ),
    Rule(
        "A07",
        "No stored outputs, no notebooks in git",
        "Git holds no `.ipynb`, a notebook outside git stores no outputs, and a script holds no "
        "pasted ones.",
        "Outputs in git leak data, drown reviews in noise, and are stale after the next change.",
        "`git rm --cached` the notebook and keep the script; `nox -s notebook` makes one when it "
        "is needed.",
    ),
    Rule(
        "A08",
        "No hard-coded paths",
        "No text in code that names a place on one machine, no relative path given to a function "
        "that reads or writes, no `sys.path`, `__file__`, home or working directory; and no file "
        "outside the project opened at the last run.",
        "On the next machine the path leads nowhere.",
        "Name the table in `data/catalog.toml` and use `load_config()` and `load_data()`; show "
        "results through `report`.",
    ),
    Rule(
        "A09",
        "Seeds reach everything random",
        "Whatever draws random numbers is given its seed: estimators, splitters, samples and "
        "generators by name, found through the imports. Nothing draws from, or seeds, the state "
        "that a process shares; at the last run that state stayed as it was.",
        "A result that differs at every run cannot be reviewed; a shared state makes it depend on "
        "the order of cells.",
        "Pass `random_state=config.seed`, or a generator `np.random.default_rng(config.seed)`.",
    ),
    Rule(
        "A10",
        "Under 5 minutes",
        "The last run took less than five minutes (unless it was asked to be thorough).",
        "What takes long is run seldom, and goes stale.",
        "Take rows and repetitions from `config.budget`, or split the analysis.",
    ),
    Rule(
        "C01",
        "Every editor sees the same cells",
        "jupytext (and so JupyterLab), VS Code and PyCharm find the same cells on the same lines.",
        "Otherwise colleagues run different cells of one file.",
        "Write markers as `# %%`, `# %% Title` or `# %% [markdown]`, at the start of a line, never "
        "inside a text or function, nothing before the first.",
    ),
    Rule(
        "C02",
        "A notebook gives every byte back",
        "Read as a notebook and written again, the script is the same to the byte.",
        "Otherwise opening and saving it changes lines that nobody edited.",
        "Write cells as the template does: one blank line between them, no header, metadata only "
        "`tags`.",
    ),
    Rule(
        "C03",
        "Each cell is whole",
        "The file is UTF-8 text, and each code cell is Python by itself.",
        "Editors send one cell at a time.",
        "Keep a statement in one cell; a script holds no magics.",
    ),
    Rule(
        "C04",
        "ruff, cell by cell",
        "ruff judges the script as the notebook that it is: names that no cell defines, values "
        "computed and dropped (a cell's last expression is shown), imports below code.",
        "Read as a plain file, half of these are false alarms and the other half is switched off.",
        "Do what ruff says; `# noqa: B018` works too.",
    ),
    Rule(
        "X01",
        "An exception says why",
        "A comment `# checklist: A08 …` names codes that exist, and a reason.",
        "Whoever reads the line next has to judge whether the reason still holds.",
        "Write `# checklist: A08 the mount of the cluster`.",
    ),
    Rule(
        "X02",
        "An exception is needed",
        "A comment `# checklist: …` excepts something that would be reported without it.",
        "Exceptions that outlive their reason hide the next problem.",
        "Remove the comment.",
    ),
)  # fmt: skip
RULES: Mapping[str, Rule] = {rule.code: rule for rule in _ALL}


def as_guide() -> str:
    """Return every rule as Markdown, as `docs/checklist.md` has it.

    Returns
    -------
    str
        One section a code.

    Examples
    --------
    >>> as_guide().splitlines()[0]
    '### A01 · Title and purpose in the first cell'
    """
    return "\n".join(
        f"### {rule.code} · {rule.title}\n\n{rule.what}\n\n"
        f"*Why:* {rule.why}\n\n*Way out:* {rule.way_out}\n"
        for rule in RULES.values()
    )
