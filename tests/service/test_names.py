"""Names of directories and files of other systems: signs that mean something in URLs, marks of byte order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tangle.service.errors import SettingInvalid
from tangle.service.settings import Settings
from tangle.store.engine import migrate, open_engine


@pytest.mark.parametrize("name", ["plant?1", "plant?mode=memory", "a%20b", "50%", "a#b", "a+b c", "ä&=:@"])
def test_the_database_is_inside_its_directory_whatever_that_is_called(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    data.mkdir()
    engine = open_engine(Settings.load(data=data).url)
    migrate(engine)
    engine.dispose()
    assert (data / "tangle.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("url", ["tangle.db", "sqlite:////tmp/plant?1/tangle.db", "sqlite://user@host:x/"])
def test_a_database_url_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="SQL"):
        Settings.load(data=tmp_path, database_url=url)


def test_settings_with_a_mark_of_byte_order(tmp_path: Path) -> None:
    file = tmp_path / "tangle.toml"
    file.write_bytes("\ufeffnetwork_name = 'Müll'\n".encode())
    assert Settings.load(data=tmp_path).network_name == "Müll"
    file.write_bytes("network_name = 'x'\n".encode("utf-16"))
    with pytest.raises(SettingInvalid, match="text in UTF-16; save it as UTF-8"):
        Settings.load(data=tmp_path)
