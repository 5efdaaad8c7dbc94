# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "boto3==1.43.106", "headrace", "numpy==2.4.6", "opencv-python-headless==5.0.0.93", "pillow==13.0.0",
#     "requests==2.34.2", "simplejpeg==1.9.0", "trustme==1.2.1", "urllib3==2.8.0",
# ]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""The image normalizer against the article's function: OpenCV on every pixel, and a new connection per image.

Two cases stand beside the scaled decoding alone, which is what no normalizer of JPEG can do without.

After the table: how similar the normalized images are (SSIM), and what a million photographs cost on Graviton.
"""

import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

from harness import Case, Side, main

FOLDER = "HEADRACE_BENCH_IMAGES"
REAL_PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "shared" / "data" / "images"
SIZES = {"0.3 MP": (640, 480), "2 MP": (1632, 1224), "12 MP": (4000, 3000), "24 MP": (6000, 4000)}
# Of a photograph, twice what the normalized image has.
DECODED_SIDE = 512
REPEATS = {"0.3 MP": 60, "2 MP": 20, "12 MP": 5, "24 MP": 3}
RUNS = 3
# What Lambda and the infrastructure set; no request carries it.
FUNCTION_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "CACHE_BUCKET": "work",
    "CACHE_KEEPS_ALL": "false",
    "DNS_SUFFIX": "amazonaws.com",
    "SOURCE_ACCESS_POINT": "source-s3alias",
}
# arm64 in us-east-1: $0.0000133334 per GB-second, and one whole CPU from 1,769 MB on; $0.20 per million requests.
DOLLARS_PER_MILLION_MILLISECONDS = 0.0000133334 * 1769 / 1024 * 1000
DOLLARS_PER_MILLION_REQUESTS = 0.20


def normalize_as_the_article(photograph: bytes) -> bytes:
    """The article's steps; `np.fromstring`, which it uses, is gone from numpy."""
    import cv2
    import numpy as np

    pixels = cv2.imdecode(np.frombuffer(photograph, np.uint8), cv2.IMREAD_COLOR)
    small = cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))[1])


def normalize_as_we_do(photograph: bytes) -> bytes:
    from headrace.normalizer.normalize import normalize

    return normalize(photograph)


def decode_with_simplejpeg(photograph: bytes) -> Any:
    """Only the decoding, to grey of the size that we decode to, by libjpeg-turbo's own interface."""
    import simplejpeg

    return simplejpeg.decode_jpeg(photograph, "GRAY", min_width=DECODED_SIDE, min_height=DECODED_SIDE)


def decode_with_pillow(photograph: bytes) -> Any:
    """Only the decoding, by the libjpeg-turbo that Pillow brings."""
    from PIL import Image

    image = Image.open(BytesIO(photograph), formats=["JPEG"])
    image.draft("L", (DECODED_SIDE, DECODED_SIDE))
    # In one piece, as we do.
    image.decodermaxblock = len(photograph)
    image.load()
    return image


def request_as_the_article(bundle_and_url: tuple[str, str]) -> bytes:
    import requests

    bundle, url = bundle_and_url
    return normalize_as_the_article(requests.get(url, verify=bundle, timeout=10).content)


def request_as_we_do(connections_and_url: tuple[Any, str]) -> bytes:
    from lambdas.image_normalizer.connections import Request

    connections, url = connections_and_url
    with connections.ask(Request("GET", url, {})) as answer:
        return normalize_as_we_do(answer.read())


def connect_as_the_article(name: str) -> tuple[str, str]:
    return str(folder() / "bundle.pem"), f"{os.environ['HEADRACE_BENCH_URL']}/{name}"


def connect_as_we_do(name: str) -> tuple[Any, str]:
    from lambdas.image_normalizer.connections import Connections

    os.environ["SSL_CERT_FILE"] = str(folder() / "bundle.pem")
    return Connections(), f"{os.environ['HEADRACE_BENCH_URL']}/{name}"


