"""Every setting of the service, in one class.

A value comes from, in this order: an argument (a command line option), an environment variable (`TANGLE_` and the
name in capitals), the file `tangle.toml` in the data directory or another one named, the default. Unknown names in
any of them are errors: a mistyped setting must not be silently the default.

Settings of the network matter when it is made. Afterwards they are fixed; one that is given and differs from the
network in the database keeps the node from starting.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tangle.disk.errors import TextRefused
from tangle.disk.texts import read_text
from tangle.errors import nearest
from tangle.node import NodeSettings
from tangle.protocol.errors import ProtocolError
from tangle.protocol.parameters import PARENTS_MAX, ProtocolParameters, RentStructure
from tangle.service import names
from tangle.service.errors import SettingInvalid
from tangle.service.writer import WriterSettings
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.selectors import SELECTORS

ENV_PREFIX = "TANGLE_"
CONFIG_NAME = "tangle.toml"
OF_OTHERS = frozenset({"MAM_KEY", "NODE", "PYTHON", "SIDE_KEY", "WALLET", "WALLET_PASSWORD"})
"""names in the environment, behind the prefix, that are no settings: other commands read them, and scripts that
start nodes name their Python so"""
_ALL = f"{CONFIG_NAME} in the data directory lists all of them"
_FRESH = ProtocolParameters()
_NODE = NodeSettings()
_WRITER = WriterSettings()


class Settings(BaseSettings):
    """See the description of each field; `load` reads them from everywhere."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(14265, ge=0, le=65_535, description="port to listen on; 0 takes a free one")
    data: Path = Field(Path("data"), description="directory of keys, settings and database")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in tangle.db in the data directory")
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"
    )

    network_name: str = Field(_FRESH.network_name, description="name of the network; its id is derived from it")
    bech32_hrp: str = Field(_FRESH.bech32_hrp, description="first part of the network's addresses")
    token_supply: int = Field(_FRESH.token_supply, ge=1, description="base units that exist")
    min_pow_score: int = Field(_FRESH.min_pow_score, ge=0, description="least proof-of-work score of a block")
    below_max_depth: int = Field(
        _FRESH.below_max_depth, ge=1, le=255, description="milestones a new block's past may reach back"
    )
    v_byte_cost: int = Field(1, ge=1, description="price of a weighted byte in the ledger, in base units")
    v_byte_factor_data: int = Field(1, ge=1, le=255, description="weight of a byte of data")
    v_byte_factor_key: int = Field(10, ge=1, le=255, description="weight of a byte of a key")

    coordinator: bool = Field(True, description="whether this node issues milestones")
    milestone_interval_ms: int = Field(
        _WRITER.milestone_interval_ms, ge=1_000, description="between milestones while there is something new"
    )
    milestone_silence_ms: int = Field(
        _WRITER.milestone_silence_ms,
        ge=1_000,
        le=240_000,
        description="between milestones when there is nothing new; wallets give up after 300 s without one",
    )

    clock_step_max_s: int = Field(
        300, ge=10, description="seconds that the clock may jump, or be behind, before milestones are held"
    )
    accept_clock: str = Field(
        "", description="the time that it is (2026-11-30T15:04), to say that a clock in doubt is right"
    )
    accept_older_copy: int = Field(
        -1, ge=-1, description="the milestone that an older copy of the database ends with, to go on from there"
    )

    pow: bool = Field(True, description="whether the node does the proof of work for clients that send no nonce")
    pow_workers: int = Field(0, ge=0, le=256, description="threads of one such search; 0: all cores")
    pow_concurrency: int = Field(1, ge=1, le=64, description="searches at the same time")
    pow_queue_max: int = Field(1_000, ge=0, description="requests that may wait for a search")
    pow_hashes_max: int = Field(
        100_000_000,
        ge=0,
        description="hashes that the blocks that wait for a search may take; half for one client",
    )

    faucet: bool = Field(True, description="whether the node gives away coins of its faucet on request")
    faucet_fund: int = Field(
        1_000_000_000_000, ge=1, description="base units that the faucet of a new network gets of the supply, once"
    )
    supply_file: str = Field(
        "",
        description="wallet file for the words of a new network's supply; empty: DIR-supply.json beside DIR, the "
        "data directory",
    )
    faucet_amount: int = Field(1_000_000_000, ge=1, description="base units per request")
    faucet_balance_max: int = Field(
        10_000_000_000, ge=1, description="base units; an address that holds as many gets no more"
    )
    faucet_queue_max: int = Field(1_000, ge=1, description="requests that may wait")
    faucet_client_hourly: int = Field(
        100, ge=1, description="requests of one client's address that are taken in an hour"
    )
    faucet_address_hourly: int = Field(20, ge=1, description="requests for one address that are taken in an hour")

    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="origins of web pages that may call this node, separated by commas; * allows all, empty none",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description=(
            "names with a dot under which this node is reached, separated by commas; * allows all. Addresses, "
            "names without a dot and the machine's own name are always allowed"
        ),
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="addresses or networks of proxies whose X-Forwarded-For and -Proto are believed, by commas",
    )
    root_path: str = Field("", description="path under which a proxy serves this node, such as /tangle")
    connections_max: int = Field(4_096, ge=8, description="connections open at the same time")
    connections_per_client_max: int = Field(
        256,
        ge=1,
        description="of one address, or IPv6 network of 64 bits; this machine may take three quarters of all",
    )
    head_bytes_max: int = Field(
        32_768, ge=4_096, description="bytes of a request's header, and of what surrounds the pieces of its body"
    )
    url_bytes_max: int = Field(8_192, ge=1_024, description="bytes of a request's URL")
    head_s: float = Field(15, gt=0, description="seconds that a client may take for a request's header")
    body_s: float = Field(60, gt=0, description="seconds that it may take for the body")
    stalled_s: float = Field(
        30,
        gt=0,
        description="seconds in which a client must take some of what it is sent; then it is disconnected",
    )
    unread_bytes_max: int = Field(
        64 * 2**20, ge=2**20, description="bytes of answers that wait to be read, of all clients together"
    )
    readers: int = Field(
        1,
        ge=0,
        le=64,
        description="processes that answer dear questions, once there are any; 0: the node itself does",
    )
    answer_limit_s: float = Field(10, gt=0, description="seconds that the answer to a question may take")
    body_bytes_max: int = Field(262_144, ge=65_536, description="bytes of a request body")
    page_size_max: int = Field(1_000, ge=1, le=10_000, description="elements of one page of an answer")
    event_ring: int = Field(20_000, ge=1, description="events kept in memory for subscribers")
    event_subscribers_max: int = Field(2_000, ge=1, description="event streams open at the same time")
    event_subscribers_per_client_max: int = Field(
        64, ge=1, description="of one address; this machine may take three quarters of all"
    )
    tag_ring_bytes: int = Field(
        16 * 2**20, ge=1, description="bytes kept in memory for subscribers of tags, all together"
    )

    queue_max: int = Field(_WRITER.queue_max, ge=1, description="blocks that may wait for the writer")
    batch_max: int = Field(_WRITER.batch_max, ge=1, description="blocks per commit")
    parents_wait_ms: int = Field(
        _WRITER.parents_wait_ms, ge=0, description="how long a block waits for missing parents"
    )
    waiting_bytes_max: int = Field(
        _NODE.waiting_bytes_max, ge=32_768, description="bytes of blocks that may wait for missing parents"
    )
    window_blocks_max: int = Field(
        _NODE.window_blocks_max, ge=1_000, description="blocks in memory; more are refused until milestones come"
    )

    selector: str = Field(_NODE.selector, description=f"tip selection: {', '.join(SELECTORS)}")
    selector_settings: Annotated[dict[str, float], NoDecode] = Field(
        dict(_NODE.selector_settings),
        description="what that selection takes beside alpha; in the environment: age=500,alpha=0.02",
    )
    alpha: float = Field(_NODE.alpha, ge=0, description="how strongly walks prefer heavy branches")
    tip_count: int = Field(_NODE.tip_count, ge=1, le=PARENTS_MAX, description="tips handed out, 1 to 8")
    confidence_walks: int = Field(_NODE.confidence_walks, ge=1, le=100_000, description="walks per confidence")
    confidence_thresholds: Annotated[tuple[float, ...], NoDecode] = Field(
        _NODE.confidence_thresholds, description="shares from 0 to 1 told as events, separated by commas"
    )
    confidence_interval_ms: int = Field(
        _WRITER.confidence_interval_ms, ge=10, description="between samplings of confidence, at least"
    )
    confidence_share: float = Field(
        _WRITER.confidence_share, gt=0, le=1, description="of a core that sampling takes, at most"
    )

    @field_validator("cors_origins", "allowed_hosts", "trusted_proxies", "confidence_thresholds", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("selector_settings", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part.partition("=") for part in value.split(",") if part.strip()]
        return {name.strip(): number.strip() for name, _, number in parts}

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(names.origin, value))

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(names.host, value))

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(names.proxy, value))

    @field_validator("root_path")
    @classmethod
    def _prefix(cls, value: str) -> str:
        return names.path_prefix(value)

    @field_validator("database_url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            url = make_url(value) if value else None
        except (ArgumentError, ValueError):
            raise ValueError("no SQLAlchemy URL, such as sqlite:////var/lib/tangle/tangle.db") from None
        if url is not None and url.get_backend_name() == "sqlite" and "?" in value:
            raise ValueError("a URL of SQLite takes no query; a ? in the name of a file is written %3F")
        return value

    @field_validator("confidence_thresholds")
    @classmethod
    def _shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < share <= 1 for share in value):
            raise ValueError("must be shares above 0, up to 1")
        return value

    @classmethod
    def load(cls, config: Path | None = None, **given: Any) -> Self:
        """Settings from arguments, environment, file and defaults.

        Parameters
        ----------
        config : the file; by default `tangle.toml` in the data directory, where it may be absent
        given : by field name; None stands for not given

        Raises
        ------
        SettingInvalid
        """
        arguments = {name: value for name, value in given.items() if value is not None}
        data = arguments.get("data") or os.environ.get(f"{ENV_PREFIX}DATA") or cls.model_fields["data"].default
        stored = _read(config or Path(data) / CONFIG_NAME, required=config is not None)
        in_environment = {name.upper() for name, value in os.environ.items() if value}
        _check_environment(in_environment, cls.model_fields)
        stored = {name: value for name, value in stored.items() if ENV_PREFIX + name.upper() not in in_environment}
        try:
            settings = cls(**{**stored, **arguments})
            settings.parameters()
            settings.node_settings()
        except ValidationError as error:
            first = error.errors()[0]
            name, rule = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
            if first["type"] == "extra_forbidden":
                rule = _unknown(name, cls.model_fields)
            raise SettingInvalid(name, rule) from None
        except ProtocolError as error:
            raise SettingInvalid(error.field, error.rule) from None
        except BadSetting as error:
            name = error.field if error.field in cls.model_fields else f"selector_settings.{error.field}"
            raise SettingInvalid(name, error.rule) from None
        return settings

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database."""
        # Made of its parts: a directory may be called anything, and a text would be read as a URL with a query.
        own = URL.create("sqlite", database=str(self.data / "tangle.db"))
        return self.database_url or own.render_as_string(hide_password=False)

    @property
    def supply_path(self) -> Path:
        """The wallet file with the words of the supply, outside of the data directory."""
        data = self.data.absolute()
        return (
            Path(self.supply_file).expanduser() if self.supply_file else data.with_name(f"{data.name}-supply.json")
        )

    def parameters(self) -> ProtocolParameters:
        """The protocol parameters of a network made with these settings. Raises ProtocolError."""
        return ProtocolParameters(
            network_name=self.network_name,
            bech32_hrp=self.bech32_hrp,
            min_pow_score=self.min_pow_score,
            below_max_depth=self.below_max_depth,
            rent_structure=RentStructure(self.v_byte_cost, self.v_byte_factor_data, self.v_byte_factor_key),
            token_supply=self.token_supply,
        )

    def asked_parameters(self, stored: ProtocolParameters) -> ProtocolParameters:
        """`stored` with those that were given, rather than left at their default, in their place."""
        asked, given = self.parameters(), self.model_fields_set
        rent, stored_rent = asked.rent_structure, stored.rent_structure
        return ProtocolParameters(
            **{
                name: getattr(asked if name in given else stored, name)
                for name in NETWORK_SETTINGS
                if not name.startswith("v_byte")
            },
            rent_structure=RentStructure(
                **{
                    name: getattr(rent if name in given else stored_rent, name)
                    for name in NETWORK_SETTINGS
                    if name.startswith("v_byte")
                }
            ),
        )

    def node_settings(self) -> NodeSettings:
        """What the node is told."""
        return NodeSettings(
            selector=self.selector,
            selector_settings=self.selector_settings,
            alpha=self.alpha,
            tip_count=self.tip_count,
            confidence_walks=self.confidence_walks,
            confidence_thresholds=self.confidence_thresholds,
            waiting_bytes_max=self.waiting_bytes_max,
            window_blocks_max=self.window_blocks_max,
        )

    def writer_settings(self) -> WriterSettings:
        """What the writer is told."""
        return WriterSettings(
            queue_max=self.queue_max,
            batch_max=self.batch_max,
            parents_wait_ms=self.parents_wait_ms,
            milestone_interval_ms=self.milestone_interval_ms,
            milestone_silence_ms=self.milestone_silence_ms,
            confidence_interval_ms=self.confidence_interval_ms,
            confidence_share=self.confidence_share,
            coordinator=self.coordinator,
        )


NETWORK_SETTINGS = (
    "network_name",
    "bech32_hrp",
    "token_supply",
    "min_pow_score",
    "below_max_depth",
    "v_byte_cost",
    "v_byte_factor_data",
    "v_byte_factor_key",
)
"""fixed when the network is made"""
_NOT_IN_FILE = ("data",)


def commented_toml(settings: Settings) -> str:
    """A settings file that documents every setting; those of the network are set, the others stand as comments."""
    lines = [
        "# Settings of this node. Remove a # to set one; environment variables (TANGLE_PORT=...) and command line",
        "# options come first.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        if name in _NOT_IN_FILE:
            continue
        lines.append(f"# {field.description}")
        if name in NETWORK_SETTINGS:
            lines[-1] += "; fixed, it belongs to the network"
        sign = "" if name in NETWORK_SETTINGS else "# "
        lines += [f"{sign}{name} = {_toml(getattr(settings, name))}", ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(part)}" for name, part in value.items()) + "}"
    return str(value)


def _check_environment(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise SettingInvalid for a variable that has our prefix and is no setting."""
    expected = {ENV_PREFIX + name.upper() for name in (*known, *OF_OTHERS)}
    for name in sorted(names):
        if name.startswith(ENV_PREFIX) and name not in expected:
            raise SettingInvalid(name, _unknown(name.removeprefix(ENV_PREFIX).lower(), known))


def _unknown(name: str, known: Iterable[str]) -> str:
    """The rule that an unknown name broke; all names would fill a screen, so only the nearest is told."""
    near = nearest(name, known)
    return f"there is no such setting; did you mean {near}?" if near else f"there is no such setting; {_ALL}"


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise SettingInvalid("config", f"there is no file {path}") from None
        return {}
    except TextRefused as error:
        raise SettingInvalid("config", str(error)) from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingInvalid("config", f"{path}: {error}") from None
