"""Who is who in every test: Alice owns the case, Bob is in her department, Charlie is not."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import durations
import long
import migrated_database
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from accounts.models import Department, Membership, Role, User
from accounts.tokens import issue_token
from cases import intake, services
from cases.models import Case, ReadingRules, Scan
from inference.engine import catalogue
from inference.engine.explain.fast_lime import draft_cache
from inference.engine.fitness import fitness_of
from inference.jobs import loaded_models, worker
from inference.models import Job
from inference.phantom import render, sample_spec
from inference.registry import service as registry

PASSWORD = "correct horse battery staple"
PLAIN_HEADS = (10, 11, 12, 14, 15, 16, 18, 20, 21, 23, 24, 27, 28, 29)
"""Seeds of ultrasound phantoms that are heads to the input gate, under either label, by a wide margin."""


def pytest_addoption(parser) -> None:
    parser.addoption("--time-again", action="store_true", help="keep what each file takes (durations.json)")


def pytest_configure(config) -> None:
    if config.getoption("time_again") and "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(durations.TimeAgain())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items) -> None:
    """Beside each other, files of long tests begin first; one process keeps the order it was asked in."""
    long.leave_out(config, items)
    if "PYTEST_XDIST_WORKER" in os.environ:
        durations.longest_first(items)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """A folder of this run that is the same for all its test processes."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, django_db_blocker, shared_folder):
    """Test processes that run side by side migrate once, not each for itself."""
    if process := os.environ.get("PYTEST_XDIST_WORKER"):
        with django_db_blocker.unblock(), migrated_database.to_copy_from(shared_folder, process):
            yield
    else:
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let transactional tests flush: only TRUNCATE is allowed again, and only in the test database."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("audit_event", "audit_seal", "audit_rowform", "audit_rowdigest", "audit_rowseal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_truncate")


@pytest.fixture(scope="session", autouse=True)
def drafts(shared_folder) -> Path:
    """Drafts of networks are made once in a run, by whichever process needs one first."""
    folder = shared_folder / "drafts"
    folder.mkdir(exist_ok=True)
    draft_cache.keep_in(folder)
    return folder


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path, drafts) -> None:
    """Every test has its own blob store, plain static files and a cheap password hash."""
    blobs = {"BACKEND": "blobs.storage.DurableFileSystemStorage", "OPTIONS": {"location": tmp_path / "blobs"}}
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"blobs": blobs, "staticfiles": static}
    settings.WORK_ROOT = str(tmp_path / "work")
    Path(settings.WORK_ROOT).mkdir()
    (Path(settings.WORK_ROOT) / "drafts").symlink_to(drafts)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def environment(settings, tmp_path) -> dict[str, str]:
    """What a real worker needs to join this test: its database, its blobs, short leases."""
    database = connection.settings_dict
    host = f"?host={database['HOST']}" if database["HOST"].startswith("/") else ""
    where = "" if host else f"{database['HOST']}:{database['PORT'] or 5432}"
    login = database["USER"] + (f":{database['PASSWORD']}" if database["PASSWORD"] else "")
    return dict(os.environ) | {
        "DATABASE_URL": f"postgres://{login}@{where}/{database['NAME']}{host}",
        "BLOB_ROOT": str(tmp_path / "blobs"),
        "WORK_ROOT": settings.WORK_ROOT,
        "TRAINING_DATA_DIR": settings.TRAINING_DATA_DIR,
        "JOB_QUEUE": settings.JOB_QUEUE,
        "TRAINING_QUEUE": settings.TRAINING_QUEUE,
        "WEBHOOK_QUEUE": settings.WEBHOOK_QUEUE,
        "JOB_LEASE_SECONDS": "2",
        "JOB_SWEEP_SECONDS": "1",
    }


@pytest.fixture(scope="session")
def prepared_pictures(shared_folder) -> Path:
    """What trainings prepared, for all tests of all processes: a name there says what it came from."""
    folder = shared_folder / "prepared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def work_with_prepared_pictures(settings, prepared_pictures) -> None:
    """Trainings of this installation find there what earlier tests prepared."""
    (Path(settings.WORK_ROOT) / "prepared").symlink_to(prepared_pictures)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real scans; the test skips where there is none."""
    folder = os.environ.get("VENTRA_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("VENTRA_DATA_DIR names no folder of real scans")
    return Path(folder)


def source_of(data_dir: Path, name: str) -> Path:
    """One source in the folder of real scans; the test skips where it is not among them."""
    folder = data_dir / name
    if not folder.is_dir():
        pytest.skip(f"VENTRA_DATA_DIR holds no {name}")
    return folder


GUARDED = [
    "audit_event",
    "audit_seal",
    "audit_rowform",
    "audit_rowdigest",
    "audit_rowseal",
    "inference_prediction",
    "inference_explanation",
    "inference_repetition",
    "inference_modelversion",
    "inference_image",
    "cases_patient",
    "cases_birthdatecorrection",
    "cases_case",
    "cases_scan",
    "cases_read",
    "cases_confirmation",
    "cases_measurement",
    "cases_withdrawal",
    "cases_calibration",
    "cases_calibrationwithdrawal",
    "cases_atriumstatement",
    "cases_scanfile",
    "cases_scanidentity",
    "cases_scanwithdrawal",
    "cases_signoff",
    "cases_addendum",
    "cases_advice",
    "cases_adviceanswer",
    "cases_followup",
    "inference_quality",
]


@pytest.fixture
def intruder(db) -> Callable[..., None]:
    """The database's owner, who takes triggers and foreign keys away: intruder(sql, parameters)."""

    def execute(sql: str, parameters: list | None = None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                """SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'
                   AND (conrelid = ANY(%s::regclass[]) OR confrelid = ANY(%s::regclass[]))""",
                [GUARDED, GUARDED],
            )
            for table, constraint in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')
            for table in GUARDED:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(sql, parameters)

    return execute


