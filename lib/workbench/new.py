"""A new analysis: a copy of the template, or of another analysis, under a name of its own."""

from __future__ import annotations

import datetime as dt
import getpass
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lib.errors import InputError
from lib.workbench.scripts import Script, select

TEMPLATE = "99"
NAME = re.compile(r"[0-9]{2,3}(_[a-z0-9]+)+")
LONGEST = 60
TITLE = re.compile(r"^# # .*$", re.MULTILINE)
STATUS = "draft (then: in progress, complete)"


def new_analysis(
    name: str,
    scripts: Mapping[str, Script],
    folder: Path,
    *,
    source: str = TEMPLATE,
    author: str | None = None,
    date: str | None = None,
) -> Path:
    """Copy an analysis under a new name, with its own title, author, date and status.

    Parameters
    ----------
    name : str
        Number and words, such as `50_my_experiment`.
    scripts : mapping of str to Script
        The analyses there are.
    folder : Path
        Where they are, and where the new one goes.
    source : str, default="99"
        Number or name of the analysis to copy; the template by default.
    author : str or None
        Name; git's by default.
    date : str or None
        `YYYY-MM-DD`; today by default.

    Returns
    -------
    Path
        The new file; an existing one is never touched.

    Raises
    ------
    InputError
        When a name is bad or taken, or there is nothing to copy.
    """
    name = check_name(name, scripts)
    chosen = select(scripts, [source])
    if len(chosen) > 1:
        msg = f"--from takes one analysis; '{source}' fits {', '.join(chosen)}."
        raise InputError(msg)
    text = scripts[chosen[0]].path.read_text(encoding="utf-8")
    number, _, words = name.partition("_")
    fields = {
        "Author": _one_line(author) if author else git_author(folder),
        "Date": check_date(date),
        "Status": STATUS,
    }
    made = fill_in(text, f"{number} · {words.replace('_', ' ').capitalize()}", fields)
    path = folder / f"{name}.py"
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(made)
    except FileExistsError as error:
        raise InputError(_taken(name, path.name, scripts)) from error
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror}): check the folder's permissions."
        raise InputError(msg) from error
    return path


def check_name(name: str, scripts: Mapping[str, Script]) -> str:
    """Return the name of a new analysis if it is well formed and free.

    Parameters
    ----------
    name : str
        As typed; a trailing `.py` and the folder are forgiven.
    scripts : mapping of str to Script
        The analyses there are.

    Returns
    -------
    str
        Without suffix and folder.

    Raises
    ------
    InputError
        Otherwise, with a name that would do.

    Examples
    --------
    >>> check_name("analyses/50_my_experiment.py", {})
    '50_my_experiment'
    """
    plain = name.removeprefix("analyses/").removesuffix(".py")
    if not NAME.fullmatch(plain) or len(plain) > LONGEST:
        msg = (
            f"'{name}' is no name for an analysis: expected two or three digits and lower-case "
            f"words joined by underscores, at most {LONGEST} characters, such as "
            f"{_better(plain, scripts)}."
        )
        raise InputError(msg)
    number = int(plain.partition("_")[0])
    taken = next((s for s in scripts.values() if int(s.number) == number), None)
    if taken is not None:
        raise InputError(_taken(plain, taken.path.name, scripts))
    return plain


def check_date(date: str | None) -> str:
    """Return a date as `YYYY-MM-DD`, today by default.

    Parameters
    ----------
    date : str or None
        As typed.

    Returns
    -------
    str
        In ISO 8601.

    Raises
    ------
    InputError
        When it is no date.

    Examples
    --------
    >>> check_date("2026-11-24")
    '2026-11-24'
    """
    if date is None:
        return dt.datetime.now().astimezone().date().isoformat()
    try:
        return dt.date.fromisoformat(date).isoformat()
    except ValueError as error:
        msg = f"--date takes a day such as 2026-11-24; got '{date}'."
        raise InputError(msg) from error


def git_author(folder: Path) -> str:
    """Return the name under which the user commits, else the login name.

    Parameters
    ----------
    folder : Path
        Inside the repository.

    Returns
    -------
    str
        On one line.
    """
    try:
        done = subprocess.run(
            ["git", "config", "user.name"], cwd=folder, capture_output=True, timeout=10, check=False
        )
        said = _one_line(done.stdout.decode("utf-8", errors="replace"))
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    try:
        return said or getpass.getuser()
    except (OSError, KeyError):  # no login name either: a container, say
        return "unknown"


def fill_in(text: str, title: str, fields: Mapping[str, str]) -> str:
    r"""Return a script with another title and other lines in its first cell.

    Parameters
    ----------
    text : str
        A percent script whose first cell holds a heading.
    title : str
        Replaces the first heading.
    fields : mapping of str to str
        Replaces the paragraph that starts with the bold key; where there is none, one is added:
        after the title, the last at the end of the cell.

    Returns
    -------
    str
        The script; everything after the first cell as it was.

    Examples
    --------
    >>> cell = "# %% [markdown]\n# # 01 · First\n#\n# **Status** complete\n"
    >>> print(fill_in(cell, "50 · Mine", {"Date": "2026-11-24", "Status": "draft"}), end="")
    # %% [markdown]
    # # 50 · Mine
    #
    # **Date** 2026-11-24
    #
    # **Status** draft
    """
    marker, rest = _split_first_cell(text)
    paragraphs = marker.rstrip("\n").split("\n#\n")
    heading = next((i for i, p in enumerate(paragraphs) if TITLE.search(p)), None)
    if heading is None:
        msg = "There is no title to replace: expected a first cell with a line `# # NN · Title`."
        raise InputError(msg)
    paragraphs[heading] = TITLE.sub(lambda _: f"# # {title}", paragraphs[heading], count=1)
    after = heading + 1
    for key, value in fields.items():
        line = f"# **{key}** {value}"
        known = next((i for i, p in enumerate(paragraphs) if p.startswith(f"# **{key}**")), None)
        if known is not None:
            paragraphs[known] = line
            after = known + 1
        else:
            paragraphs.insert(after, line)
            after += 1
    return "\n#\n".join(paragraphs) + "\n" + rest


def _split_first_cell(text: str) -> tuple[str, str]:
    """Return the first cell without the blank lines behind it, and the rest with them."""
    second = re.search(r"\n\n+# %%", text)
    cut = second.start() + 1 if second else len(text)
    return text[:cut], text[cut:]


def _better(plain: str, scripts: Mapping[str, Script]) -> str:
    """Return a free name near what was typed."""
    words = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    digits = re.match(r"[0-9]*", words)
    given = digits.group() if digits else ""
    rest = words[len(given) :].strip("_")[: LONGEST - 4].strip("_") or "my_experiment"
    number = f"{int(given):02d}" if given and len(f"{int(given):02d}") <= 3 else ""
    used = {int(s.number) for s in scripts.values()}
    return f"{number if number and int(number) not in used else _free(scripts)}_{rest}"


def _free(scripts: Mapping[str, Script], start: int = 50) -> str:
    """Return the first free number from `start`; the template's is never free."""
    used = {int(s.number) for s in scripts.values()} | {int(TEMPLATE)}
    return f"{next(n for n in (*range(start, 1000), *range(start)) if n not in used):02d}"


def _taken(name: str, by: str, scripts: Mapping[str, Script]) -> str:
    number, _, words = name.partition("_")
    free = _free(scripts, min(max(int(number) + 1, 50), 999))
    return f"Number {number} is taken by {by}; a free name is {free}_{words}."


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
