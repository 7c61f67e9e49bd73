"""What a service answers when something makes no sense as things stand."""

from collections.abc import Sequence


class CannotDo(Exception):
    """Nothing was changed. `code` for programs, the sentence for people.

    sentences: the same, and what else a page says of it, such as what has changed since it was opened.
    """

    code = ""

    def __init__(self, sentence: str = "", more: Sequence[str] = ()) -> None:
        self.sentences = [sentence, *more]
        super().__init__(" ".join(self.sentences))
