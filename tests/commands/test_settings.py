"""Settings: where they come from, and what is refused in which words."""

import stat
from pathlib import Path

import pytest

from rapid_response.settings import Settings, SettingsProblem, read_settings
from tests.commands.conftest import Command, one_sentence

KEY = "k" * 32
POSTGRES = "postgresql+psycopg://user:hush@db/rapid"
TWILIO = {
    "MESSAGES": "twilio",
    "TWILIO_ACCOUNT_SID": "AC" + "5" * 32,
    "TWILIO_AUTH_TOKEN": "hush",
    "TWILIO_FROM": "+447700900000",
    "BASE_URL": "https://example.org",
}
SERVICE = {"TWILIO_FROM": "", "TWILIO_MESSAGING_SERVICE_SID": "MG" + "5" * 32}


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"RAPID_RESPONSE_{name}", value)


def refusal() -> str:
    with pytest.raises(SettingsProblem) as caught:
        read_settings()
    return str(caught.value)


def test_the_defaults_need_nothing() -> None:
    settings = read_settings()
    assert settings.database_url == "sqlite+aiosqlite:///./rapid_response.db"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.time_zone.key == "Europe/London"
    assert settings.messages == "simulator"
    assert (settings.sms_links, settings.evaluation, settings.clock_speed) == (False, False, 1)


def test_the_environment_wins_over_the_file_and_both_over_the_defaults(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / ".env").write_text(
        "# ours\nRAPID_RESPONSE_CLOCK_SPEED=60\nexport RAPID_RESPONSE_SMS_LINKS=on\nOTHER=1\n"
        "RAPID_RESPONSE_METRICS_TOKEN='a $HOME # of ours'\n"
    )
    set_all(monkeypatch, CLOCK_SPEED="30", LOG_LEVEL="DEBUG", BASE_URL="https://example.org/rr/")
    settings = read_settings()
    assert settings.clock_speed == 30
    assert settings.sms_links is True
    assert settings.log_level == "debug"
    assert settings.base_url == "https://example.org/rr"
    assert settings.metrics_token is not None
    assert settings.metrics_token.get_secret_value() == "a $HOME # of ours"


def test_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, BASE_URL="", METRICS_TOKEN="", SECRET_KEY_FILE="")
    settings = read_settings()
    assert (settings.base_url, settings.metrics_token) == ("http://127.0.0.1:8000", None)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RAPID_RESPONSE_DATABSE_URL", "did you mean RAPID_RESPONSE_DATABASE_URL?"),
        ("RAPID_RESPONSE_BASE_URL_FILE", "did you mean RAPID_RESPONSE_BASE_URL?"),
        ("rapid_response_base_url", "did you mean RAPID_RESPONSE_BASE_URL?"),
        ("RAPID_RESPONSE_COLOUR", "docs/settings.md"),
    ],
)
def test_an_unknown_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "hush")
    assert name in refusal()
    assert meant in refusal()
    assert "hush" not in refusal()
    monkeypatch.delenv(name)
    (folder / ".env").write_text(f"{name}=hush\n")
    assert refusal().startswith(f"{name}, in .env, is not a setting")


