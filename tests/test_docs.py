"""What the guides say is there: links, quoted findings, sessions."""

import importlib
import re
from pathlib import Path

import pytest

from lib.config import project_root

ROOT = project_root()
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
QUOTE = re.compile(r"^> (.+) \(\[\d\d\]\((.+?)\)\)$", re.MULTILINE)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_links_lead_somewhere(guide):
    """Every relative link names a file or folder of the repository."""
    text = guide.read_text(encoding="utf-8")
    dead = [link for link in LINK.findall(text) if not (guide.parent / link).exists()]
    assert not dead


def test_pieces_are_there_and_run():
    """Every call that the list of pieces names exists in `lib`, and its example runs."""
    text = (ROOT / "docs" / "pieces.md").read_text(encoding="utf-8")
    calls = re.findall(r"^\|.*?\| (.*?) \| \d\d \|$", text, re.MULTILINE)
    named = re.findall(r"`(\w+)\.(\w+)", " ".join(calls))
    assert len(named) >= 12
    for module, name in named:
        assert hasattr(importlib.import_module(f"lib.{module}"), name), (module, name)
    made: dict = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1), made)
    assert made["returns"].net_benefit.value == 160 * 100 - 12 * 50 - 8 * 200
    assert len(made["scores"]) == 3
    assert made["found"].task == "binary"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_sessions_exist(guide):
    """Every `nox -s NAME` of a guide is a session of the noxfile."""
    sessions = set(re.findall(r"@nox\.session\ndef (\w+)", (ROOT / "noxfile.py").read_text()))
    named = set(re.findall(r"nox -s (\w+)", guide.read_text(encoding="utf-8")))
    assert named <= sessions


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_named_modules_exist(guide):
    """Every module, test or benchmark that a guide names is there; `test_gallery` reads its page."""
    if guide.name == "gallery.md":
        return
    named = re.findall(r"`((?:lib|tests|benchmarks)/[\w./]+)`", guide.read_text(encoding="utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_quoted_findings_are_the_committed_ones():
    """Sentences that the guide on practice quotes stand in the findings that git keeps."""
    guide = ROOT / "docs" / "practice.md"
    quotes = QUOTE.findall(guide.read_text(encoding="utf-8"))
    assert len(quotes) >= 7
    for sentence, link in quotes:
        findings = Path(guide.parent, link).read_text(encoding="utf-8")
        assert f"- {sentence}\n" in findings, sentence
