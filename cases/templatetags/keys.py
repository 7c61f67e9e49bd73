"""The sheet of keys."""

from typing import Any

from django.template import Context, Library

from cases.viewer.shortcuts import GROUPS, PLAIN, Group

register = Library()


@register.inclusion_tag("parts/shortcut_dialog.html", takes_context=True)
def key_sheet(context: Context) -> dict[str, list[tuple[str, Group]]]:
    """The keys of this page: those of the groups that its view names, or those of every page."""
    names: Any = context.get("key_groups") or PLAIN
    return {"groups": [(name, GROUPS[name]) for name in names]}
