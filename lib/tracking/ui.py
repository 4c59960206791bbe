"""MLflow's own pages, on this machine only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from lib.config import Config
from lib.errors import InputError
from lib.tracking.store import prepare_store, store_folder

HOST = "127.0.0.1"


def open_ui(config: Config, port: int = 5000) -> int:
    """Serve MLflow's pages on loopback until Ctrl-C.

    The server has no authentication of its own: it listens on 127.0.0.1 alone, refuses other
    host names (MLflow's guard against DNS rebinding), runs no jobs and sends no telemetry.

    Parameters
    ----------
    config : Config
        Says where the store is.
    port : int, default=5000
        Port of the page.

    Returns
    -------
    int
        The server's exit code; 0 after Ctrl-C.

    Raises
    ------
    InputError
        When the port is taken.
    """
    check_port(port)
    uri = prepare_store(config)
    command = [
        sys.executable, "-m", "mlflow", "server",
        "--backend-store-uri", uri,
        "--artifacts-destination", (store_folder(config) / "artifacts").resolve().as_uri(),
        "--host", HOST, "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    sys.stdout.write(f"MLflow: http://{HOST}:{port}  (stop with Ctrl-C)\n")
    sys.stdout.flush()
    with subprocess.Popen(command, env={**os.environ, **server_environment()}) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            server.terminate()
            return 0


def server_environment() -> dict[str, str]:
    """Return the environment variables of a quiet, local server."""
    return {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def check_port(port: int) -> None:
    """Raise `InputError` when something listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            msg = (
                f"Port {port} cannot be used ({error}); choose another: "
                f"nox -s mlflow -- --port {port + 1 if port < 65_535 else 5001}"
            )
            raise InputError(msg) from error
