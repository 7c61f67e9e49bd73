"""The science: arguments in, frozen records out. No Django, no queue, no settings."""
