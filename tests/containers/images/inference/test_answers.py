import json

from containers.images.inference.answers import format_answer


def test_gives_all_probabilities_by_class_and_names_the_best_first() -> None:
    answer = json.loads(format_answer(["ant", "bee"], [0.125, 0.875]))

    assert answer == {
        "predictions": [
            {"label": "bee", "class": 1, "probability": 0.875},
            {"label": "ant", "class": 0, "probability": 0.125},
        ],
        "probabilities": [0.125, 0.875],
    }


def test_names_five_classes_at_most() -> None:
    answer = json.loads(format_answer([str(i) for i in range(9)], [i / 36 for i in range(9)]))

    assert [prediction["class"] for prediction in answer["predictions"]] == [8, 7, 6, 5, 4]
    assert len(answer["probabilities"]) == 9


def test_writes_no_more_digits_than_the_weights_have() -> None:
    assert format_answer(["ant"], [1 / 3]).endswith(b'"probabilities": [0.3333333]}')
