"""Every RAPID_RESPONSE_ variable, checked before anything starts.

From the environment, over a `.env` file, over the defaults; a secret NAME may stand in a file that NAME_FILE
names. What is unknown or cannot be is refused in one sentence that names the variable and never its value:
a setting that is silently not heeded is found out on the worst day.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from dotenv.parser import parse_stream
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rapid_response.definition.durations import parse_duration

PREFIX = "RAPID_RESPONSE_"
#: Names of the test suite's own switches.
_FOR_TESTS = f"{PREFIX}TEST_"
SHORTEST_KEY = 32
_LARGEST_SECRET_FILE = 64 * 1024
_ENV_FILE = Path(".env")
#: Until then words may still be needed to find out whether a text went.
_SHORTEST_REDACTION = timedelta(hours=1)
#: What the simulated network takes, far above what a borough sends.
_SIMULATED_PER_SECOND = 100.0
_IN_THE_DOCS = "docs/settings.md lists all there are"


class SettingsProblem(Exception):
    """A setting is unknown or impossible; the sentence names it and says what to do, and never its value."""


# ---------------------------------------------------------------- kinds of value


def _database(url: str) -> str:
    if re.match(r"postgresql(\+psycopg)?://[^/]*/?[^/]", url):
        from sqlalchemy import make_url  # here alone: on SQLite, commands that need no database stay light

        make_url(url)  # raises a ValueError for a port that is no number
        return url
    path = re.match(r"sqlite(?:\+aiosqlite)?:///([^?]*)", url)
    if path is None or path[1] in ("", ":memory:"):
        raise ValueError  # said in the words of the field
    return url


def _web_address(url: str, *, https_only: bool = False) -> str:
    """An http or https address without name, password, query or closing slash."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s?#@]", url):
        raise ValueError
    if parts.port == 0 or (https_only and parts.scheme == "http" and not is_loopback(url)):
        raise ValueError
    return url.rstrip("/")


def _endpoint(url: str) -> str:
    """An https address, http on this machine alone; a query may choose the version of an interface."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s#@]", url):
        raise ValueError
    if parts.port == 0 or (parts.scheme == "http" and not is_loopback(url)):
        raise ValueError
    return url


def _networks(text: str) -> str:
    """Addresses and networks, each one that exists; `*` would believe anybody."""
    for part in text.split(","):
        ip_network(part.strip())
    return ",".join(part.strip() for part in text.split(","))


def _mailbox(text: str) -> str:
    """One bare address: no name beside it, and nothing that could begin another header."""
    if not re.fullmatch(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text):
        raise ValueError
    return text


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    return _is_own_host(urlsplit(url).hostname or "")


def _is_own_host(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _heartbeat(url: SecretStr) -> SecretStr:
    if not re.fullmatch(r"https?://[^\s/]+\S*", url.get_secret_value()):
        raise ValueError
    return url


def _sid(prefix: str) -> Any:
    """An id of Twilio's: what it begins with tells an account from a key that was pasted in its place."""
    return Field(pattern=f"^{prefix}[0-9a-zA-Z]{{1,62}}$")


def _fragment(text: str) -> str:
    if text.lower() == "off":
        return ""
    if not re.fullmatch(r"[a-z]{1,3}=[A-Za-z0-9,.-]+(&[a-z]{1,3}=[A-Za-z0-9,.-]+)*", text):
        raise ValueError
    return text


def _redaction(text: str) -> str:
    if text.lower() == "off":
        return "off"
    if parse_duration(text) < _SHORTEST_REDACTION:
        raise ValueError
    return text


_Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
#: A part of a host's name.
_Label = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
_Folded = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
_Key = Annotated[SecretStr, Field(min_length=SHORTEST_KEY)]
_Secret = Annotated[SecretStr, Field(min_length=1)]
_Text = Annotated[str, Field(min_length=1, max_length=300)]


def _setting(default: Any, must: str, **options: Any) -> Any:
    """One setting; `must` completes the sentence that refuses a wrong value: `NAME must …`."""
    return Field(default, json_schema_extra={"must": must}, **options)


_KEY_MUST = f"have at least {SHORTEST_KEY} characters: make one with `openssl rand -hex 32`"
_URL_MUST = "be an address such as https://example.org, without a query, a name or a password"


# ---------------------------------------------------------------- the settings


