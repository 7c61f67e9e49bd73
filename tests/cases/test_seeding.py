"""Many copies of one case, for measuring."""

import answers
import pytest
from django.core.management import CommandError, call_command

from cases.models import Case
from inference.models import Job, Prediction

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(case, alice, small_scan, tmp_path):
    answers.active_version(tmp_path)
    answers.answer(Job.objects.get(image=small_scan(case, alice).image))
    return case


def test_a_demonstration_case_is_copied_with_its_scan_and_answer(answered, department, alice, client_of):
    department.is_demo = True
    department.save()
    call_command("seed", answered.number, "1500", verbosity=0)
    assert Case.objects.count() == 1501
    assert Prediction.objects.count() == 1501
    assert Case.objects.filter(stage="to_read").count() == 2
    page = client_of(alice).get("/?stage=any").context["page"]
    assert len(page.lines) == 40
    assert page.lines[1].verdict == "Ventriculomegaly 0.75"
    copy = Case.objects.get(number="S000000000007")
    assert "Ventriculomegaly likely" in client_of(alice).get(copy.get_absolute_url()).content.decode()


def test_a_record_is_never_filled_with_copies(answered):
    with pytest.raises(CommandError, match="demonstration department"):
        call_command("seed", answered.number, "5")
    with pytest.raises(CommandError, match="There is no case"):
        call_command("seed", "2020-1", "5")
