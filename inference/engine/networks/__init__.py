"""Every network we know, by name. Torch is not needed until one is built."""

from collections.abc import Sequence

from inference.engine.networks.classifier import Dense, Flat, MaxPool, Mean, MeanAndMax
from inference.engine.networks.network import SMALL, WIDE_RECIPES, Backbone, Network
from inference.engine.weights.ensemble_file import ENSEMBLE

TORCHVISION = "BSD-3-Clause (torchvision)"

CNN = Network(
    name="cnn",
    title="Baseline CNN",
    module="inference.engine.networks.cnn:BaselineCNN",
    recipes=WIDE_RECIPES,
    side=SMALL,
    gradcam_layer="blocks.2.1",
    classifier=(MaxPool(), Flat(), Dense("head.1", rectified=True), Dense("head.4")),
    licence="Apache-2.0",
)

MODIFIED_CNN = Network(
    name="modified_cnn",
    title="Modified CNN",
    module="inference.engine.networks.modified_cnn:ModifiedCNN",
    recipes=WIDE_RECIPES,
    side=SMALL,
    gradcam_layer="trunk.5.activation",
    classifier=(MeanAndMax(), Dense("head.1")),
    licence="Apache-2.0",
)

VGG16 = Network(
    name="vgg16",
    title="VGG16",
    module="inference.engine.networks.vgg16:VGG16",
    recipes=WIDE_RECIPES,
    gradcam_layer="features.29",
    classifier=(MaxPool(), Mean(), Dense("head.1")),
    computed=(32, 64, 256),
    licence="Architecture: BSD-3-Clause (torchvision). ImageNet weights: CC BY 4.0 (Oxford VGG).",
    backbone=Backbone(
        file="vgg16_features_imagenet_fp16.safetensors",
        sha256="19cc4679f0c50cf27968a52060c653b293f3cf2a0a9adb89eea2484176f49c6e",
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        published_sha256="397923af",
        prefix="",
        licence="ImageNet VGG16, Simonyan and Zisserman 2014, Oxford VGG, CC BY 4.0",
    ),
)

RESNET18 = Network(
    name="resnet18",
    title="ResNet18",
    module="inference.engine.networks.resnet:resnet18",
    recipes=WIDE_RECIPES,
    gradcam_layer="trunk.layer4",
    classifier=(Mean(), Dense("trunk.fc")),
    licence=TORCHVISION,
    backbone=Backbone(
        file="resnet18_imagenet.safetensors",
        sha256="",
        url="https://download.pytorch.org/models/resnet18-f37072fd.pth",
        published_sha256="f37072fd",
        prefix="trunk.",
        licence="ImageNet ResNet18, torchvision, BSD-3-Clause",
    ),
)

RESNET50 = Network(
    name="resnet50",
    title="ResNet50",
    module="inference.engine.networks.resnet:resnet50",
    recipes=WIDE_RECIPES,
    gradcam_layer="trunk.layer4",
    classifier=(Mean(), Dense("trunk.fc")),
    licence=TORCHVISION,
    backbone=Backbone(
        file="resnet50_imagenet.safetensors",
        sha256="",
        url="https://download.pytorch.org/models/resnet50-0676ba61.pth",
        published_sha256="0676ba61",
        prefix="trunk.",
        licence="ImageNet ResNet50, torchvision, BSD-3-Clause",
    ),
)

NETWORKS: dict[str, Network] = {one.name: one for one in (CNN, MODIFIED_CNN, VGG16, RESNET18, RESNET50)}


def ensemble_of(members: Sequence[Network]) -> Network:
    """The record of an ensemble. It has no layer that Grad-CAM could weigh: its members do."""
    titles = ", ".join(member.title for member in members)
    return Network(
        name=ENSEMBLE,
        title=f"Ensemble of {titles}",
        module="",
        recipes=WIDE_RECIPES,
        gradcam_layer="",
        licence="; ".join(dict.fromkeys(member.licence for member in members)),
        members=tuple(members),
    )


__all__ = ["NETWORKS", "Backbone", "Network", "ensemble_of"]