class Settings(BaseSettings):
    """Infrastructure only: what the service promises, and with whom, is the service definition."""

    # Pydantic's own reader of `.env` would quote a line that it cannot read: ours reads it, unless the caller
    # says `_env_file=None`.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=os.devnull, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    database_url: Annotated[str, AfterValidator(_database)] = _setting(
        "sqlite+aiosqlite:///./rapid_response.db",
        "be sqlite+aiosqlite:/// and a file, or postgresql+psycopg:// with a host and a database's name",
        repr=False,
    )
    base_url: Annotated[str, AfterValidator(_web_address)] = _setting("http://127.0.0.1:8000", _URL_MUST)
    secret_key: _Key | None = _setting(None, _KEY_MUST)
    secret_key_previous: _Key | None = _setting(None, _KEY_MUST)
    time_zone: ZoneInfo = _setting(ZoneInfo("Europe/London"), "be a time zone such as Europe/London")
    clock_speed: Annotated[float, Field(ge=1, le=10_000, allow_inf_nan=False)] = _setting(
        1.0, "be a number from 1 to 10000"
    )
    allow_fast_clock: bool = _setting(False, "be 1 or 0")
    evaluation: bool = _setting(False, "be 1 or 0")
    messages: Annotated[Literal["simulator", "twilio"], _Folded] = _setting(
        "simulator", "be simulator or twilio"
    )
    simulator_number: _Number = _setting("+447700900000", "be a telephone number such as +447700900000")
    twilio_account_sid: Annotated[str, _sid("AC")] | None = _setting(
        None, "be the account's SID, which begins with AC"
    )
    twilio_auth_token: _Secret | None = _setting(None, "not be empty")
    twilio_auth_token_previous: _Secret | None = _setting(None, "not be empty")
    twilio_webhook_shared_key: _Secret | None = _setting(None, "not be empty")
    twilio_api_key_sid: Annotated[str, _sid("SK")] | None = _setting(
        None, "be the key's SID, which begins with SK"
    )
    twilio_api_key_secret: _Secret | None = _setting(None, "not be empty")
    # Two-way is the product: nobody can reply to a name.
    twilio_from: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14}|[1-9][0-9]{4,5})$")] | None = _setting(
        None, "be a telephone number such as +447700900000 (to a name nobody could reply)"
    )
    twilio_messaging_service_sid: Annotated[str, _sid("MG")] | None = _setting(
        None, "be a SID, which begins with MG"
    )
    twilio_voice_from: _Number | None = _setting(None, "be a telephone number such as +442079460100")
    twilio_region: _Label | None = _setting(None, "be a region such as ie1")
    twilio_edge: _Label | None = _setting(None, "be an edge such as dublin")
    twilio_api_base_url: Annotated[str, AfterValidator(lambda u: _web_address(u, https_only=True))] | None = (
        _setting(None, "be an https address; http is for this machine's own only")
    )
    # With the adapter's other limits these stay within the time that a message is leased for.
    twilio_connect_timeout: Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)] = _setting(
        3.0, "be a number of seconds above 0, at most 5"
    )
    twilio_read_timeout: Annotated[float, Field(gt=0, le=12, allow_inf_nan=False)] = _setting(
        10.0, "be a number of seconds above 0, at most 12"
    )
    twilio_callback_fragment: Annotated[str, AfterValidator(_fragment)] = _setting(
        "rc=3&rp=all&ct=3000&rt=5000", "be off, or Twilio's connection overrides such as rc=3&rp=all"
    )
    twilio_redact_after: Annotated[str, AfterValidator(_redaction)] = _setting(
        "PT24H", "be off, or a duration of an hour or more such as PT24H"
    )
    twilio_delete_recordings_after: Annotated[str, AfterValidator(_redaction)] = _setting(
        "P30D", "be off, or a duration of an hour or more such as P30D"
    )
    sms_per_second: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = _setting(
        1.0, "be a number above 0, at most 1000"
    )
    sms_daily_alarm: Annotated[int, Field(ge=1, le=1_000_000)] = _setting(
        1000, "be a whole number from 1 to 1000000"
    )
    twilio_concurrency: Annotated[int, Field(ge=1, le=64)] = _setting(4, "be a whole number from 1 to 64")
    sms_links: bool = _setting(False, "be on or off")
    trusted_proxies: Annotated[str, AfterValidator(_networks)] | None = _setting(
        None, "be addresses or networks with commas between them, such as 10.0.0.5 or 10.0.0.0/24"
    )
    metrics_token: _Secret | None = _setting(None, "not be empty")
    oidc_issuer: Annotated[str, AfterValidator(_web_address)] | None = _setting(None, _URL_MUST)
    oidc_client_id: _Text | None = _setting(None, "be the client's id, at most 300 characters")
    oidc_client_secret: _Secret | None = _setting(None, "not be empty")
    oidc_role_claim: _Text | None = _setting(None, "be the name of a claim, at most 300 characters")
    heartbeat_url: Annotated[SecretStr, AfterValidator(_heartbeat)] | None = _setting(
        None, "be an http or https address"
    )
    second_reader_url: Annotated[str, AfterValidator(_endpoint)] | None = _setting(
        None, "be an https address without a name or a password; http is for this machine's own only"
    )
    second_reader_model: Annotated[str, Field(min_length=1, max_length=100)] | None = _setting(
        None, "be the model's name, at most 100 characters"
    )
    second_reader_key: _Secret | None = _setting(None, "not be empty")
    second_reader_timeout: Annotated[float, Field(ge=1, le=120, allow_inf_nan=False)] = _setting(
        20.0, "be a number of seconds from 1 to 120"
    )
    second_reader_per_day: Annotated[int, Field(ge=1, le=100_000)] = _setting(
        500, "be a whole number from 1 to 100000"
    )
    smtp_host: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,250}[A-Za-z0-9])?$")] | None = (
        _setting(None, "be the mail server's name, such as mail.example.org")
    )
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = _setting(587, "be a whole number from 1 to 65535")
    smtp_security: Annotated[Literal["starttls", "tls", "off"], _Folded] = _setting(
        "starttls", "be starttls, tls or off"
    )
    smtp_username: _Text | None = _setting(None, "be the account's name, at most 300 characters")
    smtp_password: _Secret | None = _setting(None, "not be empty")
    smtp_from: Annotated[str, AfterValidator(_mailbox)] | None = _setting(
        None, "be one address, such as duty@example.org"
    )
    smtp_to: Annotated[str, AfterValidator(_mailbox)] | None = _setting(
        None, "be one address, such as desk@example.org"
    )
    place_lookup_url: Annotated[str, AfterValidator(_web_address)] | None = _setting(None, _URL_MUST)
    erase_when_due: bool = _setting(False, "be 1 or 0")
    log_format: Annotated[Literal["console", "json"], _Folded] | None = _setting(None, "be console or json")
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _Folded] = _setting(
        "info", "be debug, info, warning or error"
    )

    @property
    def has_real_provider(self) -> bool:
        """Whether messages would leave this machine."""
        return self.messages != "simulator"

    @property
    def texts_per_second(self) -> float:
        """The pace of texts. Simulated phones take them as they come, unless a pace was set for them too."""
        if self.has_real_provider or "sms_per_second" in self.model_fields_set:
            return self.sms_per_second
        return _SIMULATED_PER_SECOND

    @property
    def redact_after(self) -> timedelta | None:
        """After how long Twilio keeps no words of ours; None where it keeps them."""
        text = self.twilio_redact_after
        return None if text == "off" else parse_duration(text)

    @property
    def delete_recordings_after(self) -> timedelta | None:
        """After how long Twilio keeps no voicemail whose words stand here; None where it keeps them."""
        text = self.twilio_delete_recordings_after
        return None if text == "off" else parse_duration(text)

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        found = re.match(r"sqlite(?:\+aiosqlite)?:///([^?]*)", self.database_url)
        return Path(unquote(found[1])) if found else None

    def signing_key(self) -> str:
        """The key that signs sessions and links; on SQLite made at first run and kept beside the file.

        Raises :class:`SettingsProblem` on PostgreSQL without one: several nodes must believe each other.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        if self.sqlite_path is None:
            raise SettingsProblem(
                f"{PREFIX}SECRET_KEY must be set with PostgreSQL, the same on every node: "
                "make one with `openssl rand -hex 32`."
            )
        return _kept_key(Path(f"{self.sqlite_path}.secret"))

    def previous_signing_key(self) -> str | None:
        """The key that signed before it was changed, still believed."""
        return self.secret_key_previous.get_secret_value() if self.secret_key_previous else None

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        problem = next(_contradictions(self), None)
        if problem is not None:
            raise ValueError(problem)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        wants_file = getattr(dotenv_settings, "env_file", None) is not None
        return init_settings, _Environment(settings_cls, _ENV_FILE if wants_file else None)


def _contradictions(settings: Settings) -> Iterator[str]:
    """What cannot be together, most telling first."""
    if (settings.twilio_region is None) != (settings.twilio_edge is None):
        yield (
            f"{PREFIX}TWILIO_REGION and {PREFIX}TWILIO_EDGE belong together: "
            "set both, or neither, so that nothing is sent by way of another country."
        )
    if settings.second_reader_url is not None and settings.second_reader_model is None:
        yield (
            f"{PREFIX}SECOND_READER_URL needs {PREFIX}SECOND_READER_MODEL beside it: name the model that is "
            "asked, because agreement with it is counted by that name."
        )
    if settings.second_reader_url is None and settings.second_reader_key is not None:
        yield (
            f"{PREFIX}SECOND_READER_KEY does nothing without {PREFIX}SECOND_READER_URL: set the address, or "
            "take the key out."
        )
    yield from _about_mail(settings)
    if not settings.has_real_provider:
        for name in _CREDENTIALS:
            if getattr(settings, name) is not None:
                yield (
                    f"{_variable(name)} does not go with {PREFIX}MESSAGES=simulator, with which no adapter "
                    "that can reach a network is built: take the credential out, lest this pass for live."
                )
        return
    if settings.base_url.startswith("http:") and not is_loopback(settings.base_url):
        yield f"{PREFIX}BASE_URL must begin with https:// when {PREFIX}MESSAGES is a real provider."
    if settings.clock_speed > 1 and not settings.allow_fast_clock:
        yield (
            f"{PREFIX}CLOCK_SPEED above 1 would hurry real people when {PREFIX}MESSAGES is a real provider: "
            f"set it to 1, or set {PREFIX}ALLOW_FAST_CLOCK=1 if you mean it."
        )
    yield from _missing(settings)


def _about_mail(settings: Settings) -> Iterator[str]:
    """Mail goes somewhere, from somebody, and no password over an open line."""
    if settings.smtp_host is None:
        for name in ("smtp_username", "smtp_password", "smtp_from", "smtp_to"):
            if getattr(settings, name) is not None:
                yield f"{_variable(name)} does nothing without {PREFIX}SMTP_HOST: set it, or take this out."
        return
    for name in ("smtp_from", "smtp_to"):
        if getattr(settings, name) is None:
            yield f"{_variable(name)} must be set with {PREFIX}SMTP_HOST: mail needs a sender and a mailbox."
    if (settings.smtp_username is None) != (settings.smtp_password is None):
        yield f"{PREFIX}SMTP_USERNAME and {PREFIX}SMTP_PASSWORD belong together: set both, or neither."
    is_open = settings.smtp_security == "off" and not _is_own_host(settings.smtp_host)
    if is_open and settings.smtp_password is not None:
        yield (
            f"{PREFIX}SMTP_SECURITY=off would send {PREFIX}SMTP_PASSWORD over an open line: choose starttls "
            "or tls, or take the password out."
        )


def _missing(settings: Settings) -> Iterator[str]:
    """What Twilio cannot do without."""
    with_twilio = f"with {PREFIX}MESSAGES=twilio"
    if settings.twilio_account_sid is None:
        yield f"{PREFIX}TWILIO_ACCOUNT_SID must be set {with_twilio}: it begins with AC."
    if settings.twilio_auth_token is None:
        yield (
            f"{PREFIX}TWILIO_AUTH_TOKEN must be set {with_twilio}, also where an API key signs in: "
            "without it nobody can tell Twilio's webhooks from anybody else's."
        )
    if (settings.twilio_api_key_sid is None) != (settings.twilio_api_key_secret is None):
        yield (
            f"{PREFIX}TWILIO_API_KEY_SID and {PREFIX}TWILIO_API_KEY_SECRET belong together: "
            "set both, or neither, and then the auth token signs in."
        )
    if (settings.twilio_from is None) == (settings.twilio_messaging_service_sid is None):
        yield (
            f"Exactly one of {PREFIX}TWILIO_FROM and {PREFIX}TWILIO_MESSAGING_SERVICE_SID must be set "
            f"{with_twilio}: that is where texts come from."
        )
    if "_" in (urlsplit(settings.base_url).hostname or ""):
        yield f"{PREFIX}BASE_URL must have a host without underscores {with_twilio}, which refuses them."


_CREDENTIALS = (
    "twilio_account_sid",
    "twilio_auth_token",
    "twilio_auth_token_previous",
    "twilio_webhook_shared_key",
    "twilio_api_key_sid",
    "twilio_api_key_secret",
)
#: What may stand in a file that NAME_FILE names; a database's address holds its password.
SECRETS = (
    "database_url",
    "secret_key",
    "secret_key_previous",
    "twilio_auth_token",
    "twilio_auth_token_previous",
    "twilio_webhook_shared_key",
    "twilio_webhook_shared_key",
    "twilio_api_key_secret",
    "metrics_token",
    "oidc_client_secret",
    "heartbeat_url",
    "second_reader_key",
    "smtp_password",
)


# ---------------------------------------------------------------- where they come from


def read_settings(**given: Any) -> Settings:
    """The settings of this process; `given` ones win. Raises :class:`SettingsProblem`."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsProblem(_sentence(error)) from None


