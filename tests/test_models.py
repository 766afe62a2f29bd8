"""A model is found in the order that was promised, and never used when it is not whole."""

import json
from pathlib import Path

import pytest

from audio.errors import NotFit
from audio.models import (
    MANIFEST,
    VARIABLE,
    Places,
    catalogue,
    find,
    installed,
    problems,
    sha256,
    tuned,
    write_manifest,
)


@pytest.fixture(autouse=True)
def _no_model_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def whole(folder: Path) -> Path:
    """A folder that has every file of a model, and nothing in them that Vosk could read."""
    for name, least in catalogue().needs.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * max(least, 10))
    return folder


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data")


def test_the_pinned_model_is_the_one_of_its_authors() -> None:
    archive = catalogue().archive
    assert archive.url.startswith("https://")
    assert archive.url.endswith(f"/{archive.file}")
    assert archive.size == 41_205_931
    assert archive.sha256 == "30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498"


def test_nothing_installed_is_nothing_found_or_a_remedy(places: Places) -> None:
    assert find(places) is None
    with pytest.raises(NotFit, match="unknot model install") as error:
        find(places, required=True)
    assert error.value.exit_code == 3


def test_the_option_comes_before_the_setting_and_the_setting_before_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    option, setting, variable, data = (
        whole(tmp_path / name) for name in ("option", "setting", "variable", "data/models/kept")
    )
    monkeypatch.setenv(VARIABLE, str(variable))
    home = tmp_path / "data"
    assert find(Places(home, option=option, setting=setting)) == option
    assert find(Places(home, setting=setting)) == setting
    assert find(Places(home)) == variable
    monkeypatch.delenv(VARIABLE)
    assert find(Places(home)) == data


def test_a_named_folder_that_is_not_whole_is_refused_even_if_another_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole(tmp_path / "models" / "good")
    broken = whole(tmp_path / "broken")
    (broken / "am" / "final.mdl").unlink()
    monkeypatch.setenv(VARIABLE, str(broken))
    with pytest.raises(NotFit) as error:
        find(Places(tmp_path))
    assert str(broken) in str(error.value)
    assert "am/final.mdl is missing" in str(error.value)
    assert VARIABLE in str(error.value)


def test_a_broken_installed_model_is_passed_over_with_a_warning(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    broken = whole(places.models / catalogue().archive.name)
    (broken / "graph" / "Gr.fst").write_bytes(b"")
    assert find(places) is None
    assert "graph/Gr.fst has 0 bytes" in caplog.text
    good = whole(places.models / "another")
    assert find(places) == good


def test_the_pinned_model_comes_first(places: Places) -> None:
    for name in ("a-model", catalogue().archive.name, "z-model", ".half-made"):
        whole(places.models / name)
    assert [folder.name for folder in installed(places)] == [
        catalogue().archive.name,
        "a-model",
        "z-model",
    ]


@pytest.mark.parametrize("name", list(catalogue().needs))
def test_every_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = whole(tmp_path / "model")
    (folder / name).unlink()
    assert problems(folder) == [f"{name} is missing"]


@pytest.mark.parametrize("name", [n for n, least in catalogue().needs.items() if least > 1])
def test_every_short_file_is_named(tmp_path: Path, name: str) -> None:
    folder = whole(tmp_path / "model")
    (folder / name).write_bytes(b"x")
    (problem,) = problems(folder)
    assert problem.startswith(f"{name} has 1 bytes")


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("no folder")
    assert problems(tmp_path / "model") == ["no such model folder"]


def test_a_file_cut_short_after_the_installation_is_found_by_its_size(tmp_path: Path) -> None:
    folder = whole(tmp_path / "model")
    file = folder / "graph" / "HCLr.fst"
    file.write_bytes(b"x" * 20_000)
    write_manifest(folder)
    assert problems(folder, thorough=True) == []
    file.write_bytes(b"x" * 19_999)
    (problem,) = problems(folder)
    assert problem.startswith("graph/HCLr.fst has")


def test_a_changed_byte_is_found_when_looked_for(tmp_path: Path) -> None:
    folder = whole(tmp_path / "model")
    write_manifest(folder)
    file = folder / "am" / "final.mdl"
    file.write_bytes(b"y" + file.read_bytes()[1:])
    assert problems(folder) == []
    assert problems(folder, thorough=True) == ["am/final.mdl has changed since it was installed"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"am/final.mdl": 1}', '{"am/final.mdl": [1]}'])
def test_a_broken_manifest_pins_nothing_and_breaks_nothing(tmp_path: Path, text: str) -> None:
    folder = whole(tmp_path / "model")
    (folder / MANIFEST).write_text(text)
    assert problems(folder, thorough=True) == []


def test_the_manifest_pins_every_file(tmp_path: Path) -> None:
    folder = whole(tmp_path / "model")
    write_manifest(folder)
    pins = json.loads((folder / MANIFEST).read_text())
    assert set(pins) == set(catalogue().needs)
    assert pins["am/final.mdl"][1] == sha256(folder / "am" / "final.mdl")


def test_a_whole_folder_that_vosk_cannot_read_is_refused_in_one_line(
    tmp_path: Path, places: Places
) -> None:
    """Every file is there and long enough; only a trial can tell that they are no model."""
    folder = whole(tmp_path / "model")
    with pytest.raises(NotFit) as error:
        tuned(folder, places)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)
    assert not (places.data / "tuned").exists()
