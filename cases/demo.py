"""A demo that runs through the real intake and the real queue. Everything in it says so."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.core.files.base import ContentFile
from django.db import transaction

from accounts import installation
from accounts.installation import PUBLISHED_PASSWORD
from accounts.models import Department, Membership, Role, User
from cases import intake, services
from cases.models import Case
from inference.engine.records import Label
from inference.formats.stack import Modality
from inference.phantom import Phantom, render, sample_spec, volume
from refusals import Refusal

ACCOUNTS = {
    "reader": Role.READER,
    "senior": Role.SENIOR_READER,
    "models": Role.MODEL_MANAGER,
    "auditor": Role.AUDITOR,
    "admin": Role.ADMINISTRATOR,
}


_LOOK: dict[Modality, str] = {"ultrasound": "ultrasound", "mri": "MRI"}


@dataclass(frozen=True)
class DemoHead:
    """One synthetic fetus of the demo."""

    look: Modality
    label: Label
    weeks: int
    seed: int
    is_volume: bool = False


HEADS = (
    DemoHead("ultrasound", "normal", 22, 11),
    DemoHead("ultrasound", "ventriculomegaly", 26, 12),
    DemoHead("ultrasound", "ventriculomegaly", 31, 13),
    DemoHead("mri", "normal", 24, 14),
    DemoHead("mri", "ventriculomegaly", 28, 15),
    DemoHead("mri", "ventriculomegaly", 25, 16, is_volume=True),
)


@transaction.atomic
def people() -> Department:
    """The demo department; with one account for each role the first time, and never again.

    Whoever renames, closes or deletes one of them has done so for good. Raises not_the_demo.
    """
    if not installation.decide(own=False):
        raise Refusal(
            "not_the_demo", "This installation is one of somebody's own: the demo does not come here."
        )
    department, made = Department.objects.get_or_create(
        slug="demo", defaults={"name": "Demo department (synthetic)", "is_demo": True}
    )
    for name, role in ACCOUNTS.items() if made else ():
        is_admin = role == Role.ADMINISTRATOR
        user = User(username=name, first_name="Demo", last_name=role.label.lower())
        user.is_staff = user.is_superuser = is_admin
        user.set_password(PUBLISHED_PASSWORD)
        user.save()
        Membership.objects.create(user=user, department=department, role=role)
    return department


NOBODY = "Demonstration data: no real patient, whoever the file names."
"""Why a public file is taken that names another patient than the case that was made for it."""


def phantom_cases(department: Department) -> None:
    """One case for each synthetic head, unless it is there already."""
    reader = reader_of(department)
    if reader is None:
        return
    for head in HEADS:
        case, created = opened(reader, department, f"DEMO-{head.seed:03d}", head.weeks * 7, _question(head))
        if created:
            content, name = _file(head)
            _add(case, content, modality=head.look, name=name)


def picture_cases(department: Department, folder: Path) -> list[str]:
    """One case for each group of a labels.csv; returns a sentence for each file not read.

    labels.csv has the columns file, label and group. Pictures under a folder or name that
    says MRI, and NIfTI volumes, are taken as MRI; all others as ultrasound.
    """
    problems: list[str] = []
    reader = reader_of(department)
    if reader is None:
        return ["There is no reader in the demo any more who could add them."]
    for group, files in _groups(folder):
        case, created = opened(reader, department, f"PUBLIC-{group}"[:64], None, "Public research picture.")
        for file in files if created else []:
            try:
                _add(case, file.read_bytes(), modality=_modality(file), name=file.name)
            except (Refusal, FileNotFoundError) as refusal:
                problems.append(f"{file.name}: {refusal}")
    return problems


def login_table() -> str:
    """How to log in, for the terminal: whoever still has the demo's password."""
    rows = [
        f"  {user.get_username():<10}{PUBLISHED_PASSWORD:<20}{Role(role).label}"
        for user in installation.with_published_password()
        for role in user.memberships.values_list("role", flat=True)
    ]
    if not rows:
        return "The demo's accounts have passwords of their own by now."
    return "\n".join(["Demo accounts (user, password, role):", *rows])


def reader_of(department: Department) -> User | None:
    """A reader of the demo, whatever they are called by now."""
    readers = User.objects.filter(
        memberships__department=department, memberships__role=Role.READER, is_active=True
    )
    return readers.order_by("pk").first()


def opened(
    reader: User, department: Department, patient_id: str, age: int | None, question: str
) -> tuple[Case, bool]:
    """A case of the demo: (case, opened now)."""
    known = Case.objects.filter(department=department, patient__patient_id=patient_id).first()
    if known:
        return known, False
    return services.open_case(
        by=reader,
        department=department,
        patient_id=patient_id,
        gestational_age_days=age,
        question=question,
        is_demo=True,
    )


def _add(case: Case, content: bytes, *, modality: Modality, name: str) -> None:
    by = case.opened_by
    intake.receive(
        case, ContentFile(content), modality=modality, by=by, file_name=name, mismatch_reason=NOBODY
    )


def _question(head: DemoHead) -> str:
    kind = "volume" if head.is_volume else "picture"
    return f"Synthetic {_LOOK[head.look]} {kind} (phantom, seed {head.seed}). Are the ventricles wide?"


def _file(head: DemoHead) -> tuple[bytes, str]:
    spec = sample_spec(
        np.random.default_rng(head.seed), label=head.label, gestational_age_days=head.weeks * 7
    )
    if head.is_volume:
        return volume(spec, seed=head.seed).nifti(), f"phantom-{head.seed}.nii.gz"
    phantom: Phantom = render(spec, head.look, seed=head.seed)
    return phantom.png(), f"phantom-{head.seed}.png"


def _groups(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    groups: dict[str, list[Path]] = {}
    with (folder / "labels.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            groups.setdefault(row["group"], []).append(folder / row["file"])
    yield from groups.items()


def _modality(file: Path) -> Modality:
    return "mri" if ".nii" in file.name or "mri" in str(file.parent).lower() else "ultrasound"