def variables() -> list[str]:
    """Every variable that is understood, the `_FILE` ones included."""
    return [_variable(name) for name in Settings.model_fields] + [
        f"{_variable(name)}_FILE" for name in SECRETS
    ]


class _Environment(PydanticBaseSettingsSource):
    """The environment over `.env`; empty means not set."""

    def __init__(self, settings_cls: type[BaseSettings], env_file: Path | None) -> None:
        super().__init__(settings_cls)
        self._env_file = env_file

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        in_file = _ours(_read_env_file(self._env_file), f", in {self._env_file},")
        in_environment = _ours(os.environ, "")
        # The nearer one speaks for both spellings: a NAME_FILE in `.env` must not clash with NAME outside it.
        for name in SECRETS:
            pair = {_variable(name), f"{_variable(name)}_FILE"}
            if pair & in_environment.keys():
                in_file = {key: value for key, value in in_file.items() if key not in pair}
        said = in_file | in_environment
        values = {}
        for name in Settings.model_fields:
            value = _value(name, said)
            if value is not None:
                values[name] = value
        return values


def _ours(source: Mapping[str, str], where: str) -> dict[str, str]:
    """The variables of ours that are set; refuses those that nobody would heed."""
    known = set(variables())
    ours = {}
    for name, value in source.items():
        if not name.upper().startswith(PREFIX) or name.startswith(_FOR_TESTS):
            continue
        if name not in known:
            plain = name.upper().removesuffix("_FILE")
            near = [plain] if plain in known else get_close_matches(name.upper(), sorted(known), 1, 0.8)
            advice = f"did you mean {near[0]}?" if near else f"take it out; {_IN_THE_DOCS}."
            raise SettingsProblem(f"{name}{where} is not a setting of rapid-response: {advice}")
        if value != "":
            ours[name] = value
    return ours


