import json

import pytest

from containers.normalizer import attempts
from containers.normalizer.failures import DestinationError, SourceError, StorageError, TooManyRefusedError
from containers.normalizer.normalized_images import Made, NormalizedImageMaker, Photograph
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import GENERATION, Options
from tests.containers.normalizer.fake_s3 import FakeS3
from tests.containers.normalizer.jobs import MANIFEST, NORMALIZED, run_job
from tests.headrace.normalizer.hostile_images import make_hostile_images
from tests.headrace.normalizer.made_images import make_jpeg, make_png

BAD = b"no image at all"


def list_photographs() -> list[str]:
    return [f"{number}.jpg" for number in range(7)]


def read_summary(s3: FakeS3) -> dict[str, object]:
    summary: dict[str, object] = s3.read_json("sets/small/summary.json")
    del summary["seconds"]
    return summary


def write_manifest(s3: FakeS3, *references: str) -> None:
    lines = [json.dumps({"source-ref": reference, "class": number}) for number, reference in enumerate(references)]
    s3.put("lists/train.manifest", "\n".join(lines).encode())


def test_normalizes_every_photograph_under_its_own_name(s3: FakeS3) -> None:
    run_job(s3)

    assert s3.keys(NORMALIZED) == [f"{NORMALIZED}{name}" for name in list_photographs()]
    for name in list_photographs():
        normalized = s3.objects["work", NORMALIZED + name]
        assert normalized.body == normalize(s3.read(f"images/{name}", "raw"), Options(width=16, height=16))
        assert normalized.media_type == "image/jpeg"


def test_tells_the_format_by_the_content_type_alone(s3: FakeS3) -> None:
    run_job(s3, "--output-format", "png")

    assert s3.objects["work", f"{NORMALIZED}0.jpg"].media_type == "image/png"


def test_sums_up_what_was_done(s3: FakeS3) -> None:
    said = run_job(s3)

    assert said == "s3://work/sets/small/: 7 photographs: 7 made, 0 kept, 0 refused, 0 unavailable"
    assert read_summary(s3) == {
        "photographs": 7,
        "made": 7,
        "kept": 0,
        "refused": 0,
        "unavailable": 0,
        "skipped": 2,
        "is_complete": True,
    }
    assert s3.read("sets/small/failures.jsonl") == b""


def test_makes_nothing_again_in_a_second_run(s3: FakeS3) -> None:
    run_job(s3)
    s3.requests.clear()

    run_job(s3)

    assert read_summary(s3)["kept"] == 7
    assert s3.count("GetObject", "images/") == 0
    assert s3.count("PutObject", NORMALIZED) == 0


def test_asks_no_normalized_image_that_is_much_younger_than_its_photograph(s3: FakeS3) -> None:
    run_job(s3)
    s3.requests.clear()

    run_job(s3)

    assert s3.count("HeadObject") == 0


def test_goes_on_where_an_earlier_run_was_killed(s3: FakeS3) -> None:
    run_job(s3)
    for name in ("1.jpg", "5.jpg", "6.jpg"):
        del s3.objects["work", NORMALIZED + name]
    s3.requests.clear()

    run_job(s3)

    assert sorted(key for name, key in s3.requests if name == "PutObject" and key.startswith(NORMALIZED)) == [
        f"{NORMALIZED}{name}" for name in ("1.jpg", "5.jpg", "6.jpg")
    ]


def test_normalizes_a_photograph_again_that_was_replaced(s3: FakeS3) -> None:
    run_job(s3)
    s3.wait(days=1)
    s3.put("images/3.jpg", make_jpeg(30, 90))

    run_job(s3)

    assert read_summary(s3)["made"] == 1
    assert s3.read(f"{NORMALIZED}3.jpg") == normalize(make_jpeg(30, 90), Options(width=16, height=16))


