"""The sections of the page, one file each: what it reads, and what its templates are given."""
