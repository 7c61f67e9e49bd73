"""No page says anything that no catalogue can translate."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.template.base import Lexer, TokenType

from refusals import FILES

ROOT = Path(__file__).resolve().parents[2]
# Names and notations that are the same in every language.
SAME = {
    "Ventra", "PDF", "CSV", "API", "Grad-CAM", "LIME", "SHA-256", "W/L", "s", "mm", "bit", "MiB", "j", "k",
    "a", "Enter", "v", "g", "l", "h", "x", "narrow",
    "DICOM, NIfTI (.nii, .nii.gz), PNG, JPEG, TIFF, BMP, MP4, AVI, MPEG, GIF, ZIP",
    "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
}  # fmt: skip
SAID_ALOUD = {"title", "aria-label", "placeholder", "alt", "label"}
DEVELOPERS = {"page.js", "shortcuts.js", "pane.js"}
"""Errors that only a developer reads."""


def test_no_template_carries_unmarked_words():
    files = sorted((ROOT / "templates").rglob("*.html"))
    assert files
    assert [found for file in files for found in unmarked(file)] == []


def test_an_unmarked_word_in_a_template_would_be_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '{% load i18n %}\n<p title="Shown">{% translate "Marked" %}</p>\n'
        "{% blocktranslate %}Marked too{% endblocktranslate %}\n<p>Forgotten {{ name }}</p>"
    )
    assert list(unmarked(page)) == ["page.html:2: Shown", "page.html:4: Forgotten"]


def test_nothing_that_a_program_reads_is_translated():
    """A value, a class or an id in German would be another value."""
    machine = re.compile(r'([\w-]+)="{% (?:block)?translate')
    found = [
        f"{file.name}: {name}"
        for file in sorted((ROOT / "templates").rglob("*.html"))
        for name in machine.findall(file.read_text())
        if name not in SAID_ALOUD
    ]
    assert found == []


def test_no_script_says_unmarked_words():
    files = [file for file in sorted((ROOT / "static" / "js").rglob("*.js")) if file.name not in DEVELOPERS]
    assert [found for file in files for found in unmarked_in_script(file.read_text(), file.name)] == []


def test_an_unmarked_word_in_a_script_would_be_found():
    script = "button.textContent = `Look here`;\nbutton.title = inWords(`Marked here`);\nsay('one_code');"
    assert list(unmarked_in_script(script, "a.js")) == ["a.js:1: Look here"]


# Where Python speaks to people: what is raised for them, laid into a form, or put on the page as a message.
SPOKEN_BY = {"PermissionDenied", "AuthenticationFailed", "Refusal"}
SPOKEN_AS = {"label", "help_text", "error_messages", "empty_label", "verbose_name", "verbose_name_plural"}
MESSAGES = {"info", "success", "warning", "error", "add_error"}
COMMAND_LINE = (
    "inference/training", "inference/engine", "inference/phantom", "cases/demo.py", "cases/seeding.py",
    "platform/config/backups",
)  # fmt: skip
"""Stays English, as the documents do."""


def test_no_sentence_for_people_is_unmarked_in_python():
    found = [
        line
        for room in ("cases", "inference", "platform")
        for file in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in file.parts and "commands" not in file.parts
        for line in unmarked_in_python(file)
    ]
    assert found == []


def unmarked(file: Path) -> Iterator[str]:
    """What stands in a template outside every mark: one line for each text or attribute."""
    kept, depth = [], 0
    for token in Lexer(file.read_text()).tokenize():
        words = token.split_contents() if token.token_type == TokenType.BLOCK else []
        if words and words[0] in {"blocktranslate", "endblocktranslate"}:
            depth += 1 if words[0] == "blocktranslate" else -1
        lines = "\n" * token.contents.count("\n")
        kept.append(token.contents if token.token_type == TokenType.TEXT and not depth else lines)
    reader = _Reader()
    reader.feed("".join(kept))
    for line, text in reader.found:
        if text not in SAME and any(letter.isalpha() for letter in text):
            yield f"{file.name}:{line}: {text}"


class _Reader(HTMLParser):
    """Texts, and attributes that a person sees or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self.silent = ""

    def handle_starttag(self, tag, attrs):
        if tag in {"script", "style", "code"}:
            self.silent = tag
        for name, value in attrs:
            if name in SAID_ALOUD and value:
                self.found.append((self.getpos()[0], value.strip()))

    def handle_endtag(self, tag):
        if tag == self.silent:
            self.silent = ""

    def handle_data(self, data):
        if self.silent:
            return
        line = self.getpos()[0]
        for offset, text in enumerate(data.split("\n")):
            words = text.strip() if text.strip() in SAME else re.sub(r"[\W\d_]*$|^[\W\d_]*", "", text)
            if words:
                self.found.append((line + offset, words))


def unmarked_in_script(content: str, name: str) -> Iterator[str]:
    """Strings of two words or more that no inWords(...) says."""
    bare = re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), content, flags=re.DOTALL)
    bare = re.sub(r"(^|\s)//[^\n]*", r"\1", bare)
    bare = re.sub(r"""inWords\(\s*(`[^`]*`|"[^"]*"|'[^']*')""", "inWords(", bare)
    for match in re.finditer(r"""`((?:[^`\\]|\\.)*)`|"([^"\n]*)"|'([^'\n]*)'""", bare):
        text = re.sub(r"\$\{.*?\}", " ", next(group for group in match.groups() if group is not None))
        if re.search(r"[A-Za-z]{2,} [a-z]{2,}", text) and not re.match(r"[#.]|input|image/", text):
            yield f"{name}:{bare[: match.start()].count(chr(10)) + 1}: {text.strip()}"


def unmarked_in_python(file: Path) -> Iterator[str]:
    """Sentences that a call or a keyword shows to people, and that no gettext surrounds."""
    path = file.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
        if ast.unparse(node.func).startswith("logger."):
            continue
        shown = [argument for argument in node.args if name in SPOKEN_BY | MESSAGES]
        if name == "Refusal" and (path.startswith("inference") or ast.literal_eval(node.args[0]) in FILES):
            continue  # kept in English, and found by language.collect
        if "forms." in ast.unparse(node.func):
            shown += [keyword.value for keyword in node.keywords if keyword.arg in SPOKEN_AS]
        if name == "ValidationError":
            shown += node.args[:1]
        for expression in shown:
            if _bare(expression) and not path.startswith(COMMAND_LINE):
                yield f"{path}:{node.lineno}: {ast.unparse(expression)}"


def _bare(expression: ast.expr) -> bool:
    """A literal or an f-string with words in it."""
    if isinstance(expression, ast.Constant):
        return isinstance(expression.value, str) and " " in expression.value
    if isinstance(expression, ast.Dict):
        return any(_bare(value) for value in expression.values)
    return isinstance(expression, ast.JoinedStr) and bool(
        re.search("[a-z]{2} [a-z]{2}", ast.unparse(expression))
    )


def test_dates_are_written_as_the_language_writes_them():
    pages = (file.relative_to(ROOT) for file in sorted((ROOT / "templates").rglob("*.html")))
    assert [str(page) for page in pages if 'date:"Y-' in (ROOT / page).read_text()] == []
