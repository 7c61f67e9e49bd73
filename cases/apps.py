from pathlib import Path

from django.apps import AppConfig
from django.conf import settings

from cases.advice.rulebook import SHIPPED, refuse_untranslated, rulebook


class CasesConfig(AppConfig):
    name = "cases"

    def ready(self) -> None:
        """Read the rules for advice now: a mistake in them must stop the start, not the first case.

        And let the audit know whose a case's thread is and what our codes mean, the queue ask whether a job
        may still be moved, and comparisons of models leave out what was withdrawn.
        """
        from audit.departments import owned
        from audit.sentences import told_as
        from cases import words
        from cases.access import refuse_moving
        from cases.advice.service import action_words, given_words
        from cases.models import ScanWithdrawal
        from cases.owners import departments_of_thread
        from inference.jobs.state import ask_before_moving
        from inference.results.store import leave_out

        leave_out(ScanWithdrawal.images)
        ask_before_moving(refuse_moving)
        rules = rulebook(Path(settings.ADVICE_RULES or SHIPPED))
        owned("case", departments_of_thread)
        told_as("method", words.method)
        told_as("action", action_words)
        told_as("detail", given_words, verb="advice.given")
        refuse_untranslated(rules, [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE])
