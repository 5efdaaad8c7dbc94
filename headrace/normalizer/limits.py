"""Limits on the cost of a photograph, checked against its header, before a pixel is decoded."""

from typing import Final, NamedTuple

from headrace.normalizer.errors import PhotographTooLargeError, TooComplexError
from headrace.normalizer.sizes import check_size

_MIB = 1024 * 1024


class Limits(NamedTuple):
    """The most that one photograph may have; the defaults fit a function of 256 MB.

    Args:
        file_bytes: The size of the file.
        pixels: Declared width times height.
        decoding_bytes: What all steps from file to normalized image may hold at a time: the file, what its decoder
            needs, pixels, working copies.
        scans: Passes over the photograph of a progressive JPEG; ordinary ones have about ten.
        scanned_bytes: All its passes together: each goes over all coefficients, however little it says.
    """

    file_bytes: int = 32 * _MIB
    pixels: int = 100_000_000
    decoding_bytes: int = 184 * _MIB
    scans: int = 64
    scanned_bytes: int = 2048 * _MIB

    def check_file(self, size: int) -> None:
        """Refuse a file of this many bytes when it is empty or too large."""
        check_size(size, self.file_bytes)

    def check_pixels(self, width: int, height: int) -> None:
        """Refuse a photograph of this size when that is too large."""
        if width * height > self.pixels:
            raise PhotographTooLargeError(f"it declares {width} x {height} pixels, more than {self.pixels}")

    def check_decoding(self, needed_bytes: int) -> None:
        """Refuse a photograph whose decoding needs too much memory."""
        if needed_bytes > self.decoding_bytes:
            raise PhotographTooLargeError(
                f"it needs about {needed_bytes // _MIB} MiB of memory, more than {self.decoding_bytes // _MIB}"
            )

    def check_scans(self, scans: int, bytes_per_scan: int) -> None:
        """Refuse a JPEG with too many passes over the image."""
        if scans > self.scans:
            raise TooComplexError(f"the JPEG has {scans} scans, more than {self.scans}")
        if scans * bytes_per_scan > self.scanned_bytes:
            raise TooComplexError(f"the JPEG has {scans} scans, too many for its size")


# Of photographs that are learnt from, and that a model is asked about: many are decoded side by side.
LEARNT: Final = Limits(pixels=50_000_000)
