"""A sample of every command that reads or writes files, and files of every kind to read."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Final

from headrace.recordio import ImageRecord, write_rows
from headrace.recordio.images import write_images

INPUT: Final = "INPUT"
OUT: Final = "out"
LIST: Final = "0\t0\ta/1.jpg\n1\t1\tb/1.jpg\n2\t0\ta/2.jpg\n3\t1\tb/2.jpg\n"
MANIFEST: Final = "".join(f'{{"source-ref":"s3://raw/{number}.jpg","class":{number % 2}}}\n' for number in range(4))
BOXES: Final = (
    '{"source-ref":"s3://raw/1.jpg","bounding-box":{"image_size":[{"width":9,"height":9,"depth":3}],"annotations":'
    '[{"class_id":0,"left":1,"top":1,"width":2,"height":2}]},"bounding-box-metadata":{"class-map":{"0":"car"},'
    '"objects":[{"confidence":1}],"type":"groundtruth/object-detection"}}\n'
)
COCO: Final = (
    '{"images":[{"id":1,"file_name":"1.jpg","width":9,"height":9}],"categories":[{"id":1,"name":"car"}],'
    '"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2]}]}\n'
)
CAPTURED: Final = (
    '{"captureData":{"endpointInput":{"observedContentType":"text/csv","data":"4,5","encoding":"CSV"}},'
    '"eventMetadata":{"inferenceTime":"2026-11-29T08:00:00Z"}}\n'
)
PROFILE: Final = (
    '{"format":"headrace-profile","version":1,"rows":2,"columns":[{"name":"a","kind":"category","edges":[],'
    '"counts":{"4":2}},{"name":"b","kind":"number","edges":[5],"counts":{"≤ 5":1,"> 5":1}}]}\n'
)
EVALUATION: Final = (
    '{"shown":[{"series":1,"start":"2024-03-01","before":[4],"demand":[5],"quantiles":{"0.5":[4.5]}}]}\n'
)
PREFIX: Final = ("--prefix", "s3://raw/")
PARTS: Final = ("--train", f"{OUT}/train", "--validation", f"{OUT}/validation")

# Each reads INPUT; what stands beside it is good.
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "lst check": ("lst", "check", INPUT),
    "lst diff, before": ("lst", "diff", INPUT, "other.lst", "-o", f"{OUT}/diff.lst"),
    "lst diff, after": ("lst", "diff", "good.lst", INPUT),
    "lst split": ("lst", "split", INPUT, *PARTS),
    "lst merge": ("lst", "merge", "good.lst", INPUT, "-o", f"{OUT}/all.lst"),
    "lst relabel": ("lst", "relabel", INPUT, "0=1", "1=0", "-o", f"{OUT}/new.lst"),
    "lst add": ("lst", "add", "good.lst", INPUT, "-o", f"{OUT}/more.lst"),
    "lst remove": ("lst", "remove", INPUT, "a/1.jpg", "-o", f"{OUT}/less.lst"),
    "lst remove --from": ("lst", "remove", "good.lst", "--from", INPUT, "-o", f"{OUT}/less.lst"),
    "lst replace": ("lst", "replace", "good.lst", INPUT, "-o", f"{OUT}/new.lst"),
    "lst make": ("lst", "make", "folder", "--mapping", INPUT, *PARTS),
    "manifest check": ("manifest", "check", INPUT),
    "manifest split": ("manifest", "split", INPUT, *PARTS),
    "manifest merge": ("manifest", "merge", "good.manifest", INPUT, "-o", f"{OUT}/all.manifest"),
    "manifest filter": ("manifest", "filter", INPUT, "-o", f"{OUT}/some.manifest"),
    "manifest stats": ("manifest", "stats", INPUT, "--chart", f"{OUT}/labels.svg"),
    "manifest draw": ("manifest", "draw", INPUT, "1.jpg", "-o", f"{OUT}/boxes.svg"),
    "manifest convert traditional": ("manifest", "convert", "traditional", INPUT, "-o", f"{OUT}/a.manifest"),
    "manifest convert list": ("manifest", "convert", "list", INPUT, *PREFIX, "-o", f"{OUT}/a.manifest"),
    "manifest convert to-list": ("manifest", "convert", "to-list", INPUT, *PREFIX, "-o", f"{OUT}/a.lst"),
    "manifest convert coco": ("manifest", "convert", "coco", INPUT, *PREFIX, "-o", f"{OUT}/a.manifest"),
    "manifest convert to-coco": ("manifest", "convert", "to-coco", INPUT, *PREFIX, "-o", f"{OUT}/coco.json"),
    "recordio write": ("recordio", "write", INPUT, f"{OUT}/a.pbr"),
    "recordio read": ("recordio", "read", INPUT),
    "recordio info": ("recordio", "info", INPUT),
    "recordio images write": ("recordio", "images", "write", INPUT, "folder", f"{OUT}/a.rec"),
    "recordio images read": ("recordio", "images", "read", INPUT, f"{OUT}/images"),
    "recordio images info": ("recordio", "images", "info", INPUT),
    "drift profile": ("drift", "profile", INPUT, "-o", f"{OUT}/profile.json"),
    "drift check": ("drift", "check", INPUT, "captured.jsonl", "--page", f"{OUT}/page.html"),
    "drift check, captured": ("drift", "check", "profile.json", INPUT),
    "documents estimate": ("documents", "estimate", INPUT),
    "pipeline graph": ("pipeline", "graph", "--definition", INPUT, "-o", f"{OUT}/a.svg"),
    "local invoke": ("local", "--folder", "no-cloud", "invoke", INPUT),
    "demand check": ("demand", "check", INPUT),
    "demand draw": ("demand", "draw", INPUT, "-o", f"{OUT}/forecast.svg"),
}
# What each of them reads where it is to succeed, by the end of a file's name.
GOOD: Final[Mapping[str, str]] = {
    "lst remove --from": "names.txt",
    "lst make": "mapping.csv",
    "lst add": "other.lst",
    "manifest convert traditional": "good.json",
    "manifest convert list": "good.lst",
    "manifest convert coco": "coco.json",
    "manifest convert to-coco": "boxes.manifest",
    "manifest draw": "boxes.manifest",
    "drift profile": "good.csv",
    "drift check": "profile.json",
    "drift check, captured": "captured.jsonl",
    "documents estimate": "page.jpg",
    "pipeline graph": "machine.json",
    "recordio write": "good.csv",
    "recordio images write": "good.lst",
    "recordio images read": "good.rec",
    "recordio images info": "good.rec",
    "recordio read": "good.pbr",
    "recordio info": "good.pbr",
    "demand check": "demand.csv",
    "demand draw": "evaluation.json",
}


def find_good(name: str) -> str:
    """The file that a command can do something with."""
    return GOOD.get(name, "good.manifest" if name.startswith("manifest") else "good.lst")


def fill_in(name: str, path: str) -> list[str]:
    """The command line of a sample that reads this path."""
    return [path if argument == INPUT else argument for argument in COMMANDS[name]]


def make_files(folder: Path) -> None:
    """Files that are as they should be."""
    import numpy as np
    from PIL import Image

    texts = {
        "good.lst": LIST,
        "other.lst": "7\t1\tc/1.jpg\n",
        "names.txt": "a/1.jpg\n",
        "mapping.csv": "a,ant\nb,bee\n",
        "good.manifest": MANIFEST,
        "boxes.manifest": BOXES,
        "coco.json": COCO,
        "good.json": '[{"prefix":"s3://raw/"},"1.jpg"]\n',
        "machine.json": '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}\n',
        "good.csv": "1,2,3\n0,4,5\n",
        "captured.jsonl": CAPTURED,
        "profile.json": PROFILE,
        "demand.csv": "date,store,item,sales\n2024-03-01,1,1,5\n",
        "evaluation.json": EVALUATION,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"):
        (folder / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "folder" / name).write_bytes(b"\xff\xd8\xff" + bytes(9))
    Image.new("RGB", (9, 9)).save(folder / "1.jpg")
    (folder / "page.jpg").write_bytes(b"\xff\xd8\xff" + bytes(9))
    write_rows(folder / "good.pbr", np.ones((2, 2), np.float32), np.ones(2, np.float32))
    write_images(folder / "good.rec", [ImageRecord(1, (0.0,), b"\xff\xd8\xff")])
    (folder / OUT).mkdir()


@contextmanager
def piping(folder: Path, content: bytes) -> Iterator[str]:
    """A named pipe that somebody writes to."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=_feed, args=(pipe, content))
    writer.start()
    try:
        yield pipe.name
    finally:
        # Without a reader, the writer waits.
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
        writer.join()
        pipe.unlink()


def _feed(pipe: Path, content: bytes) -> None:
    try:
        pipe.write_bytes(content)
    except BrokenPipeError:
        return


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


def _make_unreadable(path: Path) -> None:
    path.write_text(LIST)
    path.chmod(0)


# Each makes a file of its kind; what is not a file of ours has its own name.
KINDS: Final[Mapping[str, Callable[[Path], object]]] = {
    "text": lambda path: path.write_text("one two\nthree\n"),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 64),
    "empty": lambda path: path.touch(),
    "blank": lambda path: path.write_text("\n\n \n"),
    "huge line": lambda path: path.write_bytes(b"x" * (1 << 20)),
    "deep": lambda path: path.write_text("[" * 100_000),
    "null bytes": lambda path: path.write_bytes(bytes(5000)),
    "folder": lambda path: path.mkdir(),
    "link": lambda path: path.symlink_to("good.lst"),
    "broken link": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "socket": _bind,
    "unreadable": _make_unreadable,
}
DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/urandom")
