"""Run tests with one guard switched off: `python -m guards.off NAME TEST…`.

The source of one module is changed while it is imported; nothing on disk is.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from .guards import GUARDS, ROOT, Guard


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from changed source, past the cache of compiled files."""

    def __init__(self, name: str, path: str, guard: Guard) -> None:
        super().__init__(name, path)
        self._guard = guard

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._guard.without(Path(self.path).read_text()), self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._name = guard.file.removesuffix(".py").replace("/", ".")

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        if name != self._name:
            return None
        file = str(ROOT / self._guard.file)
        return importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file, self._guard))


def main(name: str, tests: Sequence[str]) -> int:
    import pytest
    from hypothesis import Phase, settings

    settings.register_profile("off", phases=[Phase.explicit, Phase.generate], database=None)
    settings.load_profile("off")  # what fails need not be shown at its smallest
    guard = next(one for one in GUARDS if one.name == name)
    sys.meta_path.insert(0, _Finder(guard))
    return int(pytest.main(["-x", "-q", "-n", "0", "--no-header", "--tb", "no", "-p", "no:hypothesispytest", *tests]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