def test_names_of_the_test_suite_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPID_RESPONSE_TEST_ANYTHING", "1")
    read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:hush@db/x"),
        ("DATABASE_URL", "sqlite+aiosqlite://"),
        ("DATABASE_URL", "sqlite+aiosqlite:///:memory:"),
        ("DATABASE_URL", "postgresql+psycopg://"),
        ("DATABASE_URL", "postgresql+psycopg://user:hush@db:port/x"),
        ("DATABASE_URL", "postgresql+psycopg://user:hush@[::1/x"),
        ("BASE_URL", "example.org"),
        ("BASE_URL", "ftp://example.org"),
        ("BASE_URL", "https://user:hush@example.org"),
        ("BASE_URL", "https://example.org/?x=1"),
        ("BASE_URL", "https://example.org:99999"),
        ("BASE_URL", "https://"),
        ("SECRET_KEY", "hush"),
        ("SECRET_KEY_PREVIOUS", "hush"),
        ("TIME_ZONE", "Europe/Lundon"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("CLOCK_SPEED", "0.5"),
        ("CLOCK_SPEED", "nan"),
        ("CLOCK_SPEED", "inf"),
        ("CLOCK_SPEED", "quick"),
        ("ALLOW_FAST_CLOCK", "perhaps"),
        ("EVALUATION", "2"),
        ("MESSAGES", "notify"),
        ("SIMULATOR_NUMBER", "07700 900000"),
        ("SMS_PER_SECOND", "0"),
        ("SMS_PER_SECOND", "nan"),
        ("TWILIO_CONCURRENCY", "0"),
        ("TWILIO_CONCURRENCY", "1.5"),
        ("TWILIO_API_BASE_URL", "http://example.org"),
        ("TWILIO_REGION", "ie1"),
        ("TWILIO_REGION", "ie1.evil.example/"),
        ("TWILIO_EDGE", "dublin"),
        ("TWILIO_ACCOUNT_SID", "SKhush"),
        ("TWILIO_API_KEY_SID", "AChush"),
        ("TWILIO_MESSAGING_SERVICE_SID", "AChush"),
        ("TWILIO_FROM", "Bromley"),
        ("TWILIO_FROM", "07700 900000"),
        ("TWILIO_VOICE_FROM", "60777"),
        ("TWILIO_CONNECT_TIMEOUT", "0"),
        ("TWILIO_READ_TIMEOUT", "60"),
        ("TWILIO_CALLBACK_FRAGMENT", "on"),
        ("TWILIO_CALLBACK_FRAGMENT", "rc=3#x"),
        ("SMS_LINKS", "sometimes"),
        ("SMTP_HOST", "smtp://hush"),
        ("SMTP_PORT", "0"),
        ("SMTP_SECURITY", "maybe"),
        ("SMTP_FROM", "Duty <hush@example.org>"),
        ("SMTP_TO", "hush@example.org, b@example.org"),
        ("HEARTBEAT_URL", "hush"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_an_impossible_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, command: Command, name: str, value: str
) -> None:
    set_all(monkeypatch, **{name: value})
    done = command("export-service")
    assert done.status == 2
    assert f"RAPID_RESPONSE_{name}" in done.err
    assert one_sentence(done.err)
    assert "hush" not in done.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCOUNT_SID", "AChush"),
        ("AUTH_TOKEN", "hush"),
        ("AUTH_TOKEN_PREVIOUS", "hush"),
        ("WEBHOOK_SHARED_KEY", "hush"),
        ("API_KEY_SID", "SKhush"),
        ("API_KEY_SECRET", "hush"),
    ],
)
def test_credentials_do_not_go_with_the_simulator(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    set_all(monkeypatch, **{f"TWILIO_{name}": value})
    assert refusal().startswith(f"RAPID_RESPONSE_TWILIO_{name} ")
    assert "no adapter that can reach a network is built" in refusal()
    assert "hush" not in refusal()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"BASE_URL": "http://example.org"}, "RAPID_RESPONSE_BASE_URL must begin with https://"),
        ({"BASE_URL": "https://our_host.example.org"}, "RAPID_RESPONSE_BASE_URL must have a host without"),
        ({"CLOCK_SPEED": "2"}, "RAPID_RESPONSE_CLOCK_SPEED above 1"),
        ({"TWILIO_ACCOUNT_SID": ""}, "RAPID_RESPONSE_TWILIO_ACCOUNT_SID must be set"),
        ({"TWILIO_AUTH_TOKEN": ""}, "RAPID_RESPONSE_TWILIO_AUTH_TOKEN must be set"),
        (
            {"TWILIO_AUTH_TOKEN": "", "TWILIO_API_KEY_SID": "SK1", "TWILIO_API_KEY_SECRET": "hush"},
            "RAPID_RESPONSE_TWILIO_AUTH_TOKEN must be set",
        ),
        ({"TWILIO_API_KEY_SID": "SK1"}, "RAPID_RESPONSE_TWILIO_API_KEY_SECRET belong together"),
        ({"TWILIO_API_KEY_SECRET": "hush"}, "RAPID_RESPONSE_TWILIO_API_KEY_SECRET belong together"),
        ({"TWILIO_FROM": ""}, "Exactly one of RAPID_RESPONSE_TWILIO_FROM"),
        (SERVICE | {"TWILIO_FROM": "+447700900000"}, "Exactly one of RAPID_RESPONSE_TWILIO_FROM"),
        ({"TWILIO_REGION": "ie1"}, "RAPID_RESPONSE_TWILIO_EDGE belong together"),
        ({"TWILIO_EDGE": "dublin"}, "RAPID_RESPONSE_TWILIO_EDGE belong together"),
    ],
)
def test_twilio_is_refused_where_it_could_not_keep_the_promise(
    monkeypatch: pytest.MonkeyPatch, command: Command, change: dict[str, str], named: str
) -> None:
    set_all(monkeypatch, **TWILIO | change)
    assert named in refusal()
    assert "hush" not in refusal()
    done = command("export-service")
    assert done.status == 2
    assert one_sentence(done.err)


