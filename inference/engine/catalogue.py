"""The model versions that come with the code, without touching torch."""

from pathlib import Path

from inference.engine.records import WeightsRecord
from inference.formats.stack import Modality

SHIPPED = Path(__file__).parent / "shipped"


def shipped() -> tuple[tuple[WeightsRecord, Path], ...]:
    """Every shipped version with the path of its weights, by file name."""
    found = []
    for path in sorted(SHIPPED.glob("*.json")):
        record = WeightsRecord.from_json(path.read_text())
        found.append((record, _weights_beside(path, record)))
    return tuple(found)


def _weights_beside(path: Path, record: WeightsRecord) -> Path:
    """A version's own file, or the one that its network shares among modalities."""
    own = path.with_suffix(".safetensors")
    return own if own.exists() else path.with_name(f"{record.network}-{record.version}.safetensors")


def weights_of(record: WeightsRecord, folder: Path) -> Path:
    """The weights that `write` laid down for a record."""
    return _weights_beside(_record_path(record, folder), record)


def newest(network: str, modality: Modality) -> tuple[WeightsRecord, Path] | None:
    """The shipped version of a network for a modality with the highest version number."""
    fitting = [entry for entry in shipped() if entry[0].network == network and entry[0].modality == modality]
    return max(fitting, key=lambda entry: _order(entry[0].version), default=None)


def _order(version: str) -> tuple[int, ...]:
    """Versions are dotted numbers: 1.10 comes after 1.9."""
    return tuple(int(part) for part in version.split("."))


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


def _record_path(record: WeightsRecord, folder: Path) -> Path:
    return folder / f"{record.network}-{record.modality}-{record.version}.json"
