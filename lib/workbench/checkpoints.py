"""Checkpoints of JupyterLab, kept in one place instead of in a folder beside every file.

A copy of a module inside `lib` would be found by whatever walks the sources.
"""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints

from lib.workbench.lab import CHECKPOINTS


class ProjectCheckpoints(AsyncFileCheckpoints):
    """One checkpoint a file, under the file's own path in the folder that `CHECKPOINTS` names."""

    def checkpoint_path(self, checkpoint_id: str, path: str) -> str:
        """Return where the checkpoint of a file is.

        Parameters
        ----------
        checkpoint_id : str
            There is one a file.
        path : str
            As Jupyter names files: relative to the project, with slashes.

        Returns
        -------
        str
            Its folder is made.
        """
        inside = Path(self._get_os_path(path.strip("/"))).relative_to(Path(self.root_dir))
        own = Path(os.environ[CHECKPOINTS]) / inside
        own.parent.mkdir(parents=True, exist_ok=True)
        return str(own.with_name(f"{own.stem}-{checkpoint_id}{own.suffix}"))
