"""What a service answers when something makes no sense as things stand."""

from collections.abc import Sequence
from typing import Any


class CannotDo(Exception):
    """Nothing was changed. `code` and `status` for programs, the sentence for people.

    sentences: the same, and what else a page says of it, such as what has changed since it was opened.
    named: what else programs are told, as plain JSON values, such as the scan that is in the way.
    field: the field of a form that is to be mended, "" where it is none. is_late: what the page offered is
    offered no more, as the case has moved on, so that no word in the form would help. retry_after: seconds
    after which the same may be taken, 0 where it will not.
    """

    code = ""
    status = 422
    field = ""
    is_late = False
    retry_after = 0

    def __init__(self, sentence: str = "", more: Sequence[str] = (), **named: Any) -> None:
        self.sentences = [sentence, *more]
        self.named = named
        super().__init__(" ".join(self.sentences))
