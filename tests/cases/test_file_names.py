"""Names of files as old programs send them: shown as they were meant, whatever they were written in."""

import pytest

pytestmark = pytest.mark.django_db
BOUNDARY = b"0123456789abcdef"


def body_of(name: bytes, content: bytes) -> bytes:
    """A form as a program writes it that knows no Unicode."""
    parts = (
        (b'Content-Disposition: form-data; name="modality"', b"ultrasound"),
        (b'Content-Disposition: form-data; name="scans"; filename="' + name + b'"', content),
    )
    written = b"".join(
        b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + value + b"\r\n" for head, value in parts
    )
    return written + b"--" + BOUNDARY + b"--\r\n"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Müller, Käthe.png".encode(), "Müller, Käthe.png"),
        ("Müller, Käthe.png".encode("latin-1"), "Müller, Käthe.png"),
        ("Bänder Ø 3.png".encode("latin-1"), "Bänder Ø 3.png"),
        ("Schädel – axial.png".encode("cp1252"), "Schädel – axial.png"),
        ("頭部エコー.png".encode("cp932"), "頭部エコー.png"),
        ("表.png".encode("cp932"), "表.png"),
    ],
    ids=["UTF-8", "Latin-1", "Latin-1 before letters", "Windows", "Shift-JIS", "Shift-JIS with a backslash"],
)
def test_a_name_in_no_unicode_is_repaired(case, client_of, alice, phantom_png, raw, shown):
    response = client_of(alice).post(
        f"/cases/{case.pk}/scans/",
        data=body_of(raw, phantom_png()),
        content_type=f"multipart/form-data; boundary={BOUNDARY.decode()}",
        headers={"Accept": "application/json"},
    )
    assert response.status_code == 201, response.content
    assert case.scans.get().file_name == shown


def test_a_file_that_looks_like_the_form_arrives_as_it_is(case, client_of, alice):
    content = b"GIF8" + b"--" + BOUNDARY[:-1] + b"\r\n\r\n" + bytes(range(256)) * 600
    response = client_of(alice).post(
        f"/cases/{case.pk}/scans/",
        data=body_of("k\xe4.png".encode("latin-1"), content),
        content_type=f"multipart/form-data; boundary={BOUNDARY.decode()}",
        headers={"Accept": "application/json"},
    )
    assert response.json()["outcomes"][0]["code"] == "unsupported_type"
