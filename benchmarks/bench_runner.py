"""Compare the runner with other ways to run the same analyses, in one session on one machine.

    python benchmarks/bench_runner.py                       # wine, quick: overhead shows
    python benchmarks/bench_runner.py --dataset rand_hie --effort standard --repeats 1

Each alternative is run as its users run it, all in turn, `--repeats` times; the median counts.
Ratios are the alternative's seconds over ours. Two further figures of ours: the start, paid once
(importing what the analyses need, loading the table, the index at the end), and the overhead, what
an analysis costs beyond the seconds of its own cells (forking, record, page, tracking). At the end
the outputs are compared with nbclient's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ANALYSES = sorted((ROOT / "analyses").glob("[0-9]*.py"))
JUPYTEXT = [sys.executable, "-m", "jupytext", "--set-kernel", "python3"]


def ours(work: Path) -> list[list[str]]:
    """Warm parent, forked children, two at a time; pages and record included."""
    return [[sys.executable, "-m", "lib.workbench", "run", "--fresh", "--jobs", "2"]]


def nbclient(work: Path) -> list[list[str]]:
    """Two kernels at a time through nbclient."""
    return [[sys.executable, __file__, "--execute", str(p)] for p in ANALYSES]


def plain_python(work: Path) -> list[list[str]]:
    """Two plain processes at a time; no outputs kept."""
    return [[sys.executable, str(p)] for p in ANALYSES]


def nbmake(work: Path) -> list[list[str]]:
    """Run notebooks made beforehand through the pytest plugin on two workers."""
    _make_notebooks(work)
    return [
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbmake",
            "-q",
            "-n",
            "2",
            "-p",
            "no:cacheprovider",
            "--nbmake-timeout=600",
            "-c",
            os.devnull,
            "--rootdir",
            str(work),
            str(work),
        ]
    ]


def papermill(work: Path) -> list[list[str]]:
    """One notebook after the other, as its command line does."""
    _make_notebooks(work)
    notebooks = [str(work / f"{p.stem}.ipynb") for p in ANALYSES]
    commands = [[sys.executable, "-m", "papermill", "--no-progress-bar", n, n] for n in notebooks]
    return [["sh", "-ec", "\n".join(" ".join(c) for c in commands)]]


def jupytext_execute(work: Path) -> list[list[str]]:
    """`jupytext --execute` on all scripts in one call."""
    outputs = ["--output", str(work / "{stem}.ipynb")]
    commands = [
        [
            *JUPYTEXT,
            "--to",
            "ipynb",
            "--execute",
            *outputs[:1],
            outputs[1].format(stem=p.stem),
            str(p),
        ]
        for p in ANALYSES
    ]
    return [["sh", "-ec", "\n".join(" ".join(c) for c in commands)]]


CONTESTANTS = {
    "this runner": ours,
    "plain python, 2 processes": plain_python,
    "nbclient, 2 kernels": nbclient,
    "nbmake, 2 workers": nbmake,
    "papermill": papermill,
    "jupytext --execute": jupytext_execute,
}


def main() -> int:
    """Run all contestants and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="wine")
    parser.add_argument("--effort", default="quick")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(CONTESTANTS), choices=CONTESTANTS)
    parser.add_argument("--execute", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.execute:
        return _execute(options.execute)
    seconds: dict[str, list[float]] = {name: [] for name in options.only}
    own: list[tuple[float, float]] = []
    for _ in range(options.repeats):
        for name in options.only:
            with tempfile.TemporaryDirectory() as folder:
                seconds[name].append(_time(name, Path(folder), options))
                if name == "this runner":
                    own.append(_own_figures(Path(folder), options, seconds[name][-1]))
    _print(seconds, own, options)
    return _outputs_agree(options)


def _time(name: str, folder: Path, options: argparse.Namespace) -> float:
    environment = {
        **os.environ,
        "STUDY_REPORTS": str(folder / "reports"),
        "STUDY_DATASET": options.dataset,
        "STUDY_EFFORT": options.effort,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    work = folder / "work"
    work.mkdir()
    commands = CONTESTANTS[name](work)

    def run(command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stdout[-2_000:], done.stderr[-2_000:], sep="\n")
            raise SystemExit(f"{name} failed with exit code {done.returncode}")

    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, commands))
    return time.perf_counter() - began


def _own_figures(folder: Path, options: argparse.Namespace, wall: float) -> tuple[float, float]:
    """Return the seconds of the start and the mean overhead of an analysis."""
    reports = folder / "reports" / options.dataset
    manifest = json.loads((reports / "manifest.json").read_text(encoding="utf-8"))["analyses"]
    jobs, overheads = [0.0, 0.0], []
    for name, entry in sorted(manifest.items(), key=lambda item: -item[1]["seconds"]):
        record = json.loads((reports / name / "record.json").read_text(encoding="utf-8"))
        computed = sum(cell["seconds"] for cell in record["cells"])
        overheads.append(entry["seconds"] - computed)
        jobs[jobs.index(min(jobs))] += entry["seconds"]
    return wall - max(jobs), statistics.mean(overheads)


def _print(
    seconds: dict[str, list[float]], own: list[tuple[float, float]], options: argparse.Namespace
) -> None:
    settings = f"{options.dataset}, {options.effort} effort, {options.repeats} runs"
    print(f"\n{len(ANALYSES)} analyses on {settings}; medians\n")
    base = statistics.median(seconds.get("this runner", [float("nan")]))
    print(f"{'':28}{'seconds':>9}{'ratio':>8}{'min':>8}{'max':>8}")
    for name, values in seconds.items():
        median = statistics.median(values)
        row = f"{median:9.1f}{median / base:8.2f}{min(values):8.1f}{max(values):8.1f}"
        print(f"{name:28}{row}")
    if own:
        start, overhead = (statistics.median(values) for values in zip(*own, strict=True))
        print(f"\nthis runner: start {start:.1f} s, once; overhead {overhead:.2f} s an analysis")


def _outputs_agree(options: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "lib.workbench", "run", "--fresh", "--kernel"]
    arguments = ["--dataset", options.dataset, "--effort", options.effort]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "STUDY_REPORTS": folder}
        done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, check=False)
    return done.returncode


def _make_notebooks(work: Path) -> None:
    import jupytext

    for path in ANALYSES:
        notebook = jupytext.read(path)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        jupytext.write(notebook, work / f"{path.stem}.ipynb")


def _execute(path: Path) -> int:
    import jupytext
    from nbclient import NotebookClient

    NotebookClient(jupytext.read(path), kernel_name="python3", timeout=600).execute()
    return 0


if __name__ == "__main__":
    sys.exit(main())
