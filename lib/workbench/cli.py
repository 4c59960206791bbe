"""The command line: run, findings, mlflow, lab."""

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
    mlflow = commands.add_parser("mlflow", help="open the record of all runs, on this machine only")
    mlflow.add_argument("--port", type=int, default=5000)
    mlflow.set_defaults(command=_mlflow)
    lab = commands.add_parser(
        "lab", help="open the analyses as notebooks in JupyterLab",
        prefix_chars="\0", add_help=False,  # whatever follows is for JupyterLab
    )  # fmt: skip
    lab.add_argument("rest", nargs="*")
    lab.set_defaults(command=_lab)
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
    study.add_argument(
        "-P", dest="parameters", metavar="NAME=VALUE", action="append", default=[],
        help="value of a cell tagged `parameters`",
    )  # fmt: skip
    how = run.add_argument_group("how to run")
    how.add_argument("--jobs", "-j", type=_positive_int, help="analyses at a time (all cores)")
    how.add_argument("--timeout", type=_positive, default=300.0, help="seconds each (300)")
    how.add_argument("--fresh", action="store_true", help="run what is selected, changed or not")
    how.add_argument("--explain", action="store_true", help="say why each runs or does not")
    how.add_argument("--isolated", action="store_true", help="a fresh process for each")
    how.add_argument("--kernel", action="store_true", help="compare outputs with a kernel's")
    how.add_argument("--no-tracking", action="store_true", help="leave MLflow alone")
    how.add_argument("--no-pages", action="store_true", help="write no HTML")
    how.add_argument("--debug", action="store_true", help="tracebacks for input errors too")
    how.add_argument("--analyses", type=Path, help="another folder of analyses")


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
        parameters=dict(parse_parameter(text) for text in given.parameters),
    )
    return run_analyses(options, sys.stdout)


def _findings(given: argparse.Namespace) -> int:
    from lib.report import command  # noqa: PLC0415

    return command.main(given.rest, load_config())


def _mlflow(given: argparse.Namespace) -> int:
    from lib.tracking import open_ui  # noqa: PLC0415

    return open_ui(load_config(), given.port)


def _lab(given: argparse.Namespace) -> int:
    from lib.workbench.lab import open_lab  # noqa: PLC0415

    return open_lab(load_config(), given.rest)


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