def run_python(statement: str, _: None) -> None:
    environment = os.environ | FUNCTION_ENVIRONMENT
    # After the first start, both sides find their bytecode.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-c", statement], env=environment, check=True)


def folder() -> Path:
    return Path(os.environ[FOLDER])


def read(name: str) -> bytes:
    return (folder() / name).read_bytes()


def compare_files(title: str, name: str, repeats: int) -> Case:
    prepare = partial(read, name)
    return Case(
        name=title,
        ours=Side(name="normalize", run=normalize_as_we_do, prepare=prepare),
        peers=(Side(name="article", run=normalize_as_the_article, prepare=prepare),),
        repeats=repeats,
        runs=RUNS,
    )


def compare_decoding(title: str, name: str, repeats: int) -> Case:
    """How much of our time libjpeg-turbo needs alone: the ratios are below 1."""
    prepare = partial(read, name)
    return Case(
        name=title,
        ours=Side(name="normalize", run=normalize_as_we_do, prepare=prepare),
        peers=(
            Side(name="scaled decoding alone: simplejpeg", run=decode_with_simplejpeg, prepare=prepare),
            Side(name="scaled decoding alone: Pillow", run=decode_with_pillow, prepare=prepare),
        ),
        repeats=repeats,
        runs=RUNS,
    )


def compare_requests(title: str, name: str) -> Case:
    return Case(
        name=title,
        ours=Side(name="one connection, normalize", run=request_as_we_do, prepare=partial(connect_as_we_do, name)),
        peers=(
            Side(
                name="requests.get, article", run=request_as_the_article, prepare=partial(connect_as_the_article, name)
            ),
        ),
        repeats=10,
        runs=RUNS,
    )


def compare_cold_starts() -> Case:
    """The article's function makes its client on its first request; ours has all when it is loaded."""
    article = "import boto3, cv2, numpy, requests; boto3.client('s3')"
    return Case(
        name="cold start: interpreter, handler and its clients",
        ours=Side(name="handler", run=partial(run_python, "import lambdas.image_normalizer.handler")),
        peers=(
            Side(name="boto3, cv2, numpy, requests", run=partial(run_python, article)),
            Side(name="normalize alone", run=partial(run_python, "import headrace.normalizer.normalize")),
            Side(name="python alone", run=partial(run_python, "pass")),
        ),
    )


