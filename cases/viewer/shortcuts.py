"""Which keys do what, on every page: the sheet behind "?" and the scripts both read this table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from cases.models import Scan
from cases.review.panel import ReviewPanel
from inference.results.planes import planes_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

CAPS = {
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "Escape": "Esc",
    "-": "−",
    "PageUp": _("page up"),
    "PageDown": _("page down"),
    "Space": _("space bar"),
}
"""What is printed on a key, where it is not what a browser calls it."""


@dataclass(frozen=True)
class Key:
    """action: a script's name for it. keys: as a browser calls them, or Space. held: while it is down."""

    action: str
    keys: tuple[str, ...]
    words: "Words"
    held: bool = False

    @property
    def sent(self) -> str:
        """What a script compares with."""
        return " ".join(self.keys)

    @property
    def caps(self) -> list[str]:
        """What to look for on the keyboard."""
        return [str(CAPS.get(key, key)) for key in self.keys]


@dataclass(frozen=True)
class Group:
    """Keys that work in the same place."""

    title: "Words"
    keys: tuple[Key, ...]


GROUPS = {
    "page": Group(_("Every page"), (Key("dialog", ("?",), _("Show or close this list")),)),
    "worklist": Group(
        _("Worklist"),
        (
            Key("next", ("j",), _("Next case; Enter opens it")),
            Key("previous", ("k",), _("Previous case")),
            Key("claim", ("a",), _("Claim the case, or release it")),
            Key("search", ("/",), _("Search")),
        ),
    ),
    "field": Group(_("In a field"), (Key("leave", ("Escape",), _("Leave the field")),)),
    "viewer": Group(
        _("Scan"),
        (
            Key("nearer", ("+",), _("Zoom in")),
            Key("farther", ("-",), _("Zoom out")),
            Key("invert", ("i",), _("Invert the greys")),
            Key("reset", ("0",), _("Window, zoom and place as at first")),
            Key("fullScreen", ("f",), _("The picture on the whole screen, and back")),
        ),
    ),
    "picture": Group(
        _("On the scan, when no tool measures"),
        (
            Key("narrower", ("ArrowLeft",), _("Narrower window")),
            Key("wider", ("ArrowRight",), _("Wider window")),
            Key("darker", ("ArrowUp",), _("Higher level: darker")),
            Key("brighter", ("ArrowDown",), _("Lower level: brighter")),
        ),
    ),
    "frames": Group(
        _("Frames"),
        (Key("back", ("[",), _("Previous frame")), Key("forward", ("]",), _("Next frame"))),
    ),
    "volume": Group(
        _("A volume"),
        (Key("planes", ("t",), _("Three planes: a click moves the place that all of them show")),),
    ),
    "cut": Group(
        _("On the second and third plane"),
        (
            Key("up", ("ArrowUp",), _("The place one pixel up")),
            Key("down", ("ArrowDown",), _("The place one pixel down")),
            Key("left", ("ArrowLeft",), _("The place one pixel left")),
            Key("right", ("ArrowRight",), _("The place one pixel right")),
            Key("previous", ("PageUp",), _("Previous picture of this plane")),
            Key("next", ("PageDown",), _("Next picture of this plane")),
        ),
    ),
    "overlay": Group(
        _("Where the models looked"),
        (
            Key("gradcam", ("g",), _("Grad-CAM, or nothing")),
            Key("lime", ("l",), _("LIME, or nothing")),
            Key("hide", ("h",), _("Hide the overlay while the key is held"), held=True),
            Key("used", ("u",), _("Only what the model used, or the whole picture")),
            Key("outlines", ("o",), _("Outlines of LIME's pieces")),
            Key("nextPiece", ("p",), _("The piece that counted next most")),
            Key("previousPiece", ("P",), _("The piece before it")),
            Key("beside", ("s",), _("Two methods or models side by side")),
            Key("flip", ("Space",), _("One method or model, then the other, in the same place")),
        ),
    ),
    "tools": Group(
        _("Tools"),
        (
            Key("window", ("1",), _("Window and level")),
            Key("distance", ("2",), _("Caliper")),
            Key("atrialWidth", ("3",), _("Atrial width")),
        ),
    ),
    "calibrating": Group(
        _("Tools of a scan whose file states no scale"),
        (Key("calibrate", ("4",), _("Calibrate: say how long a line is")),),
    ),
    "measuring": Group(
        _("On the scan, while a tool measures"),
        (
            Key("up", ("ArrowUp",), _("Half a pixel up; ten with Shift")),
            Key("down", ("ArrowDown",), _("Half a pixel down; ten with Shift")),
            Key("left", ("ArrowLeft",), _("Half a pixel left; ten with Shift")),
            Key("right", ("ArrowRight",), _("Half a pixel right; ten with Shift")),
            Key("set", ("Enter",), _("Set an end")),
            Key("leave", ("Escape",), _("Put the tool away")),
        ),
    ),
    "review": Group(_("Review"), (Key("read", ("v",), _("Go to your read, or to the signature")),)),
}
PLAIN = ("page",)
WORKLIST = ("page", "worklist", "field")


def of_case(panel: ReviewPanel, scan: Scan | None, *, may_write: bool) -> tuple[str, ...]:
    """The groups that work on a case page: what this reader cannot do now has no key."""
    if scan is None:
        return PLAIN
    offered = {
        "frames": scan.image.frames > 1,
        "volume": bool(planes_of(scan.image)),
        "cut": bool(planes_of(scan.image)),
        "overlay": not panel.hidden,
        "tools": may_write and not panel.signature,
        "calibrating": may_write and not panel.signature and not scan.image.states_scale,
        "measuring": may_write and not panel.signature,
        "review": bool(panel.due or panel.may_sign or panel.signature),
    }
    order = (
        "viewer",
        "picture",
        "frames",
        "volume",
        "cut",
        "overlay",
        "tools",
        "calibrating",
        "measuring",
        "review",
    )
    return (*PLAIN, *(name for name in order if offered.get(name, True)))
