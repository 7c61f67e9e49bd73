"""What a service answers when something makes no sense as things stand."""


class CannotDo(Exception):
    """Nothing was changed. `code` for programs, the sentence for people."""

    code = ""