def test_normalizes_a_photograph_again_that_was_replaced_within_the_same_second(s3: FakeS3) -> None:
    s3.put("images/3.jpg", make_jpeg(30, 90))
    run_job(s3)
    s3.put("images/3.jpg", make_jpeg(90, 30))

    run_job(s3)

    assert read_summary(s3)["made"] == 1
    assert s3.read(f"{NORMALIZED}3.jpg") == normalize(make_jpeg(90, 30), Options(width=16, height=16))


def test_keeps_a_normalized_image_as_young_as_its_photograph_when_it_says_that_it_was_made_of_it(s3: FakeS3) -> None:
    s3.put("images/3.jpg", make_jpeg(30, 90))
    run_job(s3)
    s3.requests.clear()

    run_job(s3)

    assert read_summary(s3)["kept"] == 7
    assert s3.count("HeadObject") == 1


def test_reports_the_images_that_are_refused(s3: FakeS3) -> None:
    s3.put("images/3.jpg", BAD)
    s3.put("images/4.jpg", b"")

    with pytest.raises(TooManyRefusedError) as failed:
        run_job(s3)

    failures = {line["key"]: (line["bucket"], line["code"]) for line in s3.read_lines("sets/small/failures.jsonl")}
    assert failures == {"images/3.jpg": ("raw", "NotAPhotograph"), "images/4.jpg": ("raw", "EmptyBody")}
    assert read_summary(s3)["is_complete"] is False
    assert len(s3.keys(NORMALIZED)) == 5
    assert "7 photographs: 5 made, 0 kept, 2 refused, 0 unavailable, where 0 may be refused" in str(failed.value)
    assert "images/3.jpg: NotAPhotograph: the first bytes are those of no image format" in str(failed.value)
    assert "s3://work/sets/small/failures.jsonl" in str(failed.value)


def test_succeeds_when_no_more_are_refused_than_may_be(s3: FakeS3) -> None:
    s3.put("images/3.jpg", BAD)

    run_job(s3, "--max-refused", "1")

    assert read_summary(s3)["refused"] == 1
    assert read_summary(s3)["is_complete"] is True


def test_tells_of_refused_images_in_every_run(s3: FakeS3) -> None:
    s3.put("images/3.jpg", BAD)
    run_job(s3, "--max-refused", "1")

    run_job(s3, "--max-refused", "1")

    assert (read_summary(s3)["kept"], read_summary(s3)["refused"]) == (6, 1)
    assert [line["key"] for line in s3.read_lines("sets/small/failures.jsonl")] == ["images/3.jpg"]


