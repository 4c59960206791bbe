"""The command line: run, findings, checklist, mlflow, lab, notebook, new."""

from __future__ import annotations

import argparse
import ast
import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.config import ENVIRONMENT_PREFIX, load_config
from lib.errors import InputError

STUDY = ("dataset", "target", "effort", "seed")


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.

    Returns
    -------
    int
        0 all well; 1 an analysis did not pass; 2 an input does not fit; 130 Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an ASCII terminal must not end a run
            stream.reconfigure(errors="replace")
    given = _parser().parse_args(arguments)
    try:
        return int(given.command(given))
    except InputError as error:
        if getattr(given, "debug", False):
            traceback.print_exc()
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:  # `run_analyses | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="workbench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    findings = commands.add_parser(
        "findings", help="say in words what changed, accept it, or check it", add_help=False
    )
    findings.add_argument("rest", nargs=argparse.REMAINDER)
    findings.set_defaults(command=_findings)
    schema = commands.add_parser("schema", help="accept the schema that 02 proposed")
    schema.add_argument("verb", choices=["accept"])
    schema.add_argument("--dataset", help="a name of the catalogue or the path of a file")
    schema.set_defaults(command=_schema)
    mlflow = commands.add_parser("mlflow", help="open the record of all runs, on this machine only")
    mlflow.add_argument("--port", type=int, default=5000)
    mlflow.set_defaults(command=_mlflow)
    lab = commands.add_parser(
        "lab", help="open the analyses as notebooks in JupyterLab",
        prefix_chars="\0", add_help=False,  # whatever follows is for JupyterLab
    )  # fmt: skip
    lab.add_argument("rest", nargs="*")
    lab.set_defaults(command=_lab)
    _add_notebook(commands)
    _add_new(commands)
    _add_checklist(commands)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="run the analyses as tests")
    run.set_defaults(command=_run)
    run.add_argument("ids", nargs="*", help="numbers, names or patterns: 11, 01_*, '2?'")
    study = run.add_argument_group("the study")
    study.add_argument("--dataset", help="a name of the catalogue or the path of a file")
    study.add_argument("--target", help="target column of a file")
    study.add_argument("--effort", help="quick, standard or thorough: counts, never clocks")
    study.add_argument("--seed", help="of every model and resample")
    study.add_argument("--datasets", help="further tables on which 32 ranks: wine,diabetes")
    study.add_argument(
        "-P", dest="parameters", metavar="NAME=VALUE", action="append", default=[],
        help="value of a cell tagged `parameters`",
    )  # fmt: skip
    how = run.add_argument_group("how to run")
    how.add_argument("--jobs", "-j", type=_positive_int, help="analyses at a time (all cores)")
    seconds = "seconds each (300; thorough: two hours)"
    how.add_argument("--timeout", type=_positive, help=seconds)
    how.add_argument("--fresh", action="store_true", help="run what is selected, changed or not")
    how.add_argument("--explain", action="store_true", help="say why each runs or does not")
    how.add_argument("--strict", action="store_true", help="02 fails when it finds an error")
    how.add_argument(
        "--draft", action="store_true", help="33 is made though inputs do not hold; runs no others"
    )
    how.add_argument("--isolated", action="store_true", help="a fresh process for each")
    how.add_argument("--kernel", action="store_true", help="compare outputs with a kernel's")
    how.add_argument("--no-tracking", action="store_true", help="leave MLflow alone")
    how.add_argument("--no-pages", action="store_true", help="write no HTML")
    how.add_argument("--debug", action="store_true", help="tracebacks for input errors too")
    how.add_argument("--analyses", type=Path, help="another folder of analyses")


def _add_notebook(commands: Any) -> None:
    notebook = commands.add_parser(
        "notebook", help="make an .ipynb of an analysis, or bring its edits back"
    )
    notebook.set_defaults(command=_notebook)
    notebook.add_argument(
        "words", nargs="+", metavar="ID",
        help="analyses to make notebooks of; after the word `sync`, those to bring back (all)",
    )  # fmt: skip
    notebook.add_argument("--dataset", help="whose last run the outputs are of")
    notebook.add_argument("--keep", choices=["script", "notebook"], help="whose edits stay")


def _add_new(commands: Any) -> None:
    new = commands.add_parser("new", help="start an analysis from the template, or from another")
    new.set_defaults(command=_new)
    new.add_argument("name", help="number and words: 50_my_experiment")
    new.add_argument("--from", dest="source", default="99", help="the analysis to copy (99)")
    new.add_argument("--author", help="name of the author (git's user.name)")
    new.add_argument("--date", help="as YYYY-MM-DD (today)")
    new.add_argument("--analyses", type=Path, help="another folder of analyses")


