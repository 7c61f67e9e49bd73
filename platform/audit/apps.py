from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        """Hear the framework's own log-in signals: there is no other door to them."""
        from audit import logins

        logins.listen()
