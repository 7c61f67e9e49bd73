"""What a newcomer finds: accounts, synthetic cases, and real pictures where a folder was named."""

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Membership, User
from cases.models import Case, Scan
from inference.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def pictures(tmp_path, phantom_png):
    """A folder as --data wants it: two pictures of one group, one of another, and one that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in (1, 2, 3):
        (folder / f"{seed}.png").write_bytes(phantom_png(seed=seed))
    (folder / "4.png").write_bytes(b"not a picture at all, only its name says so")
    rows = ["1.png,normal,a", "2.png,normal,a", "3.png,ventriculomegaly,b", "4.png,normal,b"]
    (folder / "labels.csv").write_text("\n".join(["file,label,group", *rows]) + "\n")
    return folder


def demo(**options) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("demo", stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_the_demo_is_plainly_synthetic_and_goes_through_the_real_queue(models):
    said, _ = demo()
    assert Case.objects.count() == Scan.objects.count() == 6
    assert all(case.is_demo and "Synthetic" in case.question for case in Case.objects.all())
    assert Job.objects.filter(state="queued").count() == 12
    for user in User.objects.all():
        assert user.username in said
    assert Membership.objects.values("role").distinct().count() == 5


def test_the_demo_can_be_repeated(models):
    demo()
    demo()
    assert Case.objects.count() == Scan.objects.count() == 6
    assert User.objects.count() == 5


def test_real_pictures_become_one_case_for_each_group(models, pictures):
    _, problems = demo(data=pictures)
    assert Case.objects.get(patient__patient_id="PUBLIC-a").scans.count() == 2
    assert Case.objects.get(patient__patient_id="PUBLIC-b").scans.count() == 1
    assert problems.startswith("4.png: ")