def _add_checklist(commands: Any) -> None:
    checklist = commands.add_parser("checklist", help="judge scripts before a commit")
    checklist.set_defaults(command=_checklist)
    checklist.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="scripts or folders (analyses/)"
    )
    checklist.add_argument(
        "--format", choices=["text", "github"],
        help="github: annotations of a pull request (chosen by itself where GitHub runs it)",
    )  # fmt: skip


def _run(given: argparse.Namespace) -> int:
    from lib.workbench.run import Options, run_analyses  # noqa: PLC0415

    for name in STUDY:
        if getattr(given, name) is not None:
            os.environ[ENVIRONMENT_PREFIX + name.upper()] = getattr(given, name)
    options = Options(
        ids=tuple(given.ids),
        jobs=given.jobs,
        timeout=given.timeout,
        fresh=given.fresh,
        explain=given.explain,
        isolated=given.isolated,
        kernel=given.kernel,
        tracking=not given.no_tracking,
        pages=not given.no_pages,
        debug=given.debug,
        analyses=given.analyses,
        parameters=dict(parse_parameter(text) for text in given.parameters)
        | {name: True for name in ("strict", "draft") if getattr(given, name)}
        | ({"datasets": given.datasets} if given.datasets else {}),
    )
    return run_analyses(options, sys.stdout)


def _findings(given: argparse.Namespace) -> int:
    from lib.report import command  # noqa: PLC0415

    return command.main(given.rest, load_config())


def _schema(given: argparse.Namespace) -> int:
    from lib.workbench.schemas import accept_schema  # noqa: PLC0415

    config = load_config(**({"dataset": given.dataset} if given.dataset else {}))
    sys.stdout.write(f"{accept_schema(config)}\n")
    return 0


def _mlflow(given: argparse.Namespace) -> int:
    from lib.tracking import open_ui  # noqa: PLC0415

    return open_ui(load_config(), given.port)


def _lab(given: argparse.Namespace) -> int:
    from lib.workbench.lab import open_lab  # noqa: PLC0415

    return open_lab(load_config(), given.rest)


def _notebook(given: argparse.Namespace) -> int:
    from lib.workbench import notebooks  # noqa: PLC0415
    from lib.workbench.scripts import find_scripts, select  # noqa: PLC0415

    config = load_config(**({"dataset": given.dataset} if given.dataset else {}))
    scripts = find_scripts(config.analyses, config.reports / ".cache" / "scripts.json")
    is_sync, words = given.words[0] == "sync", given.words
    refused: list[str] = []
    if not is_sync:
        chosen = [scripts[name] for name in select(scripts, words)]
        done = notebooks.make_notebooks(chosen, config, keep=given.keep)
    else:
        names = select(scripts, words[1:]) if words[1:] else []
        done, refused = notebooks.sync_notebooks(names, scripts, config, keep=given.keep)
    sys.stdout.write("".join(f"{line}\n" for line in done))
    if refused:
        raise InputError("\n".join(refused))
    return 0


def _new(given: argparse.Namespace) -> int:
    from lib.workbench.new import new_analysis  # noqa: PLC0415
    from lib.workbench.scripts import find_scripts  # noqa: PLC0415

    config = load_config()
    folder = (given.analyses or config.analyses).resolve()
    scripts = find_scripts(folder, config.reports / ".cache" / "scripts.json")
    path = new_analysis(
        given.name, scripts, folder, source=given.source, author=given.author, date=given.date
    )
    shown = path.relative_to(config.root) if path.is_relative_to(config.root) else path
    number = path.name.partition("_")[0]
    sys.stdout.write(f"{shown}: edit it, then run it with: nox -s run_analyses -- {number}\n")
    return 0


def _checklist(given: argparse.Namespace) -> int:
    from lib.workbench.checklist.command import run_checklist  # noqa: PLC0415

    return run_checklist(given.paths, load_config(), sys.stdout, how=given.format)


def parse_parameter(text: str) -> tuple[str, Any]:
    """Return name and value of a `-P` option.

    Parameters
    ----------
    text : str
        `name=value`; a value that is no Python literal is text.

    Returns
    -------
    tuple of str and object
        Ready to be injected.

    Raises
    ------
    InputError
        When there is no name.

    Examples
    --------
    >>> parse_parameter("n=3"), parse_parameter("model=forest")
    (('n', 3), ('model', 'forest'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        msg = f"-P takes name=value, such as -P n_rows=1000; got '{text}'."
        raise InputError(msg)
    try:
        return name.strip(), ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name.strip(), value


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise ValueError
    return value


def _positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value
