"""Every network we know, by name."""

from inference.engine.networks import cnn, modified_cnn, resnet, vgg16
from inference.engine.networks.ensemble import ensemble_of
from inference.engine.networks.network import Backbone, Network

NETWORKS: dict[str, Network] = {
    "cnn": cnn.NETWORK,
    "modified_cnn": modified_cnn.NETWORK,
    "vgg16": vgg16.NETWORK,
    "resnet18": resnet.RESNET18,
    "resnet50": resnet.RESNET50,
}

__all__ = ["NETWORKS", "Backbone", "Network", "ensemble_of"]
