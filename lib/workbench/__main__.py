"""`python -m lib.workbench`: what the nox sessions call."""

import os
import sys

from lib.workbench.cli import main

if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a regular exit takes half a second to take hundreds of modules apart
