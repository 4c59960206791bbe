"""What a cell shows is kept in order, points into the script, and equals a kernel's."""

import re
import sysconfig
from pathlib import Path

from lib.workbench.kernel import EQUAL, canonical


def test_outputs_keep_their_order_whoever_writes_them(project):
    """Prints, descriptors 1 and 2, C code and subprocesses interleave as they were written."""
    code = """
import ctypes, os, subprocess, sys
print("1 print")
os.write(1, b"2 descriptor\\n")
subprocess.run(["echo", "3 subprocess"], check=True)
ctypes.CDLL(None).puts(b"4 compiled")
display("5 display")
print("6 print", file=sys.stderr)
os.write(2, b"7 descriptor\\n")
sys.stdout.buffer.write(b"8 bytes\\n")
subprocess.run(["echo", "9 subprocess"], stdout=sys.stdout, check=True)
_ = sys.__stdout__.write("10 original\\n")
"""
    project.write("01_order", code)
    done = project.run()
    assert done.returncode == 0, done.stdout
    seen = []
    for output in project.outputs("01_order")[0]:
        text = output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"]
        seen += re.findall(r"\b\d+\b", "".join(text))
    assert seen == [str(n) for n in range(1, 11)]


def test_output_without_end_neither_blocks_nor_fills_memory(project):
    """Megabytes at once on both descriptors pass, and a cell keeps only the first two million."""
    project.write("01_loud", "import os\nfor _ in range(50):\n    os.write(1, b'x' * 100_000)\n")
    assert project.run("--timeout", "20").returncode == 0
    text = project.texts("01_loud")
    assert 2_000_000 <= len(text) < 2_000_200
    assert "stopped keeping" in text


def test_tracebacks_and_warnings_point_into_the_script(project):
    """File name and line are those of the `.py`, for errors, warnings and functions defined earlier."""
    path = project.write(
        "01_lines",
        "import warnings\n\ndef divide(a):\n    return a / 0",
        "warnings.warn('careful')",
        "x = 1\n\ndivide(x)",
    )
    lines = path.read_text().splitlines()
    line_of = {text: lines.index(text) + 1 for text in lines if text}
    done = project.run()
    where = line_of["    return a / 0"]
    assert f"ZeroDivisionError: division by zero, analyses/01_lines.py:{where}" in done.stdout
    cells = project.outputs("01_lines")
    warned = "".join(cells[1][0]["text"])
    assert (
        f"01_lines.py:{line_of[chr(119) + 'arnings.warn(' + chr(39) + 'careful' + chr(39) + ')']}: UserWarning: careful"
        in warned
    )
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(cells[2][0]["traceback"]))
    assert f"01_lines.py:{line_of['divide(x)']}" in trace
    assert f"01_lines.py:{where}, in divide(a)" in trace


def test_another_activated_environment_changes_nothing(project, tmp_path):
    """Packages come from the Python that runs; IPython would put the activated ones in front."""
    place = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "other")}))
    place.mkdir(parents=True)
    (place / "foreign_package.py").touch()
    project.write("01_here", "import importlib.util\n\nimportlib.util.find_spec('foreign_package')")
    done = project.run(VIRTUAL_ENV=str(tmp_path / "other"))
    assert done.returncode == 0
    assert "virtualenv" not in done.stdout + done.stderr
    assert project.outputs("01_here")[0] == []


def test_a_syntax_error_names_its_line(project):
    """A cell that does not parse is named with the line of the file."""
    path = project.write("01_broken", "a = 1", "b = 2\nc = = 3")
    line = path.read_text().splitlines().index("c = = 3") + 1
    done = project.run()
    assert re.search(rf"SyntaxError: .*01_broken\.py:{line}", done.stdout)


def test_parameters_are_injected_after_their_cell(project):
    """`-P` assigns after the tagged cell; an unknown name is refused with the known ones."""
    path = project.write("01_rows", "print(n_rows, label)")
    path.write_text(
        path.read_text().replace(
            "# %%\nprint", '# %% tags=["parameters"]\nn_rows = 10\nlabel = "a"\n\n# %%\nprint'
        )
    )
    assert project.run().returncode == 0
    assert project.texts("01_rows") == "10 a\n"
    assert project.run("-P", "n_rows=25", "-P", "label=b c").returncode == 0
    assert project.texts("01_rows") == "25 b c\n"
    refused = project.run("-P", "n_row=3")
    assert refused.returncode == 2
    assert refused.stderr.strip() == (
        "Analysis 01 has no parameter 'n_row'; it has label, n_rows. Did you mean 'n_rows'?"
    )
    assert "parameter n_rows '25' → default" in project.run("--explain").stdout.replace(
        "25 →", "'25' →"
    )


SAMPLE = [
    "import sys, warnings\nprint('a')\nprint('b')\nwarnings.warn('w')\n1 + 1",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n_ = ax.plot([1, 2])\nprint('drawn')",
    """
from IPython.display import HTML, Markdown, clear_output, display
display(HTML('<b>x</b>'))
handle = display('first', display_id='one')
handle.update('second')
Markdown('# y')
""",
    """
import pandas as pd
pd.set_option('display.max_columns', 0)
pd.DataFrame({f'column {i}': range(3) for i in range(30)})
""",
    "print('gone')\nclear_output()\nprint('kept')\n'hidden';",
    "x = 5\nx;",
    "for i in range(3):\n    print(i, end='\\r')\nprint()\n__name__, '__file__' in globals()",
    "import asyncio\nawait asyncio.sleep(0)\n_",
    "# a comment only",
    "print('err', file=sys.stderr)\nclass A:\n    pass\n[A.__module__, {'b': 1}]",
]


def test_outputs_equal_those_of_a_kernel(project):
    """Streams, warnings, displays, figures, values and counts are nbclient's."""
    project.write("01_sample", *SAMPLE)
    done = project.run("--kernel")
    assert done.returncode == 0, done.stdout
    assert EQUAL in done.stdout


def test_a_difference_from_a_kernel_is_named(project):
    """What only our process shows makes the cross-check fail, naming the cell."""
    project.write("01_sly", "a = 1", "import os\nprint('JPY_PARENT_PID' in os.environ)")
    done = project.run("--kernel")
    assert done.returncode == 1
    assert 'a kernel differs in cell "import os" (line' in done.stdout
    assert "'False" in done.stdout


def test_an_exception_equals_a_kernels():
    """Errors compare by name and message: only the places differ."""
    ours = [{"output_type": "error", "ename": "E", "evalue": "m", "traceback": ["x.py:3"]}]
    theirs = [{"output_type": "error", "ename": "E", "evalue": "m", "traceback": ["In [1]"]}]
    assert canonical(ours) == canonical(theirs)
