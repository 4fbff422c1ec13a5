import pytest

from console.diagnoses.unknown_settings import UnknownSetting, find_unknown_settings


@pytest.mark.parametrize(
    "name",
    [
        "DWGATE_EXTENSION_CODE",
        "DWGATE_FLOWER_USERS",
        "DWGATE_ENV_FILE",
        "DWGATE_SECRETS_DIR",
        "DWGATE_VERSION",
    ],
)
def test_what_a_process_reads_is_known(name: str) -> None:
    assert find_unknown_settings({name: "x"}) == []


def test_a_misspelt_name_has_a_suggestion() -> None:
    (found,) = find_unknown_settings({"DWGATE_EXTENSION_COD": "x", "PATH": "/bin", "DWGATE_REGION": "r"})
    assert found == UnknownSetting("DWGATE_EXTENSION_COD", "DWGATE_EXTENSION_CODE")
    assert str(found) == "no such setting, it has no effect; did you mean DWGATE_EXTENSION_CODE?"


def test_a_name_like_no_other_has_none() -> None:
    (found,) = find_unknown_settings({"DWGATE_WALLPAPER": "red"})
    assert found.similar is None
    assert "docs/settings.md" in str(found)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert find_unknown_settings({"DWGATE_WALLPAPER": ""}) == []


def test_secret_files_are_settings_too() -> None:
    (found,) = find_unknown_settings({}, ["dwgate_broker_url", "dwgate_redis_ur", "alibaba_credentials"])
    assert found == UnknownSetting("DWGATE_REDIS_UR", "DWGATE_REDIS_URL")
