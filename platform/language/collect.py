"""Every sentence of the pages, found in the code: what a catalogue has to translate.

Three kinds. `marked`: whatever stands in gettext and its kin, in Python and in templates. `stored`: sentences
that are written into a row in English and translated when they are shown (language.stored); the science may
not know Django, so they are found by the calls in which they stand. `script`: what static/js says inWords().
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cases", "inference", "platform")
PLURAL = frozenset({"ngettext", "ngettext_lazy"})
MARKS = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop"})
# Which argument of a call is a sentence that is kept: by the name of what is called.
KEPT_ARGUMENTS = {
    "Refusal": 1, "NotAnalysable": 1, "CannotExplain": 0,
    "FrameChoice": 1, "NotAssessable": 1, "Repeated": 2, "heartbeat": 1, "tell": 0, "_misstated": 0,
    "retry": 2, "BlobCorrupt": 0, "BlobUnavailable": 0, "NotBound": 0,
}  # fmt: skip
KEPT_NAMES = frozenset(
    {
        "detail",
        "rule",
        "unit",
        "UNIT",
        "stage",
        "why",
        "FOREIGN",
        "WANTED",
        "ARCHIVE",
        "PICKLE",
        "UNREAD",
        "NO_PICTURES",
        "NO_PICTURE_MODALITIES",
        "NEEDS_RECORD",
    }
)
"""Names and keywords whose sentence is kept."""
KEPT_FUNCTIONS = frozenset({"_in_words", "fault"})
"""Whose answer is kept."""
KEPT_FILES = (
    "inference", "platform/blobs", "cases/intake.py", "cases/api/parsers.py", "cases/advice",
    "cases/advice/basis.py",
)  # fmt: skip
FEWEST_LETTERS = 4
"""A sentence of values alone would be found in anything."""
_LITERAL = r"""u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
_CODE = re.compile(r"[a-z]+([_.][a-z]+)+")
_IN_TEMPLATE = re.compile(rf"\b(n?gettext|_)\({_LITERAL}(?:, {_LITERAL}, count)?\)")
_IN_SCRIPT = re.compile(rf"\binWords\(\s*{_LITERAL}")


@dataclass
class Found:
    """Sentences, each with the files it stands in. plurals: singular and plural."""

    marked: dict[str, set[str]] = field(default_factory=dict)
    plurals: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    stored: dict[str, set[str]] = field(default_factory=dict)
    script: dict[str, set[str]] = field(default_factory=dict)

    def everything(self) -> dict[str, set[str]]:
        """Every sentence without plural, whatever its kind."""
        merged: dict[str, set[str]] = {}
        for kind in (self.marked, self.stored, self.script):
            for text, files in kind.items():
                merged.setdefault(text, set()).update(files)
        return merged

    def as_text(self) -> str:
        """What language.stored reads when a page is shown, as JSON."""
        kinds = {"script": sorted(self.script), "stored": sorted(self.stored)}
        return json.dumps(kinds, indent=1, ensure_ascii=False) + "\n"


def collect(root: Path = ROOT) -> Found:
    """Read all code, templates and scripts below the root."""
    found = Found()
    for path in _files(root, "*.py", ROOMS):
        _python(path.read_text(), path.relative_to(root).as_posix(), found)
    for path in _files(root, "*.html", ("templates",)):
        _template(path.read_text(), path.relative_to(root).as_posix(), found)
    for path in _files(root, "*.js", ("static/js",)):
        for match in _IN_SCRIPT.finditer(path.read_text()):
            _add(found.script, ast.literal_eval(match[1]), path.relative_to(root).as_posix())
    _card_targets(root, found)
    return found


def _files(root: Path, pattern: str, folders: Iterable[str]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((root / folder).rglob(pattern)):
            if "migrations" not in path.parts:
                yield path


def _add(place: dict[Any, set[str]], text: Any, file: str) -> None:
    place.setdefault(text, set()).add(file)


def _template(content: str, file: str, found: Found) -> None:
    for match in _IN_TEMPLATE.finditer(templatize(content, origin=file)):
        text = ast.literal_eval(match[2])
        if match[3]:
            _add(found.plurals, (text, ast.literal_eval(match[3])), file)
        else:
            _add(found.marked, text, file)


def _python(content: str, file: str, found: Found) -> None:
    is_kept = file.startswith(KEPT_FILES)
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Call):
            _marked(node, file, found)
        if is_kept:
            for expression in _kept(node):
                for text in _sentences(expression):
                    if not _CODE.fullmatch(text):
                        _add(found.stored, text, file)


def _marked(call: ast.Call, file: str, found: Found) -> None:
    name = _name(call.func)
    if name in PLURAL:
        _add(found.plurals, tuple(_literal(argument) for argument in call.args[:2]), file)
    elif name in MARKS or (name == "say" and isinstance(call.func, ast.Attribute)):
        for text in _sentences(call.args[0]) if call.args else ():
            _add(found.marked, text, file)
            if name == "gettext_noop":
                _add(found.stored, text, file)


def _kept(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions of a node that hold a sentence to be kept."""
    if isinstance(node, ast.Call):
        place = KEPT_ARGUMENTS.get(_name(node.func))
        if place is not None and len(node.args) > place:
            yield node.args[place]
        yield from (keyword.value for keyword in node.keywords if keyword.arg in KEPT_NAMES)
    if isinstance(node, ast.Assign) and any(_name(target) in KEPT_NAMES for target in node.targets):
        yield node.value
    if isinstance(node, ast.AnnAssign) and _name(node.target) in KEPT_NAMES and node.value:
        yield node.value
    if isinstance(node, ast.FunctionDef) and node.name in KEPT_FUNCTIONS:
        yield from (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value)


def _sentences(expression: ast.expr) -> Iterator[str]:
    """Literals and f-strings, also those in a choice or a table; anything else holds none."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        text, own = expression.value, expression.value
    elif isinstance(expression, ast.JoinedStr):
        text = _with_places(expression)
        own = re.sub(r"{\w+}", "", text)
    else:
        for part in _parts(expression):
            yield from _sentences(part)
        return
    if sum(character.isalpha() for character in own) >= (1 if text == own else FEWEST_LETTERS):
        yield text


def _parts(expression: ast.expr) -> list[ast.expr]:
    match expression:
        case ast.IfExp():
            return [expression.body, expression.orelse]
        case ast.BoolOp() | ast.Dict():
            return list(expression.values)
        case ast.Tuple():
            return list(expression.elts)
        case ast.Subscript():
            return [expression.value]
    return []


def _with_places(expression: ast.JoinedStr) -> str:
    """An f-string as a sentence with named places: f"{len(frames)} frames" is "{frames} frames"."""
    parts, taken = [], set()
    for value in expression.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value))
            continue
        names = [inner for inner in ast.walk(value) if isinstance(inner, ast.Name | ast.Attribute)]
        name = next(
            (_name(inner).lower() for inner in names if _name(inner) not in {"len", "max", "str"}), "value"
        )
        while name in taken:
            name += "_2"
        taken.add(name)
        parts.append(f"{{{name}}}")
    return "".join(parts)


def _literal(expression: ast.expr) -> str:
    return str(ast.literal_eval(expression))


def _name(node: ast.AST) -> str:
    return getattr(node, "id", "") or getattr(node, "attr", "")


def _card_targets(root: Path, found: Found) -> None:
    """What the thresholds of the shipped versions were chosen for."""
    for path in sorted((root / "inference" / "engine").glob("shipped*/*.json")):
        record = json.loads(path.read_text())
        if "threshold_target" in record:
            _add(found.stored, record["threshold_target"], path.relative_to(root).as_posix())
