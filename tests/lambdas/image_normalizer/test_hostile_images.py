"""Images made to break a decoder, through both doors."""

import pytest

from headrace.normalizer.errors import NormalizeError
from lambdas.image_normalizer.cache import NormalizedImageCache
from lambdas.image_normalizer.function_url import FunctionUrlDoor
from lambdas.image_normalizer.object_lambda import ObjectLambdaDoor
from lambdas.image_normalizer.originals import AccessPoint
from tests.examples import count_examples
from tests.headrace.normalizer.hostile_images import make_hostile_images

from .fake_s3 import serve
from .makers import make_maker

CODES = {error.code for error in NormalizeError.__subclasses__()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_doors_answer_whatever_the_image_is() -> None:
    images = {f"{number}.bin": image for number, image in enumerate(make_hostile_images(count_examples(50), seed=7))}
    with serve(images) as bucket:
        source = AccessPoint(bucket.client, "source")
        url = FunctionUrlDoor(source, NormalizedImageCache(bucket.client, "work"), make_maker())
        object_lambda = ObjectLambdaDoor(bucket.client, bucket.connections, source, make_maker())
        context = {"requestContext": {"http": {"method": "GET"}}, "headers": {}}
        answers = [url.answer({**context, "rawPath": f"/{key}"})[0] for key in images]
        for key in images:
            tokens = {"inputS3Url": bucket.sign(key), "outputRoute": "route", "outputToken": key}
            request = {"url": f"https://images.test/{key}", "headers": {}}
            object_lambda.answer({"getObjectContext": tokens, "configuration": {}, "userRequest": request})

    assert {answer["statusCode"] for answer in answers} == {200, 400}
    assert [sent.status for sent in bucket.sent] == [answer["statusCode"] for answer in answers]
    assert {sent.code for sent in bucket.sent} <= {None, *CODES}
