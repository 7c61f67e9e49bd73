"""Every network we know, by name."""

from inference.engine.networks import cnn, modified_cnn
from inference.engine.networks.network import Network

NETWORKS: dict[str, Network] = {
    "cnn": cnn.NETWORK,
    "modified_cnn": modified_cnn.NETWORK,
}

__all__ = ["NETWORKS", "Network"]
