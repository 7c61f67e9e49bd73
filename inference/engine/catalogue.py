"""The model versions that come with the code, without touching torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from digests import sha256_hex
from inference.engine.records import MEASURING_NETWORKS, WeightsRecord
from inference.engine.weights.ensemble_file import composed
from inference.formats.stack import Modality

SHIPPED = Path(__file__).parent / "shipped"
ENGINE = Path(__file__).parent


@dataclass(frozen=True)
class Shipped:
    """A version that comes with the code. weights: its file; None for an ensemble, which has only members."""

    record: WeightsRecord
    weights: Path | None

    def content(self) -> bytes:
        """The bytes of the weights file; an ensemble's are put together from its members'."""
        if self.weights:
            return self.weights.read_bytes()
        return composed([(member.record, member.content()) for member in members_of(self.record)])


def shipped() -> tuple[Shipped, ...]:
    """Every shipped version that knows classes, by file name."""
    return tuple(_read(path) for path in sorted(SHIPPED.glob("*.json")))


def measuring() -> tuple[Shipped, ...]:
    """Every shipped version that measures (inference.engine.measuring), by network and file name."""
    return tuple(
        Shipped(
            WeightsRecord.from_json(path.read_text()), measuring_folder(network) / f"{network}.safetensors"
        )
        for network in MEASURING_NETWORKS
        for path in sorted(measuring_folder(network).glob(f"{network}-*.json"))
    )


def measuring_folder(network: str) -> Path:
    """Where the shipped weights of a network that measures lie, as its training wrote them."""
    return ENGINE / f"shipped_{network}"


def all_shipped() -> tuple[Shipped, ...]:
    """Versions of both kinds: whatever an installation registers."""
    return (*shipped(), *measuring())


def named(name: str) -> Shipped:
    """The shipped version `<network>-<modality>-<version>`. Raises LookupError."""
    found = next((one for one in all_shipped() if one.record.name == name), None)
    if found is None:
        raise LookupError(f"No version {name} comes with this release.")
    return found


def members_of(record: WeightsRecord) -> Sequence[Shipped]:
    """The shipped versions that a shipped ensemble is made of."""
    return [named(name) for name in record.members]


def newest(network: str, modality: Modality) -> Shipped | None:
    """The shipped version of a network for a modality with the highest version number."""
    fitting = [
        one for one in all_shipped() if (one.record.network, one.record.modality) == (network, modality)
    ]
    return max(fitting, key=lambda one: _order(one.record.version), default=None)


def weights_of(record: WeightsRecord, folder: Path) -> Path:
    """The weights that `write` laid down for a record."""
    return _weights_beside(_record_path(record, folder), record)


def write(record: WeightsRecord, content: bytes, folder: Path, *, shared: bool = False) -> Path:
    """Lay a version down as `<network>-<modality>-<version>.json`, its weights beside it; the record's path.

    shared: the weights serve several modalities and stand once, without a modality in their name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = _record_path(record, folder)
    path.write_bytes(record.to_json())
    name = (
        f"{record.network}-{record.version}.safetensors" if shared else path.with_suffix(".safetensors").name
    )
    path.with_name(name).write_bytes(content)
    return path


def _read(path: Path) -> Shipped:
    record = WeightsRecord.from_json(path.read_text())
    return Shipped(record, None if record.members else _weights_beside(path, record))


def _weights_beside(path: Path, record: WeightsRecord) -> Path:
    """A version's own file, the one that its network shares among modalities, or that of another version.

    A version may have no more of its own than a threshold: then the file with its hash is its file.
    """
    own = path.with_suffix(".safetensors")
    shared = path.with_name(f"{record.network}-{record.version}.safetensors")
    if own.exists() or shared.exists():
        return own if own.exists() else shared
    others = sorted(path.parent.glob(f"{record.network}-*.safetensors"))
    return next((one for one in others if _sha256(one) == record.weights_sha256), shared)


@cache
def _sha256(path: Path) -> str:
    return sha256_hex(path.read_bytes())


def _order(version: str) -> tuple[int, ...]:
    """Versions are dotted numbers: 1.10 comes after 1.9."""
    return tuple(int(part) for part in version.split("."))


def _record_path(record: WeightsRecord, folder: Path) -> Path:
    return folder / f"{record.name}.json"