@pytest.fixture
def department(db) -> Department:
    """Its readers see answers at once: reading first has tests of its own."""
    found = Department.objects.create(name="Fetal medicine", slug="fetal-medicine")
    ReadingRules.objects.create(department=found, mode=ReadingRules.Mode.CONCURRENT)
    return found


@pytest.fixture
def other_department(db) -> Department:
    return Department.objects.create(name="Elsewhere", slug="elsewhere")


def member(name: str, department: Department, role: Role) -> User:
    user = User.objects.create_user(name, password=PASSWORD)
    Membership.objects.create(user=user, department=department, role=role)
    return user


@pytest.fixture
def alice(department) -> User:
    return member("alice", department, Role.READER)


@pytest.fixture
def bob(department) -> User:
    return member("bob", department, Role.SENIOR_READER)


@pytest.fixture
def charlie(other_department) -> User:
    return member("charlie", other_department, Role.READER)


@pytest.fixture
def auditor(department) -> User:
    return member("auditor", department, Role.AUDITOR)


@pytest.fixture
def manager(department) -> User:
    return member("manager", department, Role.MODEL_MANAGER)


@pytest.fixture
def administrator(department) -> User:
    user = member("administrator", department, Role.ADMINISTRATOR)
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()
    return user


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A browser in which the user is logged in."""

    def logged_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return logged_in


@pytest.fixture
def api() -> Callable[[User], Client]:
    """A program that holds a token of the user."""

    def with_token(user: User) -> Client:
        token = issue_token(user, lifetime=timedelta(hours=1))
        return Client(headers={"Authorization": f"Token {token}"})

    return with_token


@pytest.fixture
def case(alice, department) -> Case:
    """Alice's case, still without a scan."""
    case, _ = services.open_case(by=alice, department=department, patient_id="P-1", gestational_age_days=171)
    return case


@pytest.fixture(scope="session")
def phantom_png() -> Callable[..., bytes]:
    """A synthetic head as a PNG file: phantom_png(look, label, seed)."""

    def png(look: str = "ultrasound", label: str = "ventriculomegaly", seed: int = 1) -> bytes:
        if look == "ultrasound":
            seed = PLAIN_HEADS[seed % len(PLAIN_HEADS)]
        spec = sample_spec(np.random.default_rng(seed), label=label)
        return render(spec, look, seed=seed).png()

    return png


QUICK = {"cnn", "modified_cnn"}


def seat_shipped(networks: set[str]) -> None:
    """Register and activate the newest shipped version of each network for each modality.

    What meets the rule for use comes last: beside it nothing else could be put into use.
    """
    for one in sorted(catalogue.all_shipped(), key=lambda one: fitness_of(one.record).holds):
        if one.record.network in networks:
            version = registry.register(one.record, one.content, by=None)
            registry.activate(version, by=None, reason="shipped")


@pytest.fixture
def models(db) -> None:
    """The two small shipped networks, active: the large ones answer in the same way, only slowly."""
    seat_shipped(QUICK)


@pytest.fixture
def add_scan(models, phantom_png) -> Callable[..., Scan]:
    """Upload a phantom to a case as a person would: add_scan(case, by)."""

    def add(
        case: Case, by: User, *, look: str = "ultrasound", content: bytes | None = None, **kwargs
    ) -> Scan:
        file = ContentFile(content or phantom_png(look, **kwargs), name="scan.png")
        scan, _ = intake.receive(case, file, modality=look, by=by, file_name="scan.png")
        return scan

    return add


@pytest.fixture
def run_jobs() -> Iterator[Callable[..., None]]:
    """Do all work that is due in this process, as a worker's child would.

    run_jobs(lime=False) leaves the LIME jobs waiting: they come last and take seconds.
    """

    def run(*, lime: bool = True) -> None:
        due = Job.objects.filter(state=Job.State.QUEUED, not_before__lte=Now())
        if not lime:
            due = due.exclude(parameters__contains={"method": "lime"})
        while job := due.first():
            worker.work(job.pk)

    yield run
    loaded_models.forget_models()
