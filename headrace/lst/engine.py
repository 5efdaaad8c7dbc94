"""DuckDB beneath lists of any length: bounded memory, files in and out.

It is imported only when it is needed: that takes longer than reading a small list.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.errors import explain_os_error
from headrace.files import whole_file
from headrace.inputs import open_input, rereadable
from headrace.lst.layouts import (
    BOXES,
    CLASS_PATTERN,
    ONE_CLASS,
    ONE_NUMBER,
    PLAIN_NUMBER_PATTERN,
    Layout,
    ListKind,
    guess_layout,
)
from headrace.lst.matching import find_unmatched
from headrace.lst.rows import (
    INDEX_PATTERN,
    ListError,
    find_bad_lines,
    find_layout,
    format_labels,
    read_good_lines,
    read_raw_lines,
)

if TYPE_CHECKING:
    import duckdb

TAB = "\t"
# Stands for the tabs between labels where they share a column.
INNER_TAB = "\x1f"
# With what Python and DuckDB need beside it, below 2 GB.
MEMORY_LIMIT = "1500MiB"
SHOWN_PROBLEMS = 3
# What DuckDB makes of Ctrl-C while it works.
_INTERRUPTED = "Query interrupted"
# These are about where the output goes, not about the query.
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
# One column in, one column out: a row is written as it is, never quoted. In the file itself, as a
# temporary one of DuckDB's own would be left behind.
_COPY_OPTIONS = "USE_TMP_FILE false, FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE ''"


@dataclass(frozen=True)
class Source:
    """A file to read rows from, by a name without wildcards, and what its labels are.

    Args:
        path: The list.
        file: What is read.
        layout: What its labels are, as the first row says.
        columns: How many label columns the first row has.
        packed: Whether the labels of a row share a column, in their shortest form.
        meant: Whether the layout was given, and not guessed from the rows.
    """

    path: Path
    file: Path
    layout: Layout
    columns: int
    packed: bool = False
    meant: bool = False

    @property
    def label_columns(self) -> list[str]:
        """The names of its label columns."""
        return [f"label{number}" for number in range(1 if self.packed else self.layout.width)]

    def as_kind(self, kind: ListKind | None) -> Source:
        """The same list, its labels taken for what somebody means; several only where there are several columns."""
        if kind is None:
            return self
        several = Layout(kind, self.columns) if self.columns > 1 else ONE_CLASS
        layouts = {ListKind.NUMBER: ONE_NUMBER, ListKind.BOXES: BOXES, ListKind.LABELS: several}
        return replace(self, layout=layouts.get(kind, ONE_CLASS), meant=True)


class Engine:
    """A DuckDB connection with a scratch folder for what does not fit its memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path, inputs: ExitStack) -> None:
        self.connection = connection
        self.scratch = scratch
        self._inputs = inputs
        self._sources = 0

    def find_source(self, path: Path) -> Source:
        """The list at `path`."""
        file = self._read_source(path)
        first = next((line for _, line in read_raw_lines(path) if line.strip()), b"0\t0\tempty")
        self._sources += 1
        # DuckDB takes * and [ in file names for wildcards.
        link = self.scratch / f"source{self._sources}.lst"
        link.symlink_to(file.resolve())
        fields = first.decode("utf-8", "replace").split(TAB)
        return Source(path, link, guess_layout(fields), max(len(fields) - 2, 1))

    def _read_source(self, path: Path) -> Path:
        """A regular file of a list, which is read by Python and by DuckDB."""
        try:
            return self._inputs.enter_context(rereadable(path))
        except OSError as error:
            raise ListError(explain_os_error(error, path)) from error

    def load(self, table: str, path: Path, kind: ListKind | None = None) -> Layout:
        """Make a table (line, number, label, path) of a list, in its order; what its labels are.

        Raises:
            ListError: lines are malformed; the message names the first of them.
        """
        return self.load_source(table, self.find_source(path).as_kind(kind))

    def load_source(self, table: str, source: Source) -> Layout:
        """As `load`, of a list that has been found."""
        if not self.load_plain(table, source):
            source = look_closer(source)
            refuse_bad_lines(source.path, source.layout)
            self.load_good_lines(table, source)
        return source.layout

    def load_plain(self, table: str, source: Source) -> bool:
        """Load at full speed; False where the file needs a closer look."""
        import duckdb

        if source.layout.varies:
            return False
        try:
            self.connection.execute(f"CREATE TABLE {table}_rows AS {select_rows(source)}")
        except duckdb.Error:
            return False
        if self.fetch_number(f"FROM {table}_rows SELECT count(*)") != count_lines(source.path):
            return False
        self.connection.execute(f"CREATE VIEW {table} AS FROM {table}_rows SELECT rowid + 1 AS line, *")
        return True

    def load_good_lines(self, table: str, source: Source) -> None:
        """Load, line by line in Python, what is well formed in a list."""
        copy = source.file.with_suffix(".plain")
        good = read_good_lines(source.path, source.layout)
        self.write_scratch(
            copy,
            (f"{line}\t{int(number)}\t{_pack(labels)}\t{name}\n" for line, (number, *labels, name) in good),
        )
        columns = "{'line': 'BIGINT', 'number': 'UBIGINT', 'labels': 'VARCHAR', 'path': 'VARCHAR'}"
        label = f"{_unpack('labels')} AS label"
        self.connection.execute(
            f"CREATE TABLE {table} AS FROM {read_csv(copy, columns)} SELECT line, number, {label}, path"
        )

    def rewrite(self, source: Source) -> Source:
        """A list that only Python can read, in the plainest form."""
        copy = source.file.with_suffix(".plain.lst")
        good = read_good_lines(source.path, source.layout)
        self.write_scratch(copy, (f"{int(number)}\t{_pack(labels)}\t{name}\n" for _, (number, *labels, name) in good))
        return replace(source, file=copy, packed=True)

    def leave_out_common(self, before: Source, after: Source) -> tuple[Source, Source] | None:
        """Two lists without the lines that both have; none where it is quicker, or the only way, to compare all."""
        unmatched = find_unmatched(before.file, after.file)
        if unmatched is None:
            return None
        shorter = [source.file.with_suffix(".unmatched.lst") for source in (before, after)]
        try:
            for file, lines in zip(shorter, unmatched, strict=True):
                self.write_scratch(file, (f"{line.decode()}\n" for line in lines))
        except UnicodeDecodeError:
            return None
        return replace(before, file=shorter[0]), replace(after, file=shorter[1])

    def write_scratch(self, file: Path, lines: Iterable[str]) -> None:
        """Write a file of the scratch folder."""
        try:
            with file.open("w", encoding="utf-8", newline="\n") as opened:
                opened.writelines(lines)
        except OSError as error:
            if error.filename is not None:
                raise
            raise ListError(f"{explain_os_error(error, tempfile.gettempdir())}: set TMPDIR") from error

    def fetch(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a small answer."""
        return self.connection.execute(query, list(parameters)).fetchall()

    def fetch_number(self, query: str) -> int:
        """The one number of an answer."""
        return int(self.fetch(query)[0][0])

    def stream(self, query: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a large answer, a part at a time."""
        cursor = self.connection.cursor().execute(query)
        while rows := cursor.fetchmany(10_000):
            yield from rows

    def write(self, query: str, path: Path) -> None:
        """Write the (number, label, path) of a query, which says their order, as a list."""
        line = "number || chr(9) || label || chr(9) || path"
        with _naming_output(path):
            self.connection.execute(f"COPY (FROM ({query}) SELECT {line}) TO {quote(str(path))} ({_COPY_OPTIONS})")

    def write_whole(self, query: str, path: Path) -> None:
        """Write as `write` does, whole or not at all."""
        with whole_file(path) as partial:
            self.write(query, partial)


@contextmanager
def open_engine() -> Iterator[Engine]:
    """An engine that is gone, with its scratch files, when the block ends."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="headrace-lists-") as scratch, ExitStack() as inputs:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": f"{scratch}/spill",
            "autoinstall_known_extensions": False,
        }
        connection = duckdb.connect(config=config)
        # In a notebook it would go to standard output.
        connection.execute("SET enable_progress_bar = false")
        try:
            yield Engine(connection, Path(scratch), inputs)
        except RuntimeError as error:
            if str(error) != _INTERRUPTED:
                raise
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            raise ListError(_explain(error)) from error
        finally:
            connection.close()


def look_closer(source: Source) -> Source:
    """A list that is not plain, with what all its rows and not only the first say of its labels."""
    if source.meant or source.layout != ONE_CLASS:
        return source
    return replace(source, layout=find_layout(source.path))


@contextmanager
def _naming_output(path: Path) -> Iterator[None]:
    """Let what the system refuses of an output be an error of the system's, with its name."""
    import duckdb

    try:
        yield
    except duckdb.IOException as error:
        number = next((number for number in _OUTPUT_ERRORS if os.strerror(number) in str(error)), None)
        if number is None or str(path) not in str(error):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def _explain(error: Exception) -> str:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return f"{reason}\nlists work in {tempfile.gettempdir()} where memory is short; make room there or set TMPDIR"


def select_rows(source: Source) -> str:
    """A query for (number, label, path) that fails on a line that is not plain."""
    path = _require("trim(path) <> ''", "path")
    number = require_index("number")
    return f"FROM {scan(source)} SELECT {number} AS number, {_select_label(source)} AS label, {path} AS path"


def _select_label(source: Source) -> str:
    if source.packed:
        return _unpack(source.label_columns[0])
    if source.layout.kind is ListKind.CLASS:
        return require_class(source.label_columns[0])
    labels = [_require(_matches(name, PLAIN_NUMBER_PATTERN), _shorten(name)) for name in source.label_columns]
    return f"concat_ws(chr(9), {', '.join(labels)})"


def _pack(labels: Sequence[str]) -> str:
    """The labels of a row in one column."""
    return format_labels(labels).replace(TAB, INNER_TAB)


def _unpack(column: str) -> str:
    return f"replace({column}, {quote(INNER_TAB)}, chr(9))"


def scan(source: Source) -> str:
    """The lines of a list as columns of text."""
    columns = ["number", *source.label_columns, "path"]
    return read_csv(source.file, "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in columns) + "}")


def require_index(column: str) -> str:
    """The index in a column of text, or an error.

    The comparison with the rewritten number is cheaper than the pattern and nearly always true.
    """
    rewritten = f"{column} = TRY_CAST({column} AS UBIGINT)::VARCHAR"
    return _require(f"{rewritten} OR {_matches(column, INDEX_PATTERN)}", f"{column}::UBIGINT")


def require_class(column: str) -> str:
    """The class in a column of text, in its shortest form, or an error."""
    rewritten = f"{column} = TRY_CAST({column} AS INTEGER)::VARCHAR AND {column} >= '0' AND length({column}) <= 9"
    return _require(f"{rewritten} OR {_matches(column, CLASS_PATTERN)}", f"{column}::INTEGER::VARCHAR")


def read_csv(file: Path, columns: str) -> str:
    """DuckDB's reader of tabbed text, with every option given, so that it guesses nothing."""
    return (
        f"read_csv({quote(str(file))}, delim = '\t', header = false, quote = '', escape = '', comment = '', "
        f"auto_detect = false, new_line = '\\n', columns = {columns})"
    )


def quote(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def refuse_bad_lines(path: Path, layout: Layout) -> None:
    """Refuse a list with malformed lines, and say what the first of them lack."""
    problems = [problem for problem, _ in zip(find_bad_lines(path, layout), range(SHOWN_PROBLEMS), strict=False)]
    if problems:
        raise ListError("\n".join(f"{path}, {problem}" for problem in problems))


def count_lines(path: Path) -> int:
    """How many lines a file has."""
    lines, last = 0, b"\n"
    with open_input(path) as file:
        while block := file.read(1 << 20):
            lines += block.count(b"\n")
            last = block
    return lines + (not last.endswith(b"\n"))


def _require(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} ELSE error('not plain') END"


def _matches(column: str, pattern: str) -> str:
    return f"regexp_full_match({column}, {quote(pattern)})"


def _shorten(column: str) -> str:
    return f"CASE WHEN contains({column}, '.') THEN rtrim(rtrim({column}, '0'), '.') ELSE {column} END"


def hash_sql(text: str) -> str:
    """`hash_path` of a text, as SQL."""
    return f"(('0x' || substr(sha256({text}), 1, 14))::BIGINT >> 3)"


def match_path(engine: Engine, pattern: str) -> str:
    """The SQL for what a pattern finds in a path: its first group, or all of it; nothing is an empty text."""
    import duckdb

    try:
        group = min(re.compile(pattern).groups, 1)
        matched = f"regexp_extract(path, {quote(pattern)}, {group})"
        engine.fetch(f"FROM (VALUES ('')) AS tried(path) SELECT {matched}")
    except (re.error, duckdb.Error) as error:
        raise ListError(f"{pattern!r} is not a regular expression to group by: {error}") from error
    return matched
