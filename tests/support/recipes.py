"""The recipes of CONTRIBUTING.md, applied to a copy of the tree: its code blocks become files and edits, its commands are run."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
LEFT_OUT = (".git", ".venv", "var", "node_modules", ".pytest_cache", "peers", "pictures", "*.egg-info", "*.pyc.*")
"""Not copied; the last of them is what other processes are just writing."""
_STEP = re.compile(
    r"^`(?P<file>[^`]+)`, (?:a new file|(?P<end>at the end)|below `(?P<below>[^`]+)`|in place of `(?P<place>[^`]+)`):\n\n"
    r"```\w+\n(?P<text>.*?)^```$|^```sh\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    """One block of a recipe: a text for a file, or commands."""

    file: str
    text: str
    below: str = ""
    is_at_end: bool = False
    in_place_of: str = ""
    commands: str = ""


def steps_of(heading: str) -> list[Step]:
    """The steps of one recipe, in their order."""
    page = PAGE.read_text(encoding="utf-8")
    chapter = page.partition(f"## Recipe: {heading}\n")[2].partition("\n## ")[0]
    return [
        Step(x["file"] or "", x["text"] or "", x["below"] or "", bool(x["end"]), x["place"] or "", x["commands"] or "")
        for x in _STEP.finditer(chapter)
    ]


class Tree:
    """A copy of the working tree that shares the virtual environment.

    It begins with what Python and mypy have made of the same files: to make it anew takes most of the time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        (self.folder / ".venv").symlink_to(sys.prefix)
        self.before = self._texts()

    def apply(self, step: Step) -> None:
        """Write or change the file of a step, or run its commands."""
        if step.commands:
            self.run_all(step.commands)
            return
        path = self.folder / step.file
        if step.is_at_end:
            path.write_text(path.read_text(encoding="utf-8") + step.text, encoding="utf-8")
            return
        if not (step.below or step.in_place_of):
            assert not path.exists(), f"{step.file} is there already"
            path.write_text(step.text, encoding="utf-8")
            return
        text, line = path.read_text(encoding="utf-8"), f"{step.below or step.in_place_of}\n"
        assert text.count(line) == 1, f"{step.file} has {text.count(line)} lines “{line.strip()}”"
        path.write_text(text.replace(line, (line if step.below else "") + step.text), encoding="utf-8")

    def run_all(self, commands: str) -> None:
        """Run the commands of a block in the tree; make takes the virtual environment as it is."""
        script = commands.replace("make ", "make -o .venv/development ")
        done = self.run("bash", "-euo", "pipefail", "-c", script)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"

    def run(self, *command: str, seconds: float = 1200, **more: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTEST_ADDOPTS": "-p no:cacheprovider", **more}
        for name in ("PYTEST_XDIST_WORKER", "PYTHONDONTWRITEBYTECODE"):
            environment.pop(name, None)
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )

    def red(self, *tests: str) -> set[str]:
        """Which of these tests fail now: `tests/a.py::test_b`, each without its parameters."""
        done = self.run(sys.executable, "-m", "pytest", "-q", "-k", "not postgresql", "-m", "not long", *tests)
        assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
        return set(re.findall(r"^(?:FAILED|ERROR) ([^\[\s]+)", done.stdout, re.MULTILINE))

    def touched(self) -> set[str]:
        """The files that are new or changed."""
        now = self._texts()
        return {name for name in now.keys() | self.before.keys() if now.get(name) != self.before.get(name)}

    def _texts(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file() and ".venv" not in path.parts)
        kept = (
            path for path in files if not any(part == "__pycache__" or part.endswith("_cache") for part in path.parts)
        )
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in kept}
