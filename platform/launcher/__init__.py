"""Brings Ventra up on one machine: environment, servers, processes.

Standard library only, and nothing of Django's: it runs before anything is installed.
`./run` and `./test` are its doors; `launcher.servers` and `launcher.processes` are its
doors for tests.
"""
