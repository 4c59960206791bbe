"""`python -m lib.workbench.gallery`: draw the gallery again, and say what was written."""

import sys

from lib.config import project_root
from lib.workbench.gallery import make_gallery

if __name__ == "__main__":
    for path in make_gallery(project_root()):
        sys.stdout.write(f"{path.relative_to(project_root())}\n")
