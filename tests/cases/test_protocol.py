"""The rules for advice: readable, checked, and ranked by what an acquisition is expected to bring."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cases.advice.checks import AnswerFacts, ScanFacts, WidthFacts, completeness, scan_risks, width_risks
from cases.advice.findings import FINDINGS, Finding
from cases.advice.rank import STOPS, advise
from cases.advice.rulebook import SHIPPED, BadRules, parsed, rulebook
from cases.advice.values import Values, band_of, entropy, values
from inference.engine.quality import CHECKS

ROOT = Path(__file__).parents[2]
TABLE = Values(
    {
        "ultrasound": {
            "repeat_plane": {"doubt": {"any": (0.1, 9), "unsure": (0.4, 9), "sure": (0.01, 9)}},
            "mend_plane": {"blur": {"any": (0.3, 9), "unsure": (0.3, 9), "sure": (0.001, 9)}},
        }
    },
    "0" * 64,
)
BLURRED = Finding("blur", 0.9, "ultrasound", "picture 1.0", scan=1, frame=0)
DOUBTFUL = Finding("doubt", 0.4, "ultrasound", "risk 1.0", scan=1, is_telling=True)
NO_SCALE = Finding("no_spacing", 1.0, "ultrasound", "completeness 1.0", scan=1)


def said() -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load(SHIPPED.read_text()))


def test_every_rule_cites_its_source_or_calls_itself_a_local_setting():
    found = rulebook()
    assert found.rules
    assert all(rule.source and rule.action.source for rule in found.rules)


def test_every_check_of_a_picture_has_a_rule_and_every_finding_has_words():
    found = rulebook()
    for modality, checks in CHECKS.items():
        for name in checks:
            assert found.of(name, modality), (modality, name)
    assert {rule.finding for rule in found.rules} <= FINDINGS.keys()


def test_the_shipped_table_knows_every_repetition_of_both_modalities():
    assert set(values().cells["ultrasound"]) == {"repeat_plane", "mend_plane"}
    assert set(values().cells["mri"]) == {"repeat_stack", "mend_stack"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: r["rules"][0].update(finding="mood"), "no checker finds 'mood'"),
        (lambda r: r["rules"][0].update(action="wait"), "there is no action 'wait'"),
        (lambda r: r["rules"][0].update(source=" "), "say where this comes from"),
        (lambda r: r["rules"][0].update({"from": "much"}), "must be a number"),
        (lambda r: r["rules"][0].update({"from": True}), "from of us-blur must be a number"),
        (lambda r: r["actions"][0].update(seconds=True), "seconds of repeat_plane must be a number"),
        (lambda r: r.update(floor_bits=True), "floor_bits must be a number"),
        (lambda r: r.update(budget_seconds=True), "budget_seconds must be a number"),
        (lambda r: r.update(most_advice=True), "most_advice must be a number"),
        (lambda r: r.update(most_advice=2.5), "most_advice must be a whole number"),
        (lambda r: r["rules"][0].update(must="no"), "must of us-blur is true or false, not 'no'"),
        (lambda r: r["rules"][0].update(must=1), "must of us-blur is true or false, not 1"),
        (lambda r: r["rules"][0].update(modality="ct"), "ultrasound, mri or any"),
        (lambda r: r["rules"][0].pop("source"), "lacks: source"),
        (lambda r: r["rules"][0].update(form=1), "unknown words: form"),
        (lambda r: r["rules"][1].update(id=r["rules"][0]["id"]), "same id"),
        (lambda r: r.update(most_advice=4), "from 1 to 3"),
        (lambda r: r.update(rules=[]), "at least one entry"),
        (lambda r: r.pop("version"), "lacks: version"),
    ],
)
def test_a_mistake_in_the_rules_is_named(change, sentence):
    rules = said()
    change(rules)
    with pytest.raises(BadRules, match=sentence):
        parsed(rules, "")


def test_rules_that_are_no_yaml_or_are_not_there_are_refused(tmp_path):
    (tmp_path / "rules.yaml").write_text("a: [")
    for path in (tmp_path / "rules.yaml", tmp_path / "none.yaml"):
        with pytest.raises(BadRules, match=str(path)):
            rulebook(path)


def test_the_most_bits_for_a_second_come_first_and_musts_before_all():
    counsel = advise([BLURRED, DOUBTFUL, NO_SCALE], rulebook(), TABLE, probability=0.5)
    assert [one.action.id for one in counsel.suggestions] == [
        "export_with_scale",
        "repeat_plane",
        "mend_plane",
    ]
    assert counsel.suggestions[1].bits == 0.4


def test_what_is_expected_to_bring_next_to_nothing_is_not_advised():
    assert advise([BLURRED], rulebook(), TABLE, probability=0.99).stop == "nothing_helps"
    counsel = advise([BLURRED, DOUBTFUL], rulebook(), TABLE, probability=0.99)
    assert (counsel.suggestions, counsel.stop) == ((), "refer")


def test_without_an_answer_the_mean_over_all_answers_is_promised():
    assert advise([BLURRED], rulebook(), TABLE).suggestions[0].bits == 0.3


def test_what_was_answered_is_not_asked_for_again():
    counsel = advise([BLURRED], rulebook(), TABLE, settled=[("mend_plane", 1)])
    assert (counsel.suggestions, counsel.stop) == ((), "nothing_helps")


def test_when_the_time_is_spent_nothing_more_is_advised():
    counsel = advise([BLURRED], rulebook(), TABLE, spent_seconds=rulebook().budget_seconds)
    assert (counsel.suggestions, counsel.stop) == ((), "time_spent")
    assert STOPS[counsel.stop]


def test_nothing_beyond_a_limit_calls_for_nothing():
    quiet = [Finding("blur", 0.1, "ultrasound", "picture 1.0", scan=1)]
    assert advise(quiet, rulebook(), TABLE).stop == "nothing_helps"


def test_never_more_than_three():
    many = [Finding("no_spacing", 1.0, "ultrasound", "completeness 1.0", scan=n) for n in range(1, 6)]
    assert len(advise(many, rulebook(), TABLE).suggestions) == 3


def mri(number: int, plane: str, spacing: float | None = 3.0, thickness: float | None = 3.0) -> ScanFacts:
    return ScanFacts(number, "mri", plane, False, (1.0, 1.0), spacing, thickness)


def names(findings: list[Finding]) -> dict[str, float]:
    return {one.name: one.value for one in findings}


def test_three_orthogonal_series_are_complete_and_two_are_not():
    all_three = [mri(n, plane) for n, plane in enumerate(("axial", "coronal", "sagittal"), 1)]
    assert "planes_missing" not in names(completeness(all_three, [])[0])
    two = completeness(all_three[:2], [])[0]
    missing = next(one for one in two if one.name == "planes_missing")
    assert (missing.value, missing.detail) == (1.0, "missing: sagittal")


def test_a_nearly_cubic_volume_can_be_cut_in_every_plane():
    cubic = ScanFacts(1, "mri", "axial", True, (0.8, 0.8), 0.8, None)
    assert "planes_missing" not in names(completeness([cubic], [])[0])


def test_a_series_that_states_no_plane_or_thickness_is_not_assessable():
    found, unknown = completeness([mri(1, "", None, None)], [])
    assert names(found) == {}
    assert {(one.name, one.scan) for one in unknown} == {("planes_missing", None), ("thick_slices", 1)}


def test_gaps_and_thick_slices_are_measured_in_mm():
    found = names(completeness([mri(1, "axial", spacing=6.0, thickness=5.0)], [])[0])
    assert (found["thick_slices"], found["slice_gap"]) == (5.0, 1.0)


def test_a_coronal_stack_seen_axially_is_as_thick_as_it_was_acquired():
    turned = ScanFacts(1, "mri", "axial", True, (5.0, 0.8), 0.8, None)
    found = names(completeness([turned], [])[0])
    assert found["thick_slices"] == 5.0
    assert "planes_missing" in found, "it cannot be cut in every plane"


def test_both_sides_and_every_landmark_are_asked_for_once_somebody_has_measured():
    scan = ScanFacts(1, "ultrasound", "axial", False, (0.5, 0.5), None, None)
    assert names(completeness([scan], [])[0]) == {}
    left = WidthFacts(1, "ultrasound", "left", ("cavum",))
    assert names(completeness([scan], [left])[0]) == {"sides_unmeasured": 1.0, "landmarks_missing": 1.0}
    right = WidthFacts(1, "ultrasound", "right", ())
    assert names(completeness([scan], [left, right])[0]) == {"landmarks_missing": 1.0}
    again = WidthFacts(1, "ultrasound", "left", ())
    assert names(completeness([scan], [left, right, again])[0]) == {}, "a better one makes up for it"
    assert names(completeness([scan], [right], {"left"})[0]) == {}, (
        "the other side is not seen, and why is said"
    )
    placed = WidthFacts(1, "mri", "left", ("perpendicular", "on_to_on"))
    assert names(completeness([scan], [placed, right])[0]) == {"placement_unconfirmed": 2.0}
    unsaid = WidthFacts(1, "ultrasound", "", ("cavum",))
    assert names(completeness([scan], [unsaid], {"left", "right"})[0]) == {"landmarks_missing": 1.0}
    assert names(completeness([scan], [unsaid, again, right])[0]) == {}


def answered(label: str = "normal", **more: Any) -> AnswerFacts:
    known = {"doubt": 0.1, "likelihood": 0.9, "is_combined": False, "reliable": (True,)}
    return AnswerFacts(label=label, analysable=True, refusal="", **(known | more))


def test_risks_of_an_answer_rest_on_what_the_models_said():
    calm = scan_risks(1, "mri", [answered(), answered()])
    assert names(list(calm)) == {
        "doubt": 0.1, "models_disagree": 0.0, "unfamiliar": pytest.approx(0.1), "unreliable_explanation": 0.0,
    }  # fmt: skip
    torn = list(
        scan_risks(1, "mri", [answered(), answered("ventriculomegaly", doubt=0.4, reliable=(False,))])
    )
    assert (names(torn)["models_disagree"], names(torn)["doubt"]) == (1.0, 0.4)
    assert all(one.is_telling for one in torn)


def test_a_scan_that_no_model_could_analyse_says_why():
    refused = AnswerFacts("", False, "No fetal head was found.", None, None, False, ())
    found = list(scan_risks(1, "mri", [refused]))
    assert [(one.name, one.detail) for one in found] == [("not_analysable", "No fetal head was found.")]


def test_a_width_near_ten_and_one_against_the_models_are_risks():
    found = names(list(width_risks("mri", is_grey=True, conflict="wide")))
    assert found == {"grey_zone": 1.0, "conflict": 1.0}


def test_entropy_is_a_bit_at_even_chances_and_nothing_when_sure():
    assert (entropy(0.5), entropy(0.0), entropy(1.0)) == (1.0, 0.0, 0.0)
    assert (band_of(None), band_of(0.5), band_of(0.999)) == ("any", "unsure", "sure")


def test_the_protocol_runs_without_django_settings():
    code = "from cases.advice import checks, rank, rulebook; rulebook.rulebook()"
    paths = f"{ROOT}:{ROOT / 'platform'}"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": paths}, cwd="/", check=True)
