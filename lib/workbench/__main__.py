"""`python -m lib.workbench`: what the nox sessions call."""

import sys

from lib.workbench.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
