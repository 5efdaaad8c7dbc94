"""Lists (`.lst`): which image is of which class. The format is described in `headrace.lst.rows`."""

from headrace.lst.checking import check_list
from headrace.lst.diff import Change, ChangedRow, ClassChange, ListDiff, diff_lists
from headrace.lst.divisions import Division
from headrace.lst.editing import (
    Key,
    add_rows,
    merge_lists,
    relabel_classes,
    remove_rows,
    replace_rows,
    sample_classes,
)
from headrace.lst.hashing import hash_path
from headrace.lst.layouts import Layout, ListKind
from headrace.lst.making import find_s3_images, make_lists, make_lists_of, read_mapping
from headrace.lst.problems import Problem
from headrace.lst.rows import (
    ListError,
    ListRow,
    MultiLabelRow,
    find_layout,
    read_any_lst,
    read_lst,
    read_multi_label_lst,
    write_lst,
)
from headrace.lst.splitting import split_list
from headrace.lst.streaming import write_made_lists

__all__ = [
    "Change",
    "ChangedRow",
    "ClassChange",
    "Division",
    "Key",
    "Layout",
    "ListDiff",
    "ListError",
    "ListKind",
    "ListRow",
    "MultiLabelRow",
    "Problem",
    "add_rows",
    "check_list",
    "diff_lists",
    "find_layout",
    "find_s3_images",
    "hash_path",
    "make_lists",
    "make_lists_of",
    "merge_lists",
    "read_any_lst",
    "read_lst",
    "read_mapping",
    "read_multi_label_lst",
    "relabel_classes",
    "remove_rows",
    "replace_rows",
    "sample_classes",
    "split_list",
    "write_lst",
    "write_made_lists",
]