def make_photograph(size: tuple[int, int]) -> Any:
    """Something between smooth and rough as photographs are: noise of all scales, the coarser the stronger."""
    import cv2
    import numpy as np

    random = np.random.default_rng(5)
    width, height = size
    scene = np.zeros((height, width, 3), np.float32)
    side = 4
    while side < max(size):
        octave = random.normal(0, 1, (max(1, side * height // width), side, 3)).astype(np.float32)
        scene += cv2.resize(octave, size, interpolation=cv2.INTER_CUBIC) * 60 * (4 / side) ** 0.75
        side *= 2
    return np.clip(scene + 128, 0, 255).astype(np.uint8)


def make_files(place: Path) -> None:
    import certifi
    import cv2
    import trustme

    for title, size in SIZES.items():
        (place / f"{title}.jpg").write_bytes(encode(make_photograph(size), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 88))
    photograph = make_photograph(SIZES["2 MP"])
    (place / "2 MP.png").write_bytes(encode(photograph, ".png", cv2.IMWRITE_PNG_COMPRESSION, 4))
    (place / "progressive.jpg").write_bytes(encode(photograph, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
    authority = trustme.CA()
    # The certificates every request of the article's reads again are those of the whole world.
    (place / "bundle.pem").write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(place / "server.pem"))


def encode(pixels: Any, suffix: str, *parameters: int) -> bytes:
    import cv2

    return bytes(cv2.imencode(suffix, pixels, parameters)[1])


class Images(BaseHTTPRequestHandler):
    """Serves the made images and keeps connections open, as S3 does."""

    protocol_version = "HTTP/1.1"
    # Without it the body waits for the acknowledgement of the headers.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer with the image of this name."""
        content = read(Path(self.path).name.replace("%20", " "))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def serve() -> None:
    """Serve over TLS until killed, after saying on which port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder() / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Images)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


def report_similarity_and_cost() -> None:
    """Print how close our normalized images are to the article's, and what both cost."""
    real = [*REAL_PHOTOGRAPHS.glob("photos/*.jpg"), *sorted(REAL_PHOTOGRAPHS.glob("classes/*/*.jpg"))[::4]]
    similarities = sorted(measure_similarity(path.read_bytes()) for path in real)
    made = [measure_similarity(read(f"{title}.jpg")) for title in SIZES]
    print_line("\nSSIM to the article's images (mean, least)")
    for name, values in ((f"{len(SIZES)} made photographs", made), (f"{len(real)} real photographs", similarities)):
        if values:
            print_line(f"  {name:38} {statistics.mean(values):.4f} {min(values):.4f}")
    print_line("\nDollars per million images on Graviton, CPU only: ours, the article's")
    for title in SIZES:
        content = read(f"{title}.jpg")
        costs = [estimate_cost(side, content) for side in (normalize_as_we_do, normalize_as_the_article)]
        print_line(f"  {title:38} {costs[0]:.2f} {costs[1]:.2f}")


def estimate_cost(normalize: Callable[[bytes], bytes], content: bytes) -> float:
    times = []
    for _ in range(5):
        start = time.process_time()
        normalize(content)
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times) * DOLLARS_PER_MILLION_MILLISECONDS + DOLLARS_PER_MILLION_REQUESTS


def measure_similarity(content: bytes) -> float:
    """The structural similarity of both images, with the Gaussian window of its authors."""
    import cv2
    import numpy as np

    ours, theirs = (
        cv2.imdecode(np.frombuffer(side(content), np.uint8), cv2.IMREAD_GRAYSCALE).astype(np.float64)
        for side in (normalize_as_we_do, normalize_as_the_article)
    )
    smooth = partial(cv2.GaussianBlur, ksize=(11, 11), sigmaX=1.5)
    mean_a, mean_b = smooth(ours), smooth(theirs)
    variance_a, variance_b = smooth(ours * ours) - mean_a**2, smooth(theirs * theirs) - mean_b**2
    covariance = smooth(ours * theirs) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + 6.5025) / (mean_a**2 + mean_b**2 + 6.5025)
    structure = (2 * covariance + 58.5225) / (variance_a + variance_b + 58.5225)
    return float((luminance * structure).mean())


def print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def run_with_server(cases: Sequence[Case]) -> None:
    with tempfile.TemporaryDirectory() as place:
        os.environ[FOLDER] = place
        # Apart: a process that has had much memory counts it as its children's peak.
        subprocess.run([sys.executable, __file__, "make"], check=True)
        server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout
            os.environ["HEADRACE_BENCH_URL"] = f"https://localhost:{int(server.stdout.readline())}"
            main(cases)
            if not {"--json", "--case"} & set(sys.argv):
                report_similarity_and_cost()
        finally:
            server.terminate()
            server.wait()


CASES = [
    *(compare_files(f"{title} JPEG", f"{title}.jpg", REPEATS[title]) for title in SIZES),
    compare_files("2 MP progressive JPEG", "progressive.jpg", 20),
    compare_files("2 MP PNG", "2 MP.png", 10),
    compare_decoding("12 MP JPEG and its bare decoding", "12 MP.jpg", 20),
    compare_decoding("2 MP progressive JPEG and its bare decoding", "progressive.jpg", 20),
    *(compare_requests(f"request, {title}", f"{title}.jpg") for title in ("0.3 MP", "2 MP", "12 MP")),
    compare_cold_starts(),
]

if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    elif sys.argv[1:] == ["make"]:
        make_files(folder())
    elif "--side" in sys.argv:
        main(CASES)
    else:
        run_with_server(CASES)