def test_refuses_a_file_that_is_too_large_without_reading_it(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put("images/3.jpg", bytes(33 * 1024 * 1024))
    # Reading it would fail in another way.
    s3.broken_reads["images/3.jpg"] = 10

    run_job(s3, "--max-refused", "1")

    (failure,) = s3.read_lines("sets/small/failures.jsonl")
    assert failure["code"] == "TooManyBytes"


def test_finds_an_image_unavailable_that_is_replaced_while_the_job_runs(s3: FakeS3) -> None:
    s3.before_get = lambda key: s3.put(key, BAD) if key == "images/3.jpg" else None

    with pytest.raises(TooManyRefusedError, match="0 refused, 1 unavailable"):
        run_job(s3)

    (failure,) = s3.read_lines("sets/small/failures.jsonl")
    assert failure["code"] == "PreconditionFailed"
    assert failure["reason"] == "it was replaced while the job ran; run the job again"


def test_finds_an_image_unavailable_when_s3_is_out_of_order_for_it(s3: FakeS3) -> None:
    s3.refuse("GetObject", "images/3.jpg", "InternalError", 500)
    s3.refuse("PutObject", f"{NORMALIZED}4.jpg", "SlowDown", 503)

    with pytest.raises(TooManyRefusedError, match="5 made, 0 kept, 0 refused, 2 unavailable"):
        run_job(s3, "--max-refused", "7")


def test_gives_up_when_next_to_everything_is_unavailable(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST_UNAVAILABLE", 2)
    for name in list_photographs():
        s3.refuse("GetObject", f"images/{name}", "InternalError", 500)

    with pytest.raises(StorageError, match=r"more than 2 photographs were unavailable, the last one: .*InternalError"):
        run_job(s3)


@pytest.mark.parametrize(
    ("operation", "key"),
    [("ListObjectsV2", "images/"), ("GetObject", "images/3.jpg"), ("PutObject", f"{NORMALIZED}3.jpg")],
)
def test_ends_at_once_when_access_is_denied(s3: FakeS3, operation: str, key: str) -> None:
    s3.refuse(operation, key, "AccessDenied", 403)

    with pytest.raises(StorageError, match=f"/{key}: AccessDenied: .*; the role needs"):
        run_job(s3)


def test_ends_at_once_when_there_is_no_such_bucket(s3: FakeS3) -> None:
    with pytest.raises(StorageError, match=r"s3://rwa/images/: NoSuchBucket: .*; check its name"):
        run_job(s3, source=("--source", "s3://rwa/images/"))


def test_says_when_a_prefix_has_no_image(s3: FakeS3) -> None:
    s3.put("lists/train.lst", b"")

    with pytest.raises(
        SourceError, match="no photograph below s3://raw/lists/, only 1 other objects; check the prefix"
    ):
        run_job(s3, source=("--source", "s3://raw/lists/"))


def test_refuses_a_destination_whose_normalized_images_were_made_otherwise(s3: FakeS3) -> None:
    run_job(s3)

    with pytest.raises(
        DestinationError,
        match="made otherwise: colour grey instead of rgb, fit stretch instead of cover; choose another",
    ):
        run_job(s3, "--colour", "rgb", "--fit", "cover")


def test_refuses_a_destination_whose_normalized_images_are_those_of_another_source(s3: FakeS3) -> None:
    run_job(s3)

    with pytest.raises(DestinationError, match="source s3://raw/images/ instead of s3://raw/other/"):
        run_job(s3, source=("--source", "s3://raw/other/"))


def test_refuses_a_destination_whose_normalized_images_are_those_of_other_code(
    s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_job(s3)
    monkeypatch.setattr("containers.normalizer.destination.GENERATION", 99)

    with pytest.raises(DestinationError, match=f"generation {GENERATION} instead of 99"):
        run_job(s3)


@pytest.mark.parametrize("text", [None, b"[]", b"{"])
def test_refuses_a_destination_whose_normalized_images_nobody_knows(s3: FakeS3, text: bytes | None) -> None:
    run_job(s3)
    del s3.objects["work", "sets/small/options.json"]
    if text:
        s3.put("sets/small/options.json", text, "work")

    with pytest.raises(DestinationError, match=r"made otherwise: the options are unknown"):
        run_job(s3)


def test_takes_a_destination_without_normalized_images_whatever_it_was_meant_for(s3: FakeS3) -> None:
    with pytest.raises(SourceError):
        run_job(s3, source=("--source", "s3://raw/imagse/"))

    run_job(s3)

    assert s3.read_json("sets/small/options.json") == {
        "generation": GENERATION,
        "source": "s3://raw/images/",
        "width": 16,
        "height": 16,
        "fit": "stretch",
        "colour": "grey",
        "output_format": "jpeg",
        "quality": 95,
    }


def test_leaves_no_summary_that_calls_an_interrupted_run_complete(s3: FakeS3) -> None:
    run_job(s3)
    s3.refuse("ListObjectsV2", "images/", "AccessDenied", 403)

    with pytest.raises(StorageError):
        run_job(s3)

    assert read_summary(s3)["is_complete"] is False


def test_writes_the_manifest_of_the_normalized_images(s3: FakeS3) -> None:
    write_manifest(s3, "s3://raw/images/2.jpg", "s3://raw/images/bad.jpg", "s3://raw/images/0.jpg")
    s3.put("images/bad.jpg", BAD)

    run_job(s3, "--max-refused", "1", source=MANIFEST)

    assert s3.read_lines("sets/small/normalized.manifest") == [
        {"source-ref": f"s3://work/{NORMALIZED}raw/images/2.jpg", "class": 0},
        {"source-ref": f"s3://work/{NORMALIZED}raw/images/0.jpg", "class": 2},
    ]
    assert s3.keys(NORMALIZED) == [f"{NORMALIZED}raw/images/0.jpg", f"{NORMALIZED}raw/images/2.jpg"]


def test_keeps_equal_keys_of_two_buckets_apart(s3: FakeS3) -> None:
    s3.buckets.add("other")
    s3.put("images/0.jpg", make_jpeg(20, 80), "other")
    write_manifest(s3, "s3://raw/images/0.jpg", "s3://other/images/0.jpg")

    run_job(s3, source=MANIFEST)

    assert s3.keys(NORMALIZED) == [f"{NORMALIZED}other/images/0.jpg", f"{NORMALIZED}raw/images/0.jpg"]


def test_makes_nothing_of_a_manifest_again(s3: FakeS3) -> None:
    write_manifest(s3, "s3://raw/images/0.jpg", "s3://raw/images/1.jpg")
    run_job(s3, source=MANIFEST)
    s3.put("images/1.jpg", make_jpeg(20, 80))
    s3.requests.clear()

    run_job(s3, source=MANIFEST)

    assert (read_summary(s3)["kept"], read_summary(s3)["made"]) == (1, 1)
    assert s3.count("PutObject", NORMALIZED) == 1


def test_refuses_an_image_that_a_manifest_names_and_nobody_has(s3: FakeS3) -> None:
    write_manifest(s3, "s3://raw/images/0.jpg", "s3://raw/images/none.jpg")

    run_job(s3, "--max-refused", "1", source=MANIFEST)

    (failure,) = s3.read_lines("sets/small/failures.jsonl")
    assert (failure["key"], failure["code"]) == ("images/none.jpg", "NoSuchKey")


def test_writes_nothing_when_a_manifest_is_wrong(s3: FakeS3) -> None:
    write_manifest(s3, "s3://raw/images/0.jpg", "images/1.jpg")

    with pytest.raises(
        SourceError, match=r"s3://raw/lists/train\.manifest, line 2: source-ref: 'images/1\.jpg' is not"
    ):
        run_job(s3, source=MANIFEST)

    assert s3.keys("sets/") == []


def test_counts_an_image_on_which_it_fails_and_goes_on(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    make = NormalizedImageMaker.make

    def fail(maker: NormalizedImageMaker, photograph: Photograph) -> Made:
        if photograph.path.endswith("3.jpg"):
            raise AssertionError
        return make(maker, photograph)

    monkeypatch.setattr(NormalizedImageMaker, "make", fail)

    run_job(s3, "--max-refused", "1")

    summary = read_summary(s3)
    assert (summary["made"], summary["refused"]) == (len(list_photographs()) - 1, 1)


def test_counts_an_image_whose_decoder_fails_oddly_and_goes_on(s3: FakeS3) -> None:
    s3.put("images/odd.png", make_png(1, 1, colour=3))

    run_job(s3, "--max-refused", "1")

    assert read_summary(s3)["refused"] == 1


@pytest.mark.filterwarnings("ignore")
def test_ends_well_whatever_the_images_are(s3: FakeS3) -> None:
    images = list(make_hostile_images(250, seed=11))
    for number, photograph in enumerate(images):
        s3.put(f"images/hostile/{number}.png", photograph)

    run_job(s3, "--max-refused", "1000", source=("--source", "s3://raw/images/hostile/"))

    summary = read_summary(s3)
    assert (summary["photographs"], summary["unavailable"]) == (len(images), 0)
    failures = [json.loads(line) for line in s3.read("sets/small/failures.jsonl").splitlines()]
    assert [failure for failure in failures if failure["code"] == "NormalizerFailed"] == []
