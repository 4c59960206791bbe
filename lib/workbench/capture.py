"""What a cell shows, in the order in which it was shown, as notebook outputs.

File descriptors 1 and 2 point to files that are drained before every output that Python makes:
what compiled libraries and subprocesses write keeps its place, and no full pipe can block them.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import io
import json
import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

MAX_STREAM = 2_000_000  # characters of printed text kept per cell
STREAMS = {"stdout": 1, "stderr": 2}


class Capture:
    """Collects the outputs of one process, cell by cell.

    `begin` redirects the process; `start_cell` says where outputs go from now on.
    """

    def __init__(self) -> None:
        self.outputs: list[dict[str, Any]] = []
        self._lock = threading.RLock()
        self._shown: dict[str, list[dict[str, Any]]] = {}  # display id -> its outputs
        self._clear_first = False
        self._printed = 0
        self._process = os.getpid()
        self._files: dict[str, int] = {}
        self._offsets = dict.fromkeys(STREAMS, 0)

    def begin(self) -> None:
        """Redirect standard output and error of this process, descriptors included."""
        self._process = os.getpid()
        for name, descriptor in STREAMS.items():
            file, path = tempfile.mkstemp(prefix="cell-")
            Path(path).unlink()  # it lives as long as it is open
            os.dup2(file, descriptor)
            self._files[name] = file
        sys.stdout = Stream("stdout", self)
        sys.stderr = Stream("stderr", self)

    def start_cell(self) -> list[dict[str, Any]]:
        """Return the list that receives the outputs of the cell which now begins."""
        with self._lock:
            self.drain()
            self.outputs, self._printed, self._clear_first = [], 0, False
            return self.outputs

    def drain(self) -> None:
        """Take up what was written to the file descriptors since the last call."""
        if os.getpid() != self._process:
            return
        with self._lock:
            flush_c()
            for original in (sys.__stdout__, sys.__stderr__):
                with contextlib.suppress(OSError, ValueError, AttributeError):
                    original.flush()  # type: ignore[union-attr]
            for name, file in self._files.items():
                size = os.fstat(file).st_size
                if size > self._offsets[name]:
                    written = os.pread(file, size - self._offsets[name], self._offsets[name])
                    self._offsets[name] = size
                    self._append_text(name, written.decode("utf-8", errors="replace"))

    def write(self, name: str, text: str) -> None:
        """Add printed text; neighbours of one stream become one output."""
        if os.getpid() != self._process:  # a forked worker has no notebook: back to our file
            os.write(STREAMS[name], text.encode("utf-8", errors="replace"))
            return
        with self._lock:
            self.drain()
            self._append_text(name, text)

    def add(self, output: dict[str, Any], display_id: str | None = None) -> None:
        """Add a result, a display or an error."""
        with self._lock:
            self.drain()
            self._clear_if_asked()
            self.outputs.append(output)
            if display_id:
                self._shown.setdefault(display_id, []).append(output)

    def update(self, display_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Change every output that was shown under `display_id`."""
        with self._lock:
            self.drain()
            for output in self._shown.get(display_id, []):
                output.update(data=data, metadata=metadata)

    def clear(self, *, wait: bool) -> None:
        """Forget the cell's outputs, now or when the next one comes."""
        with self._lock:
            self.drain()
            self._clear_first = wait
            if not wait:
                self.outputs.clear()

    def _clear_if_asked(self) -> None:
        if self._clear_first:
            self.outputs.clear()
            self._clear_first = False

    def _append_text(self, name: str, text: str) -> None:
        if not text or self._printed > MAX_STREAM:
            return
        self._clear_if_asked()
        self._printed += len(text)
        if self._printed > MAX_STREAM:
            text = text[: len(text) - (self._printed - MAX_STREAM)]
            text += f"\n[stopped keeping printed text after {MAX_STREAM:,} characters]\n"
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["parts"].append(text)
        else:
            stream = {"output_type": "stream", "name": name, "text": "", "parts": [text]}
            self.outputs.append(stream)


class Stream(io.TextIOBase):
    """Standard output or error as the cells see it; unbuffered, and always UTF-8."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, capture: Capture) -> None:
        self.name = f"<{name}>"
        self._stream = name
        self._capture = capture

    def write(self, text: str) -> int:
        """Add text to the outputs of the running cell."""
        if not isinstance(text, str):
            msg = f"write() argument must be str, not {type(text).__name__}"
            raise TypeError(msg)
        self._capture.write(self._stream, text)
        return len(text)

    def fileno(self) -> int:
        """Return the captured descriptor, for subprocesses."""
        return STREAMS[self._stream]

    def writable(self) -> bool:
        """Return True."""
        return True

    @property
    def buffer(self) -> io.RawIOBase:
        """A writer of bytes."""
        return _Bytes(self)


class _Bytes(io.RawIOBase):
    """Takes bytes where a stream takes text."""

    def __init__(self, stream: Stream) -> None:
        self._text = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._text.write(bytes(data).decode("utf-8", errors="replace"))
        return len(data)


def settle(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    r"""Return outputs as nbformat keeps them: printed text in one piece, as a terminal shows it.

    Parameters
    ----------
    outputs : list of dict
        As `Capture` collected them.

    Returns
    -------
    list of dict
        New outputs; progress bars that return to the start of the line keep their last state.

    Examples
    --------
    >>> bar = {"output_type": "stream", "name": "stderr", "text": "", "parts": ["10%\r", "99%"]}
    >>> settle([bar])
    [{'output_type': 'stream', 'name': 'stderr', 'text': '99%'}]
    """
    return [
        {
            "output_type": "stream",
            "name": output["name"],
            "text": overwritten("".join(output.get("parts") or [output["text"]])),
        }
        if output["output_type"] == "stream"
        else output
        for output in outputs
    ]


def overwritten(text: str) -> str:
    r"""Return what stays visible when carriage returns overwrite the start of a line.

    Parameters
    ----------
    text : str
        As it was printed.

    Returns
    -------
    str
        Without carriage returns.

    Examples
    --------
    >>> overwritten("loading\rdone\r\nnext")
    'doneing\nnext'
    """
    if "\r" not in text:
        return text
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        shown = ""
        for piece in line.split("\r"):
            shown = piece + shown[len(piece) :]
        lines.append(shown)
    return "\n".join(lines)


def as_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mime bundle as notebooks keep it: bytes in base64, the rest plain JSON.

    Parameters
    ----------
    data : mapping of str to object
        By mime type.

    Returns
    -------
    dict
        Ready for JSON.

    Examples
    --------
    >>> as_json({"image/png": b"abc"})
    {'image/png': 'YWJj'}
    """
    return {mime: _plain(value) for mime, value in data.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return json.loads(json.dumps(value, default=str))


@cache
def _c_library() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if os.name == "posix" else None


def flush_c() -> None:
    """Write out what compiled code printed and still holds in its own buffers."""
    library = _c_library()
    if library is not None:
        library.fflush(None)