@pytest.mark.parametrize(
    "change",
    [
        {},
        SERVICE,
        {"TWILIO_FROM": "60777", "TWILIO_VOICE_FROM": "+442079460100"},
        {"BASE_URL": "http://127.0.0.1:8000"},
        {"BASE_URL": "http://[::1]:8000"},
        {"BASE_URL": "https://example.org/rapid"},
        {"CLOCK_SPEED": "2", "ALLOW_FAST_CLOCK": "1"},
        {"TWILIO_REGION": "ie1", "TWILIO_EDGE": "dublin"},
        {"TWILIO_API_KEY_SID": "SK1", "TWILIO_API_KEY_SECRET": "hush"},
        {"TWILIO_API_BASE_URL": "http://127.0.0.1:9"},
    ],
)
def test_twilio_can_be_chosen(monkeypatch: pytest.MonkeyPatch, change: dict[str, str]) -> None:
    set_all(monkeypatch, **TWILIO | change)
    settings = read_settings()
    assert settings.has_real_provider
    assert settings.twilio_callback_fragment == "rc=3&rp=all&ct=3000&rt=5000"
    assert "hush" not in repr(settings)


MAIL = {"SMTP_HOST": "mail.example.org", "SMTP_FROM": "duty@example.org", "SMTP_TO": "desk@example.org"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SMTP_HOST": ""}, "RAPID_RESPONSE_SMTP_FROM does nothing without"),
        ({"SMTP_FROM": ""}, "RAPID_RESPONSE_SMTP_FROM must be set with"),
        ({"SMTP_TO": ""}, "RAPID_RESPONSE_SMTP_TO must be set with"),
        ({"SMTP_USERNAME": "duty"}, "RAPID_RESPONSE_SMTP_PASSWORD belong together"),
        (
            {"SMTP_USERNAME": "duty", "SMTP_PASSWORD": "hush", "SMTP_SECURITY": "off"},
            "RAPID_RESPONSE_SMTP_PASSWORD over an open line",
        ),
    ],
)
def test_mail_is_refused_where_it_could_not_go(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], named: str
) -> None:
    set_all(monkeypatch, **MAIL | change)
    assert named in refusal()
    assert "hush" not in refusal()


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"SMTP_SECURITY": "off", "SMTP_PORT": "25"},
        {"SMTP_USERNAME": "duty", "SMTP_PASSWORD": "hush"},
        {"SMTP_HOST": "127.0.0.1", "SMTP_USERNAME": "duty", "SMTP_PASSWORD": "hush", "SMTP_SECURITY": "off"},
    ],
)
def test_mail_can_be_chosen(monkeypatch: pytest.MonkeyPatch, change: dict[str, str]) -> None:
    set_all(monkeypatch, **MAIL | change)
    assert read_settings().smtp_to == "desk@example.org"
    assert "hush" not in repr(read_settings())