def _read_env_file(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    values = {}
    try:
        with path.open(encoding="utf-8-sig") as file:
            for binding in parse_stream(file):
                if binding.error:
                    raise SettingsProblem(
                        f"Line {binding.original.line} of {path} cannot be read: write NAME=value on it."
                    )
                if binding.key is not None:
                    values[binding.key] = binding.value or ""
    except (OSError, UnicodeDecodeError):
        raise SettingsProblem(
            f"{path} cannot be read: correct its permissions and save it as UTF-8."
        ) from None
    return values


def _value(name: str, said: Mapping[str, str]) -> str | None:
    variable = _variable(name)
    in_file = f"{variable}_FILE"
    if name not in SECRETS or in_file not in said:
        return said.get(variable)
    if variable in said:
        raise SettingsProblem(f"{variable} and {in_file} are both set: keep one of the two.")
    return _from_file(in_file, said[in_file])


def _from_file(variable: str, path: str) -> str:
    """A secret from its file. The path is not repeated: it may be the secret itself, set by mistake."""
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_SECRET_FILE + 1)
        text = content.decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path to UTF-8 text"
        raise SettingsProblem(
            f"{variable} names a file that cannot be read ({why}): correct the path or the permissions."
        ) from None
    if not text or len(content) > _LARGEST_SECRET_FILE or "\n" in text:
        raise SettingsProblem(
            f"{variable} names a file that is not one line of text: write the secret into it."
        )
    return text


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _sentence(error: ValidationError) -> str:
    """The first thing wrong, without the value that is wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    if not first["loc"]:
        return str(first["ctx"]["error"])
    name = str(first["loc"][0])
    field = Settings.model_fields.get(name)
    extra = field.json_schema_extra if field is not None else None
    must = extra.get("must") if isinstance(extra, dict) else None
    return f"{_variable(name)} must {must}." if must else f"{_variable(name)} is not a setting."


# ---------------------------------------------------------------- the key that is made


def _kept_key(path: Path) -> str:
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise SettingsProblem(
            f"The signing key cannot be kept in {path} ({why}): "
            f"correct the folder's permissions, or set {PREFIX}SECRET_KEY."
        ) from None
    if len(key) < SHORTEST_KEY:
        raise SettingsProblem(
            f"The signing key in {path} is damaged: delete the file, and a new one is made."
        )
    return key


def _make_key(path: Path) -> None:
    """Written whole before it has its name, so that nobody ever reads half a key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was quicker: its key counts
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
