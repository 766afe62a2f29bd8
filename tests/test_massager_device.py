"""massagers.toml: what a person can write wrongly is answered in one line, and holds no secret."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.massager.device import PASSWORD, Broker, Device, describe, read_devices
from assistant.massager.proof import remember, require_proof
from audio.errors import MassagerUnsafe

PLUG = """
[neck]
kind = "tasmota"
broker = "plugs.home"
topic = "massager"
user = "unknot"
"""


def read(folder: Path, text: str) -> dict[str, Device]:
    (folder / "massagers.toml").write_text(text)
    return read_devices(folder / "massagers.toml")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(MassagerUnsafe) as caught:
        read(folder, text)
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_plug_is_read_with_the_usual_port_and_relay(tmp_path: Path) -> None:
    device = read(tmp_path, PLUG)["neck"]
    assert device.broker == Broker("plugs.home", 1883, user="unknot")
    assert (device.kind, device.topic, device.relay) == ("tasmota", "massager", 1)


def test_a_mark_that_an_editor_put_at_the_files_beginning_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "massagers.toml"
    file.write_bytes(b"\xef\xbb\xbf" + PLUG.replace("\n", "\r\n").encode())
    assert list(read_devices(file)) == ["neck"]


def test_an_authority_file_switches_tls_and_its_port_on(tmp_path: Path) -> None:
    broker = read(tmp_path, PLUG + 'ca_file = "ca.pem"')["neck"].broker
    assert broker == Broker("plugs.home", 8883, "unknot", tls=True, ca_file=tmp_path / "ca.pem")


def test_no_file_means_no_device(tmp_path: Path) -> None:
    assert read_devices(tmp_path / "massagers.toml") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PLUG.replace("tasmota", "wemo"), "kind = 'wemo': unknown (one of esphome, tasmota"),
        (PLUG.replace("kind", "knid"), "kind = None: unknown"),
        (PLUG + "colour = 1", "[neck] colour: unknown for a tasmota"),
        (PLUG + "port = 70000", "port = 70000 (a whole number from 1 to 65535)"),
        (PLUG + 'port = "1883"', "port = '1883'"),
        (PLUG + "relay = true", "relay = True"),
        (PLUG + "tls = 1", "tls = 1 (true or false)"),
        (PLUG + 'tls = false\nca_file = "x"', "ca_file without TLS"),
        (PLUG.replace('"plugs.home"', '""'), "broker = ''"),
        (PLUG.replace("broker", "brokers"), "brokers: unknown"),
        (PLUG.replace('topic = "massager"', ""), "topic missing"),
        (PLUG.replace('"massager"', '"massager/#"'), "topic = 'massager/#'"),
        (PLUG.replace('"massager"', '"/massager"'), "topic = '/massager'"),
        (
            PLUG.replace("tasmota", "esphome") + "levels = 9",
            "levels = 9 (a whole number from 1 to 5)",
        ),
        (PLUG.replace("tasmota", "esphome") + "levels = 0", "levels = 0"),
        (PLUG.replace("neck", "simulated"), "this name is taken"),
        ('[neck]\nkind = "pin"', "led missing"),
        ("neck = 3", "neck = 3 (begin a device with [neck])"),
        ("[neck", "massagers.toml:"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_value_and_remedy(
    tmp_path: Path, text: str, told: str
) -> None:
    line = refusal(tmp_path, text)
    assert told in line
    assert str(tmp_path / "massagers.toml") in line


def test_a_password_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    line = refusal(tmp_path, PLUG + 'password = "hush-hush"')
    assert "a secret does not belong in this file" in line
    assert "hush-hush" not in line


def test_a_password_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush-hush\n")
    (tmp_path / "secret").chmod(0o640)
    broker = read(tmp_path, PLUG + 'password_file = "secret"')["neck"].broker
    assert broker
    with pytest.raises(MassagerUnsafe, match=r"others may read .*chmod 600") as caught:
        broker.password()
    assert "hush-hush" not in str(caught.value)
    (tmp_path / "secret").chmod(0o600)
    assert broker.password() == "hush-hush"


def test_the_environment_goes_before_the_password_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, "from the environment")
    broker = read(tmp_path, PLUG + 'password_file = "gone"')["neck"].broker
    assert broker
    assert broker.password() == "from the environment"
    monkeypatch.delenv(PASSWORD)
    with pytest.raises(MassagerUnsafe, match="gone: No such file"):
        broker.password()


@given(
    st.dictionaries(
        st.sampled_from(["kind", "topic", "led", "tls", "port", "levels", "x"]),
        st.one_of(st.text(max_size=5), st.integers(), st.booleans()),
    )
)
def test_no_table_whatever_it_holds_ends_in_anything_but_one_line(table: dict[str, object]) -> None:
    line = ""
    try:
        kind = describe("neck", table, Path("massagers.toml")).kind
    except MassagerUnsafe as error:
        line, kind = str(error), None
    assert "\n" not in line
    assert line or kind == table["kind"]


def test_a_passed_test_counts_until_the_configuration_changes(tmp_path: Path) -> None:
    device = read(tmp_path, PLUG)["neck"]
    with pytest.raises(MassagerUnsafe, match="never tested"):
        require_proof(device, tmp_path / "state")
    remember(device, tmp_path / "state")
    require_proof(device, tmp_path / "state")
    changed = read(tmp_path, PLUG + 'ca_file = "ca.pem"\nport = 1883')["neck"]
    with pytest.raises(MassagerUnsafe, match=r"has changed since its test .*massager test neck"):
        require_proof(changed, tmp_path / "state")


def test_what_was_passed_is_its_owners_only_and_a_broken_file_asks_again(tmp_path: Path) -> None:
    device = read(tmp_path, PLUG)["neck"]
    remember(device, tmp_path / "state")
    (written,) = (tmp_path / "state").iterdir()
    assert written.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    written.write_text('{"half')
    with pytest.raises(MassagerUnsafe, match="never tested"):
        require_proof(device, tmp_path / "state")


def test_two_names_of_one_device_share_its_lock_and_its_proof(tmp_path: Path) -> None:
    devices = read(tmp_path, PLUG + PLUG.replace("neck", "back"))
    assert devices["neck"].identity == devices["back"].identity
    other = read(tmp_path, PLUG + "relay = 2")["neck"]
    assert other.identity != devices["neck"].identity
