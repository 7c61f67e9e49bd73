"""A warm process that forks a child for each piece of work: the cost of an interpreter is paid once."""

from inference.formats.fork_server.client import ForkServer, ForkServerLost

__all__ = ["ForkServer", "ForkServerLost"]
