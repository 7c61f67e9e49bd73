"""The German catalogue is whole, and the compiled one is the same."""

import json
import re
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils import translation

from cases.advice.rulebook import SHIPPED, BadRules, parsed, refuse_untranslated
from cases.advice.service import rules
from cases.models import AdviceAnswer, AtriumStatement, Read, ScanWithdrawal
from inference.models import Image, Job
from language import stored
from language.collect import collect
from language.management.commands.messages import write_catalogue, write_messages

LOCALE = Path(settings.LOCALE_PATHS[0])
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != stored.ENGLISH]
PLACE = re.compile(r"{\w+}|%\(\w+\)s")


@pytest.fixture(scope="module")
def found():
    return collect()


@pytest.fixture(params=LANGUAGES)
def catalogue(request) -> polib.POFile:
    return polib.pofile(str(LOCALE / request.param / "LC_MESSAGES" / "django.po"))


def test_every_sentence_of_pages_code_and_scripts_is_translated(found, catalogue):
    known = {entry.msgid for entry in catalogue if not entry.obsolete}
    wanted = set(found.everything()) | {one for one, _ in found.plurals}
    assert wanted - known == set(), "run manage.py messages"
    assert known - wanted == set(), "run manage.py messages"
    assert [entry.msgid for entry in catalogue if not entry.translated()] == []
    assert [entry.msgid for entry in catalogue if entry.fuzzy] == []


def test_a_translation_has_the_places_of_its_sentence(catalogue):
    for entry in catalogue:
        for form, translated in (entry.msgstr_plural or {0: entry.msgstr}).items():
            sentence = entry.msgid_plural if form else entry.msgid
            assert set(PLACE.findall(translated)) == set(PLACE.findall(sentence)), entry.msgid
            assert translated.count("<") == entry.msgid.count("<"), entry.msgid
            assert translated.strip() == translated, entry.msgid


def test_the_compiled_catalogue_is_the_one_that_people_read(catalogue):
    compiled = polib.mofile(str(Path(catalogue.fpath).with_suffix(".mo")))
    assert {e.msgid: (e.msgstr, e.msgstr_plural) for e in compiled} == {
        e.msgid: (e.msgstr, e.msgstr_plural) for e in catalogue
    }


def test_refreshing_the_catalogues_changes_nothing(found, tmp_path):
    for code in LANGUAGES:
        path = tmp_path / code / "LC_MESSAGES" / "django.po"
        path.parent.mkdir(parents=True)
        own = LOCALE / code / "LC_MESSAGES" / "django.po"
        path.write_text(own.read_text())
        assert write_catalogue(tmp_path, code, found) == 0
        assert path.read_text() == own.read_text()
        assert path.with_suffix(".mo").read_bytes() == own.with_suffix(".mo").read_bytes()
    write_messages(tmp_path, found)
    assert (tmp_path / "messages.json").read_text() == (LOCALE / "messages.json").read_text()


def test_stored_sentences_are_found_again_with_their_values():
    sentence = "The head is 151 mm long; no fetal head is longer than 130 mm."
    nested = "explaining, 320 of at most 512 masks, order 93% settled"
    with translation.override("de"):
        assert stored.said(sentence) == "Der Kopf ist 151 mm lang; kein fetaler Kopf ist länger als 130 mm."
        assert (
            stored.said(nested)
            == "wird berechnet, 320 von höchstens 512 Masken, Reihenfolge zu 93 % gefestigt"
        )
        assert stored.said("missing: coronal, sagittal") == "fehlend: koronar, sagittal"
        assert stored.said("Atrial width, left: 11.2 mm") == "Atriumweite, links: 11,2 mm"
        assert stored.said("") == ""
        assert stored.said("Something that a person typed.") == "Something that a person typed."
    with translation.override("en"):
        assert stored.said(sentence) == sentence


def test_every_stored_sentence_finds_itself():
    """Filled with a word, each is recognised as itself, or as one that says the same with other places."""
    with translation.override("de"):
        for text in json.loads((LOCALE / "messages.json").read_text())["stored"]:
            filled = PLACE.sub("7", text)
            assert stored.said(filled) == PLACE.sub("7", translation.gettext(text)), text


def test_every_choice_that_an_audit_line_keeps_is_found_again():
    """Kinds and findings are kept by their code, reasons by the English words of their choice."""
    codes = (Read.Kind, Read.Finding, AdviceAnswer.Outcome, Job.Kind, Image.Modality)
    kept = {str(value) for choices in codes for value in choices.values}
    with stored.english():
        why = {str(label) for label in ScanWithdrawal.Reason.labels}
        kept |= why | {str(label) for label in AtriumStatement.Reason.labels}
    assert kept - set(stored.collected()["stored"]) == set()
    with translation.override("de"):
        assert stored.said("Wrong file: of the other twin") == "Falsche Datei: of the other twin"
        assert [one for one in why if stored.said(f"{one}: typed").startswith(one)] == []


def test_the_shipped_rules_say_everything_in_every_language():
    book = rules()
    said = {rule.action.says for rule in book.rules} | {rule.action.source for rule in book.rules}
    said |= {rule.source for rule in book.rules}
    for code in LANGUAGES:
        assert said - set(book.translations[code]) == set()


def test_rules_without_a_translation_are_found_when_the_server_starts():
    import yaml

    content = yaml.safe_load(SHIPPED.read_text())
    del content["translations"]["de"]["Repeat the axial T2 stack"]
    with pytest.raises(BadRules, match="Repeat the axial T2 stack"):
        refuse_untranslated(parsed(content, "0"), LANGUAGES)
    content["translations"]["de"]["Repeat the axial T3 stack"] = "..."
    with pytest.raises(BadRules, match="T3"):
        parsed(content, "0")
    content["translations"] = {"de": {"local setting": ""}}
    with pytest.raises(BadRules, match="no translation"):
        parsed(content, "0")
    content["translations"] = ["de"]
    with pytest.raises(BadRules, match="list of languages"):
        parsed(content, "0")
