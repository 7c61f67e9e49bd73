"""What a service answers when something makes no sense as things stand."""

from collections.abc import Sequence
from typing import Any


class CannotDo(Exception):
    """Nothing was changed. `code` and `status` for programs, the sentence for people.

    sentences: the same, and what else a page says of it, such as what has changed since it was opened.
    named: what else programs are told, as plain JSON values, such as the scan that is in the way.
    """

    code = ""
    status = 422

    def __init__(self, sentence: str = "", more: Sequence[str] = (), **named: Any) -> None:
        self.sentences = [sentence, *more]
        self.named = named
        super().__init__(" ".join(self.sentences))
