import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.manifest import ManifestError, read_manifest, write_manifest
from tests.headrace.lst.lists import find_real

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.characters(codec="utf-8")


@given(st.lists(st.dictionaries(st.text(TEXTS), VALUES, max_size=3), max_size=4))
def test_reads_what_it_wrote(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("manifests") / "train.manifest"

    write_manifest(path, records)

    assert [record.data for record in read_manifest(path)] == records


@pytest.mark.parametrize(
    "name",
    ["bird_object_detection.manifest", "cat_object_detection_empty.manifest", "coral_image_classification.manifest"],
)
def test_writes_real_manifests_back_byte_for_byte(tmp_path: Path, name: str) -> None:
    real = find_real(name)

    write_manifest(tmp_path / name, (record.data for record in read_manifest(real)))

    assert (tmp_path / name).read_bytes() == real.read_bytes()


def test_writes_a_manifest_typed_by_hand_without_its_spaces(tmp_path: Path) -> None:
    real = find_real("docs_image_and_text_classification.manifest")

    write_manifest(tmp_path / "docs.manifest", (record.data for record in read_manifest(real)))

    # The documentation has spaces after colons and 0.00, and no line end at the last line.
    written = (tmp_path / "docs.manifest").read_text()
    assert [json.loads(line) for line in written.splitlines()] == [record.data for record in read_manifest(real)]
    assert '"confidence":0.0,' in written


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": 1', "line 2: not JSON: Expecting ',' delimiter at column 8; write one whole object on each line"),
        (b"[1]", "line 2: an array, expected an object such as"),
        (b'"a"', "line 2: a string, expected an object"),
        (b'{"source": "a\\ud83d"}', r"line 2: '\ud83d' is half of a surrogate pair; write both halves, or neither"),
        (b"\xe4", "line 2: not UTF-8; save the file as UTF-8"),
        (b'{"a": NaN}', "line 2: not JSON: NaN is not a JSON number"),
    ],
)
def test_says_on_which_line_a_manifest_is_wrong(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "train.manifest"
    path.write_bytes(b'{"source": "a"}\n' + line + b"\n")

    with pytest.raises(ManifestError) as raised:
        list(read_manifest(path))

    assert str(raised.value).startswith(f"{path}, {message}")


def test_reads_characters_that_json_writes_in_two_halves(tmp_path: Path) -> None:
    (tmp_path / "train.manifest").write_bytes(b'{"source": "\\ud83d\\ude00"}\n')

    assert [record.source for record in read_manifest(tmp_path / "train.manifest")] == ["\N{GRINNING FACE}"]


def test_names_a_manifest_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.manifest: No such file or directory"):
        list(read_manifest(tmp_path / "none.manifest"))


def test_keeps_the_former_manifest_when_a_record_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "train.manifest"
    write_manifest(path, [{"source": "former"}])

    with pytest.raises(TypeError):
        write_manifest(path, [{"source": "new"}, {"source": object()}])

    assert [record.source for record in read_manifest(path)] == ["former"]
    assert [file.name for file in tmp_path.iterdir()] == ["train.manifest"]
