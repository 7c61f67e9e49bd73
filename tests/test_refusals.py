"""One way of saying no: every code that is said stands in the one table, and none stands there for nobody."""

import ast
import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from refusals import CODES, Refusal

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("cases", "inference", "platform")


def test_every_code_that_is_said_stands_in_the_table_and_every_code_of_the_table_is_said():
    said = set(_said())
    assert said - CODES.keys() == set()
    assert {code for code in CODES if code not in said} == _in_tables()


def test_a_code_that_nobody_knows_is_a_fault_of_ours():
    with pytest.raises(ValueError, match="unknown refusal: because"):
        Refusal("because", "There is none.")


def test_a_refusal_comes_back_whole_from_another_process():
    sent = Refusal(
        "patient_mismatch", "Another patient.", ["Look again."], mismatch=["PatientID"], field="why"
    )
    back = copy.deepcopy(sent)  # as it is sent
    assert (back.code, back.detail, str(back)) == (sent.code, sent.detail, "Another patient. Look again.")
    assert (back.named, back.field, back.status) == ({"mismatch": ["PatientID"]}, "why", 422)


def test_nothing_else_is_raised_to_say_no():
    """A class of its own for each room's no was ten classes that every door had to know."""
    bases = {
        ast.unparse(base)
        for tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    }
    assert "Refusal" not in bases


def _said() -> Iterator[str]:
    for tree in _trees():
        for node in ast.walk(tree):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal"
            if named and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def _in_tables() -> set[str]:
    """Said by a code that stands beside its sentence in a table."""
    return {"not_safetensors", "pickle_refused"}


def _trees() -> Iterator[ast.Module]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            yield ast.parse(file.read_text())
