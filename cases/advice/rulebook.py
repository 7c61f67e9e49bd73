"""The rules that a department can read and edit, checked before the first case is advised on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cases.advice.findings import FINDINGS
from digests import sha256_hex
from inference.formats.stack import MODALITIES

SHIPPED = Path(__file__).parent / "rules.yaml"
TOP_KEYS = {"version", "most_advice", "floor_bits", "budget_seconds", "actions", "rules", "translations"}
ACTION_KEYS = {"id", "says", "seconds", "source"}
RULE_KEYS = {"id", "finding", "modality", "from", "action", "must", "source"}


class BadRules(ValueError):
    """The rules cannot be used; the sentence says where."""


@dataclass(frozen=True)
class Action:
    """Something a technologist can do next. seconds: what it costs."""

    id: str
    says: str
    seconds: float
    source: str


@dataclass(frozen=True)
class Rule:
    """From which value of a finding on an action is worth considering.

    must: it comes before what is ranked by its value, as it is not about the models' answer.
    """

    id: str
    finding: str
    modality: str
    least: float
    action: Action
    must: bool
    source: str


@dataclass(frozen=True)
class Rulebook:
    """floor_bits: expected drop in entropy below which nothing is advised. sha256: of the file's bytes.

    translations: of each language, what its actions say and where its numbers come from.
    """

    version: str
    sha256: str
    most_advice: int
    floor_bits: float
    budget_seconds: float
    rules: tuple[Rule, ...]
    translations: Mapping[str, Mapping[str, str]]

    def in_words(self, sentence: str, language: str | None) -> str:
        """A sentence of this file in a language; as it is where the file does not know it."""
        return self.translations.get(language or "", {}).get(sentence, sentence)

    def of(self, finding: str, modality: str) -> list[Rule]:
        """The rules about a finding in scans of a modality."""
        return [rule for rule in self.rules if rule.finding == finding and rule.modality in {modality, "any"}]


@cache
def rulebook(path: Path = SHIPPED) -> Rulebook:
    """Read and check the rules. Raises BadRules."""
    try:
        content = path.read_bytes()
        said = yaml.safe_load(content)
    except (OSError, yaml.YAMLError) as fault:
        raise BadRules(f"{path}: {fault}") from fault
    return parsed(said, sha256_hex(content))


def parsed(said: Any, sha256: str) -> Rulebook:
    """The rules out of plain values. Raises BadRules."""
    _keys("The file", said, TOP_KEYS, optional={"translations"})
    actions = _actions(said["actions"])
    rules = tuple(_rule(one, actions) for one in _list("rules", said["rules"]))
    if len({rule.id for rule in rules}) < len(rules):
        raise BadRules("Two rules have the same id.")
    return Rulebook(
        version=str(said["version"]),
        sha256=sha256,
        most_advice=_whole("most_advice", said["most_advice"], 1, 3),
        floor_bits=_number("floor_bits", said["floor_bits"], 0, 1),
        budget_seconds=_number("budget_seconds", said["budget_seconds"], 1, 7200),
        rules=rules,
        translations=_translations(said.get("translations") or {}, _sentences(said)),
    )


def refuse_untranslated(rules: Rulebook, languages: Collection[str]) -> None:
    """Raises BadRules for an action that says nothing in one of these languages."""
    for language in languages:
        known = rules.translations.get(language, {})
        for action in sorted({rule.action.says for rule in rules.rules}):
            if action not in known:
                raise BadRules(f"translations, {language}: {action!r} is not translated.")


def _sentences(said: Any) -> set[str]:
    """What may be translated: the words of every action, and every source."""
    both = [*said["actions"], *said["rules"]]
    return {str(one["says"]) for one in said["actions"]} | {str(one["source"]) for one in both}


def _translations(said: Any, known: set[str]) -> Mapping[str, Mapping[str, str]]:
    if not isinstance(said, dict) or not all(isinstance(words, dict) for words in said.values()):
        raise BadRules("translations must be a list of languages, each with 'sentence: translation' lines.")
    for language, words in said.items():
        for sentence, translation in words.items():
            if sentence not in known:
                raise BadRules(f"translations, {language}: the file does not say {sentence!r}.")
            if not isinstance(translation, str) or not translation.strip():
                raise BadRules(f"translations, {language}: {sentence!r} has no translation.")
    return {str(language): dict(words) for language, words in said.items()}


def _actions(said: Any) -> Mapping[str, Action]:
    found = {}
    for one in _list("actions", said):
        _keys("An action", one, ACTION_KEYS)
        seconds = _number(f"seconds of {one['id']}", one["seconds"], 0, 3600)
        found[str(one["id"])] = Action(str(one["id"]), str(one["says"]), seconds, _source(one))
    return found


def _rule(said: Any, actions: Mapping[str, Action]) -> Rule:
    _keys("A rule", said, RULE_KEYS, optional={"must"})
    name = said["id"]
    if said["finding"] not in FINDINGS:
        raise BadRules(f"Rule {name}: no checker finds {said['finding']!r}. Known: {', '.join(FINDINGS)}.")
    if said["action"] not in actions:
        raise BadRules(f"Rule {name}: there is no action {said['action']!r}.")
    if said["modality"] not in {*MODALITIES, "any"}:
        raise BadRules(f"Rule {name}: modality is ultrasound, mri or any, not {said['modality']!r}.")
    return Rule(
        id=str(name),
        finding=said["finding"],
        modality=said["modality"],
        least=_number(f"from of {name}", said["from"], 0, 1000),
        action=actions[said["action"]],
        must=_truth(f"must of {name}", said.get("must", False)),
        source=_source(said),
    )


def _source(said: Mapping[str, Any]) -> str:
    source = str(said["source"] or "").strip()
    if not source:
        raise BadRules(f"{said['id']}: say where this comes from; a number of your own is a 'local setting'.")
    return source


def _keys(what: str, said: Any, wanted: set[str], optional: set[str] | None = None) -> None:
    if not isinstance(said, dict):
        raise BadRules(f"{what} must be a list of 'name: value' lines.")
    optional = optional or set()
    if missing := wanted - optional - said.keys():
        raise BadRules(f"{what} {said.get('id', '')} lacks: {', '.join(sorted(missing))}.")
    if unknown := said.keys() - wanted:
        raise BadRules(
            f"{what} {said.get('id', '')} has unknown words: {', '.join(map(str, sorted(unknown)))}."
        )


def _list(name: str, said: Any) -> list[Any]:
    if not isinstance(said, list) or not said:
        raise BadRules(f"{name} must be a list with at least one entry.")
    return said


def _truth(name: str, said: Any) -> bool:
    """What counts as true elsewhere, such as "no", is no answer to this."""
    if not isinstance(said, bool):
        raise BadRules(f"{name} is true or false, not {said!r}.")
    return said


def _whole(name: str, said: Any, low: int, high: int) -> int:
    found = _number(name, said, low, high)
    if not found.is_integer():
        raise BadRules(f"{name} must be a whole number, not {said!r}.")
    return int(found)


def _number(name: str, said: Any, low: float, high: float) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not low <= said <= high:
        raise BadRules(f"{name} must be a number from {low} to {high}, not {said!r}.")
    return float(said)
