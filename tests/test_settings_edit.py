"""A setting is changed in a person's file, and every line that they wrote stays."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.settings_edit import change
from audio.errors import UnknotError


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[voice]\nname = "a"\n'),
        ("# mine\n", '# mine\n\n[voice]\nname = "a"\n'),
        ("[voice] # mine\nrate = 1", '[voice] # mine\nname = "a"\nrate = 1\n'),
        ("[voice]\n  name  =  'b'   # mine\n", '[voice]\n  name  =  "a"   # mine\n'),
        (
            '[other]\nname = "b"\n[voice]\n\n[third]\nname = "c"\n',
            '[other]\nname = "b"\n[voice]\nname = "a"\n\n[third]\nname = "c"\n',
        ),
    ],
)
def test_a_setting_is_changed_and_comments_stay(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "own" / "settings.toml"
    if before:
        file.parent.mkdir()
        file.write_text(before)
    change(file, "voice", "name", "a")
    assert file.read_text() == after


@pytest.mark.parametrize(
    "text",
    [
        'voice.name = "b"\n',
        'voice = { name = "b" }\n',
        '[voice]\n"name" = "b"\n',
        '[other]\nnote = """\n[voice]\nname = 1\n"""\n',
        "voice = 3\n",
        "[voice\n",
    ],
)
def test_a_file_that_cannot_be_changed_surely_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(UnknotError, match=r"settings\.toml: .*(by hand|mend it)"):
        change(file, "voice", "name", "a")
    assert file.read_text() == text


def test_who_may_read_the_file_stays(tmp_path: Path) -> None:
    file, link = tmp_path / "real.toml", tmp_path / "settings.toml"
    file.write_text("")
    file.chmod(0o640)
    link.symlink_to(file)
    change(link, "voice", "name", "a")
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert tomllib.loads(file.read_text()) == {"voice": {"name": "a"}}


@given(st.text(min_size=1, max_size=20))
def test_any_value_is_written_so_that_it_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, value: str
) -> None:
    file = tmp_path_factory.mktemp("own") / "settings.toml"
    try:
        change(file, "voice", "name", value)
    except UnknotError:
        assert not file.exists()  # TOML has no word for it
    else:
        assert tomllib.loads(file.read_text()) == {"voice": {"name": value}}
