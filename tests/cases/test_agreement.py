"""Do the models agree? Said in words, and a disagreement is not only a colour."""

import answers
import pytest

from cases import words
from inference.models import Job

P, N = "ventriculomegaly", "normal"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], ""),
        ([("cnn", P)], ""),
        ([("cnn", N), ("vgg16", N)], "2 of 2 models say normal."),
        ([("a", P), ("b", P), ("c", P)], "3 of 3 models say ventriculomegaly."),
        ([("a", P), ("b", N), ("c", N)], "2 of 3 models say normal: all but a."),
        ([("a", P), ("b", P), ("c", N)], "2 of 3 models say ventriculomegaly: all but c."),
        ([("a", P), ("b", N)], "1 of 2 models say ventriculomegaly: all but b."),
    ],
)
def test_agreement_in_words(said, expected):
    assert words.agreement(said) == expected


@pytest.mark.django_db
def test_the_case_page_says_whether_the_models_agree(case, alice, small_scan, tmp_path, client_of):
    answers.active_version(tmp_path)
    answers.active_version(tmp_path, network="vgg16")
    scan = small_scan(case, alice)
    for job in Job.objects.filter(image=scan.image):
        answers.answer(job)
    page = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert "2 of 2 models say ventriculomegaly." in page
