from containers.images.inference import contract as inference
from containers.images.training import contract as training
from headrace.images.addresses import ADDRESS_VARIABLE


def test_finds_the_normalizer_where_the_library_does() -> None:
    assert training.IMAGES_VARIABLE == ADDRESS_VARIABLE


def test_agrees_on_names_that_both_images_share() -> None:
    shared = {name for name in vars(training) if name.isupper()} & {name for name in vars(inference) if name.isupper()}

    assert {"CLASSIFIER_FILE", "WEIGHTS_FILE", "CLASSIFIER_FORMAT", "CLASSIFIER_VERSION"} <= shared
    for name in shared:
        assert getattr(training, name) == getattr(inference, name)
