"""The README says what is so: its diagram, its commands, its files."""

import re
from pathlib import Path

from assistant.__main__ import main
from assistant.diagram import mermaid

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_diagram_is_the_one_that_the_table_draws() -> None:
    assert mermaid() in README


def test_every_command_it_names_exists_and_every_command_is_named() -> None:
    named = set(re.findall(r"`unknot (\w+)", README))
    assert named <= set(main.commands)
    assert set(main.commands) <= named


def test_every_picture_and_folder_it_points_to_is_there() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    folders = re.findall(r"^(\w+)/ ", README, flags=re.MULTILINE)
    assert pictures
    assert folders
    assert [name for name in [*pictures, *folders] if not (ROOT / name).exists()] == []


def test_the_makefile_has_the_commands_it_begins_with() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert f"make {target} " in README
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
