"""One finding of ``rtreid doctor``."""

from __future__ import annotations

import importlib
from dataclasses import asdict, dataclass
from importlib import metadata


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at and what was found.

    Attributes:
        name: of the thing.
        state: ``ok``; ``missing`` (optional, not there); ``warning`` (there, but not as it should
            be); ``broken`` (tracking cannot work).
        detail: what was found.
        advice: what to do about it; empty where there is nothing to do.
    """

    name: str
    state: str
    detail: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


def package_check(module: str, distribution: str, *, advice: str, needed: bool = False) -> Check:
    """Whether a package can really be imported, and its version."""
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            return Check(distribution, "broken" if needed else "warning", f"installed, but {error}", advice)
        return Check(distribution, "broken" if needed else "missing", "not installed", advice)
    except Exception as error:  # a package with a broken library may raise anything
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Check(distribution, "broken" if needed else "warning", f"cannot be imported: {text}", advice)
    return Check(distribution, "ok", _version(imported, distribution))


def _version(module: object, distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return str(getattr(module, "__version__", "version unknown"))