def test_the_callback_fragment_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, **TWILIO, TWILIO_CALLBACK_FRAGMENT="off")
    assert read_settings().twilio_callback_fragment == ""


# ---------------------------------------------------------------- secrets in files


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "url").write_text(f"{POSTGRES}\n")
    (folder / "key").write_text(f"{KEY}\r\n")
    set_all(monkeypatch, DATABASE_URL_FILE=str(folder / "url"), SECRET_KEY_FILE="key")
    settings = read_settings()
    assert settings.database_url == POSTGRES
    assert settings.signing_key() == KEY


def test_a_file_named_in_dotenv_gives_way_to_the_environment(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / ".env").write_text("RAPID_RESPONSE_SECRET_KEY_FILE=nowhere\n")
    set_all(monkeypatch, SECRET_KEY=KEY)
    assert read_settings().signing_key() == KEY


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SECRET_KEY=KEY, SECRET_KEY_FILE="key")
    assert "RAPID_RESPONSE_SECRET_KEY and RAPID_RESPONSE_SECRET_KEY_FILE are both set" in refusal()


@pytest.mark.parametrize("content", [None, b"", b"\n", b"two\nlines", b"\xff\xfe", b"x" * 70_000])
def test_a_secret_file_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, folder: Path, content: bytes | None
) -> None:
    if content is not None:
        (folder / "hush").write_bytes(content)
    set_all(monkeypatch, METRICS_TOKEN_FILE="hush")
    assert "RAPID_RESPONSE_METRICS_TOKEN_FILE" in refusal()
    assert "hush" not in refusal()


@pytest.mark.parametrize("content", [b"RAPID_RESPONSE_LOG_LEVEL debug=\n", b"\xff\xfe\n"])
def test_an_env_file_that_cannot_be_read_is_refused(folder: Path, content: bytes) -> None:
    (folder / ".env").write_bytes(content)
    assert ".env" in refusal()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SECRET_KEY=KEY, DATABASE_URL=POSTGRES, HEARTBEAT_URL="https://example.org/hush")
    shown = repr(read_settings())
    assert KEY not in shown
    assert "hush" not in shown


# ---------------------------------------------------------------- the key that is made


def test_the_key_is_made_once_and_only_ours_to_read(folder: Path) -> None:
    first = read_settings().signing_key()
    assert len(first) >= 32
    assert read_settings().signing_key() == first
    assert stat.S_IMODE((folder / "rapid_response.db.secret").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["rapid_response.db.secret"]


def test_a_damaged_key_is_refused(folder: Path) -> None:
    (folder / "rapid_response.db.secret").write_text("abc")
    with pytest.raises(SettingsProblem, match="damaged"):
        read_settings().signing_key()


def test_postgresql_wants_a_key_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, DATABASE_URL=POSTGRES)
    with pytest.raises(SettingsProblem, match="RAPID_RESPONSE_SECRET_KEY must be set"):
        read_settings().signing_key()


def test_the_previous_key_is_believed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().previous_signing_key() is None
    set_all(monkeypatch, SECRET_KEY_PREVIOUS=KEY)
    assert read_settings().previous_signing_key() == KEY


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite+aiosqlite:///./rapid_response.db", Path("rapid_response.db")),
        ("sqlite+aiosqlite:////data/our%20town.db?timeout=3", Path("/data/our town.db")),
        (POSTGRES, None),
    ],
)
def test_where_the_sqlite_file_is(url: str, path: Path | None) -> None:
    assert Settings(database_url=url).sqlite_path == path
