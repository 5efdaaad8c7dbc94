"""Full matrices: what `make test-all` found is kept in `tests/tables/`, with a digest of what it depends on.

A test marked `full("name")` belongs to the table of that name. `make table NAME=name` makes one table anew.
"""

import ast
import hashlib
import io
import json
import os
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / "tests" / "tables"
# Which table to make, or "all".
WANTED = "HEADRACE_TABLES"
# What a test says of what it saw, by `record_property("note", ...)`, is kept beside its outcome.
NOTE = "note"
Note = Callable[[str, object], None]

# What decides the outcomes: these files and folders, and every module of the project that they import.
TABLES: Mapping[str, tuple[str, ...]] = {
    # Commands are imported by name, when they are called.
    "input-kinds": ("tests/headrace/cli/test_input_kinds.py", "headrace/cli", "requirements-dev.txt"),
    # The files where faults are put back, and their tests.
    "faults": ("tests/drills/test_faults.py", "tests/stacks", "headrace/images", "app.py", "cdk.json", "Makefile"),
    "calls": ("tests/stacks/test_used_permissions.py", "cdk.json"),
    "compliance": ("tests/stacks/test_compliance.py", "docs/compliance.md", "cdk.json", "requirements-dev.txt"),
    # The local cloud is another process, and so are its functions.
    "faults-end-to-end": (
        "tests/end_to_end/test_every_fault.py",
        "headrace/local/engine",
        "headrace/local/sagemaker",
        "lambdas/clean_up",
        "lambdas/golden_requests",
        "lambdas/registrar",
        "lambdas/tidy",
        "cdk.json",
        "requirements-dev.txt",
    ),
    "hostile-images": ("tests/headrace/normalizer/test_hostile_images.py", "requirements-dev.txt"),
    "nag": ("tests/stacks/test_nag.py", "cdk.json", "requirements-dev.txt"),
    "pairs": ("tests/stacks/test_transitions.py", "cdk.json", "requirements-dev.txt"),
    "settings": ("tests/stacks/settings/test_changes.py", "cdk.json", "requirements-dev.txt"),
    "teardown": ("tests/end_to_end/test_teardown.py", "headrace/cli/teardown.py", "requirements-dev.txt"),
    # The local cloud is another process.
    "transitions": (
        "tests/end_to_end/test_deployed_transitions.py",
        "headrace/local/engine",
        "cdk.json",
        "requirements-dev.txt",
    ),
}


def list_files(roots: Iterable[str], project: Path = PROJECT) -> list[Path]:
    """The files that roots name, and all of the project's modules that these import, directly or not."""
    waiting = [file for root in roots for file in _expand(project / root)]
    # This module decides when tests run, not how they end.
    found = {Path(__file__).resolve()}
    while waiting:
        if (file := waiting.pop()) not in found:
            found.add(file)
            if file.suffix == ".py":
                waiting += _list_imported(file, project)
    return sorted(found - {Path(__file__).resolve()})


def _expand(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _list_imported(file: Path, project: Path) -> Iterator[Path]:
    for name in _list_names(file.read_bytes(), file.relative_to(project).parent.parts):
        yield from _find_modules(name, project)


@cache
def _find_modules(name: str, project: Path) -> list[Path]:
    parts = name.split(".")
    places = [project.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    return [path for place in places for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()]


# Tables share most of what they depend on.
@cache
def _list_names(source: bytes, package: tuple[str, ...]) -> list[str]:
    """What a module of a package imports, as if every name were a module."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            found += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return found


def digest_files(roots: Iterable[str], project: Path = PROJECT) -> str:
    """A digest of all that roots depend on; words for people, comments and docstrings, are not part of it."""
    digest = hashlib.sha256()
    for path in list_files(roots, project):
        content = path.read_text()
        content = _drop_words(content) if path.suffix == ".py" else content
        digest.update(f"{path.relative_to(project).as_posix()} {len(content)}\n{content}".encode())
    return digest.hexdigest()


@cache
def _drop_words(source: str) -> str:
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] = lines[token.start[0] - 1][: token.start[1]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.end_lineno:
                lines[first.lineno - 1 : first.end_lineno] = [""] * (first.end_lineno - first.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())


def mark_full(table: str, values: Iterable[object], *, but: Iterable[object]) -> list[object]:
    """Parameters of which those in `but` are run by `make test` too, and the others by `make test-all` only."""
    kept = set(but)
    return [value if value in kept else pytest.param(value, marks=pytest.mark.full(table)) for value in values]


def choose_items(items: list[pytest.Item]) -> list[pytest.Item]:
    """Note each test's table; the tests to run if one table is wanted."""
    wanted = os.environ.get(WANTED, "all")
    tables = {item: [marker.args[0] for marker in item.iter_markers("full")] for item in items}
    for item, names in tables.items():
        item.user_properties += [("table", name) for name in names]
        if unknown := set(names) - TABLES.keys():
            raise pytest.UsageError(f"{item.nodeid}: tests/tables.py knows no table {unknown}")
    return items if wanted == "all" else [item for item in items if wanted in tables[item]]


class TableWriter:
    """Gathers the outcomes of tests that belong to tables, and writes them when all have ended."""

    def __init__(self) -> None:
        self._outcomes: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._notes: dict[str, object] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended; a failure to set up or to clean up counts."""
        for name, value in report.user_properties:
            if name == "table" and (report.when == "call" or report.outcome != "passed"):
                is_expected = hasattr(report, "wasxfail") and report.outcome == "skipped"
                self._outcomes[str(value)][report.nodeid] = "expected failure" if is_expected else report.outcome
            elif name == NOTE:
                self._notes[report.nodeid] = value

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the tables, unless the run was broken off."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            for table, outcomes in self._outcomes.items():
                content = {"digest": digest_files(TABLES[table]), "outcomes": dict(sorted(outcomes.items()))}
                if notes := {test: self._notes[test] for test in sorted(outcomes) if test in self._notes}:
                    content["notes"] = notes
                FOLDER.mkdir(exist_ok=True)
                (FOLDER / f"{table}.json").write_text(json.dumps(content, indent=1) + "\n")
