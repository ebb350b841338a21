"""Channels from the command line, against a node in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tangle.cli.errors import FileUnreadable, InvalidValue
from tangle.cli.mam.input import csv_bodies
from tangle.cli.mam.output import JsonLines, Table
from tangle.mam import Channel, Message, Mode, Position
from tests.cli.conftest import COMMAND, ROOT, RUN_S, Ended, Run, RunningNode, StartNode
from tests.tries import drawn

NOWHERE = "http://127.0.0.1:9"
"""nobody listens there"""


@dataclass(frozen=True)
class Pump:
    """A channel and how to call commands on it."""

    tangle: Run
    directory: Path
    made: dict[str, Any]

    @property
    def channel(self) -> Path:
        return self.directory / "pump.channel"

    def mam(self, *args: object, **options: Any) -> Ended:
        return self.tangle("mam", *args, **options)

    def do(self, *args: object, **options: Any) -> Any:
        return self.mam(*args, "--json", **options).json

    def publish(self, *args: object, **options: Any) -> Any:
        return self.do("publish", self.channel, *args, **options)

    def follow(self, *args: object, **options: Any) -> list[dict[str, Any]]:
        """What there is by now; nothing is no success of the command, and no failure of a test that waits."""
        ended = self.mam("follow", *args, "--no-live", "--json", **options)
        assert ended.code == 0 or '"nothing_read"' in ended.err, ended.err
        return [json.loads(line) for line in ended.out.splitlines()]

    def reader(self, name: str) -> tuple[Path, str]:
        """A reader's key file and public key."""
        key = self.directory / f"{name}.key"
        return key, self.mam("key", key, "--json").json["publicKey"]

    @property
    def access(self) -> list[str]:
        side_key = ["--side-key", self.made["sideKey"]] if "sideKey" in self.made else []
        return [self.made["root"], "--mode", self.made["mode"], *side_key]


NewPump = Callable[..., Pump]


@pytest.fixture
def pump(tangle: Run, tmp_path: Path) -> NewPump:
    def new(mode: str, *args: object) -> Pump:
        channel = tmp_path / "pump.channel"
        made = tangle("mam", "create", channel, "--mode", mode, *args, "--json")
        return Pump(tangle, tmp_path, made.json)

    return new


def bodies(events: list[dict[str, Any]]) -> list[Any]:
    return [event.get("json", event.get("text")) for event in events if event["event"] == "message"]


@drawn
@pytest.mark.parametrize("mode", ["public", "private", "restricted"])
def test_lines_are_published_and_followed(pump: NewPump, mode: str) -> None:
    one = pump(mode, "--height", 1)
    assert one.publish("first")["blockIds"]
    lines = b'{"bar": 3.20}\n\nlast without an end'
    assert one.publish(stdin=lines) == {"channel": str(one.channel), "messages": 3, "first": 1, "last": 3}
    events = one.follow(*one.access)
    assert bodies(events) == ["first", {"bar": 3.2}, "", "last without an end"]
    assert [event["index"] for event in events] == [0, 1, 2, 3]
    shown = one.mam("follow", *one.access, "--no-live")
    assert shown.out.splitlines()[1] == '     1  {"bar": 3.20}'
    assert [event["index"] for event in one.follow(*one.access, "--start", 1)] == [1, 2, 3]
    assert one.mam("follow", *one.access, "--limit", 2, "--raw").raw == b'first\n{"bar": 3.20}\n'


@pytest.mark.parametrize("size", [0, 2**17])
def test_a_file_of_any_size_is_one_message(pump: NewPump, tmp_path: Path, size: int) -> None:
    one, file = pump("private"), tmp_path / "frame"
    file.write_bytes(bytes(range(256)) * (size // 256))
    one.publish("--file", file)
    assert one.mam("follow", *one.access, "--no-live", "--raw").raw == file.read_bytes() + b"\n"


def test_a_body_that_is_too_long_is_refused_and_nothing_is_signed(pump: NewPump, tmp_path: Path) -> None:
    one, file = pump("private"), tmp_path / "film"
    with file.open("wb") as opened:
        opened.truncate(16 * 2**20 + 1)
    error = one.mam("publish", one.channel, "--file", file, "--json").error
    assert (error["code"], error["field"]) == ("invalid_value", "body")
    assert one.publish("after")["first"] == 0


def test_rows_keep_their_digits_and_come_out_as_a_table(pump: NewPump, tmp_path: Path) -> None:
    one, rows, table = pump("private"), tmp_path / "in.csv", tmp_path / "out.csv"
    rows.write_text('at,pressure_bar,note\n10:00,3.20,1e3\n10:01,,"a, b"\n10:02,007,\n')
    assert one.publish("--csv", rows)["messages"] == 3
    one.publish('{"at": "10:03", "other": 1}')
    one.publish("no object")
    assert one.mam("follow", *one.access, "--no-live", "--csv", table).code == 0
    with table.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["_index", "at", "pressure_bar", "note", "_rest"],
            ["0", "10:00", "3.20", "1e3", ""],
            ["1", "10:01", "", "a, b", ""],
            ["2", "10:02", "007", "", ""],
            ["3", "10:03", "", "", '{"other": 1}'],
            ["4", "", "", "", "no object"],
        ]
    assert one.publish("--csv", rows, "--skip-rows", 2)["messages"] == 1
    typed = tmp_path / "out.parquet"
    assert one.mam("follow", *one.access, "--no-live", "--parquet", typed).code == 0
    found = parquet.read_table(typed).to_pylist()
    assert [row["at"] for row in found] == ["10:00", "10:01", "10:02", "10:03", None, "10:02"]
    assert found[4]["_rest"] == "no object"
    assert one.mam("follow", *one.access, "--no-live", "--parquet", typed).code == 2


def test_rows_of_a_spreadsheet_become_numbers_and_texts(tmp_path: Path) -> None:
    rows = tmp_path / "50%?#.csv"
    rows.write_text(
        "\ufeffZeit;Wert;Serie;Zähler;Note\r\n"
        "31.01.2026 10:00;3,50;007;12345678901234567890123;1e3\r\n"
        "01.02.2026 10:00;;A17;2;trocken\r\n"
    )
    first, second = csv_bodies(rows, time_format="%d.%m.%Y %H:%M")
    assert first.decode() == (
        '{"Zeit":"2026-01-31T10:00:00","Wert":3.50,"Serie":"007","Zähler":12345678901234567890123,"Note":"1e3"}'
    )
    assert json.loads(second) == {"Zeit": "2026-02-01T10:00:00", "Serie": "A17", "Zähler": 2, "Note": "trocken"}
    assert csv_bodies(rows, wanted=["Wert"], skip=1) == [b"{}"]
    assert json.loads(csv_bodies(rows)[0])["Zeit"] == "31.01.2026 10:00"
    for option in ({"wanted": ["Druck"]}, {"time_format": "%Y"}, {"time_format": "no year"}):
        with pytest.raises(InvalidValue):
            csv_bodies(rows, **option)


@pytest.mark.parametrize("said", ["NaN", "-inf", "#N/A"])
def test_what_is_no_number_is_refused_among_numbers(tmp_path: Path, said: str) -> None:
    rows = tmp_path / "in.csv"
    rows.write_text(f"at,bar\n10:00,3.2\n10:01,{said}\n")
    with pytest.raises(FileUnreadable, match=f"row 2, column bar: '{said}' is no number"):
        csv_bodies(rows)
    rows.write_text(f"at,name\n10:00,Anna\n10:01,{said}\n")
    assert json.loads(csv_bodies(rows)[1]) == {"at": "10:01", "name": said}


def test_numbers_and_texts_stay_what_they_are_on_the_way_out(tmp_path: Path) -> None:
    body = (
        b'{"big": 12345678901234567890123, "x": 1e400, "digits": 3.20, "list": [1.50, {"n": 0.10}], "t": "3.20"}'
    )
    told = io.StringIO()
    JsonLines(told).take(Message(0, body, (bytes(32),)))
    text = told.getvalue().replace(" ", "")
    for part in ('"big":12345678901234567890123', '"x":1e400', '"digits":3.20', '[1.50,{"n":0.10}]', '"t":"3.20"'):
        assert part in text
    table = Table(tmp_path / "out.csv")
    table.take(Message(0, body, (bytes(32),)))
    table.take(Message(1, b'{"big": "\\ud800"}', (bytes(32),)))
    table.close()
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1] == ["0", "12345678901234567890123", "1e400", "3.20", '[1.50, {"n": 0.10}]', "3.20", ""]
    assert rows[2][-1] == '{"big": "\\ud800"}'


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("a,b\n1,2\n3\n", "file_unreadable", "has 1 fields"),
        ("a,a\n1,2\n", "file_unreadable", "name every column, each once"),
        ("", "file_unreadable", "name every column"),
        ('a,b\n"1,2\n', "file_unreadable", "no CSV"),
    ],
)
def test_a_bad_table_changes_nothing(pump: NewPump, tmp_path: Path, text: str, code: str, says: str) -> None:
    one, rows = pump("public"), tmp_path / "in.csv"
    rows.write_text(text)
    error = one.mam("publish", one.channel, "--csv", rows, "--json").error
    assert (error["code"], error["exitCode"]) == (code, 2)
    assert says in error["message"]
    assert one.publish("after")["first"] == 0


def test_files_with_secrets_are_closed(pump: NewPump, tmp_path: Path) -> None:
    one = pump("restricted", "--seed", tmp_path / "pump.seed")
    key, public_key = one.reader("customer")
    assert one.mam("grant", one.channel, public_key, "--out", tmp_path / "invitation").code == 0
    one.publish("for the customer")
    one.follow(tmp_path / "invitation", "--key", key, "--bookmark", tmp_path / "place")
    for table in ("--csv", "--parquet"):
        one.mam("follow", tmp_path / "invitation", "--key", key, "--no-live", table, tmp_path / table)
    names = ("pump.channel", "pump.seed", "customer.key", "invitation", "place", "--csv", "--parquet")
    for path in (tmp_path / name for name in names):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    one.channel.chmod(0o604)
    assert "chmod 600" in one.mam("publish", one.channel, "x", "--json").error["message"]
    key.chmod(0o640)
    error = one.mam("follow", tmp_path / "invitation", "--key", key, "--json").error
    assert "chmod 600" in error["message"]
    assert one.mam("create", one.channel, "--json").error["code"] == "channel_exists"
    taken = one.mam("create", tmp_path / "other", "--seed", tmp_path / "pump.seed", "--json").error
    assert taken["code"] == "file_unwritable"


def test_readers_are_let_in_and_shut_out(pump: NewPump, tmp_path: Path) -> None:
    one = pump("restricted", "--height", 2)
    customer, owner = one.reader("customer"), one.reader("owner")
    one.publish("before anybody")
    for (_, public_key), name in ((customer, "customer"), (owner, "owner")):
        one.do("grant", one.channel, public_key, "--out", tmp_path / name)
    one.publish("for both")
    left = one.mam("revoke", one.channel, customer[1], "--json").json
    assert (left["readers"], left["publicKey"]) == (1, customer[1])
    one.publish("for the owner")
    assert one.mam("revoke", one.channel, customer[1], "--json").error["code"] == "not_a_subscriber"

    stays = one.follow(tmp_path / "owner", "--key", owner[0])
    assert bodies(stays) == ["for both", "for the owner"]
    out = one.mam("follow", tmp_path / "customer", "--key", customer[0], "--json")
    assert out.code == 12
    events = [json.loads(line) for line in out.out.splitlines()]
    assert bodies(events) == ["for both"]
    assert [event["event"] for event in events] == ["rekeyed", "message", "revoked"]
    assert json.loads(out.err)["error"]["code"] == "access_revoked"
    wrong = one.mam("follow", tmp_path / "owner", "--key", customer[0], "--json").error
    assert (wrong["code"], wrong["field"]) == ("invalid_value", "--key")


def test_an_invitation_tells_who_signed_it(pump: NewPump, tmp_path: Path) -> None:
    one = pump("restricted")
    key, public_key = one.reader("customer")
    granted = one.do("grant", one.channel, public_key, "--out", tmp_path / "in")
    one.publish("for the customer")
    assert granted["writer"] == one.made["writer"]
    way = [tmp_path / "in", "--key", key, "--writer"]
    ended = one.mam("follow", *way, granted["writer"], "--no-live")
    assert (ended.code, ended.err) == (0, f"the invitation is signed by writer {granted['writer']}\n")
    error = one.mam("export", *way, "0x" + 32 * "00", "--json").error
    assert (error["code"], error["field"]) == ("invalid_value", "--writer")
    error = one.mam("follow", one.made["root"], "--writer", granted["writer"], "--json").error
    assert (error["code"], error["field"]) == ("invalid_value", "--writer")


def test_an_invitation_to_a_private_channel_opens_it(pump: NewPump, tmp_path: Path) -> None:
    one = pump("private", "--height", 0)
    key, public_key = one.reader("customer")
    one.publish("closed")
    one.do("grant", one.channel, public_key, "--out", tmp_path / "in")
    one.publish("open")
    assert bodies(one.follow(tmp_path / "in", "--key", key)) == ["open"]
    public = tmp_path / "public"
    one.do("create", public)
    error = one.mam("grant", public, public_key, "--out", tmp_path / "in2", "--json").error
    assert (error["code"], error["field"]) == ("invalid_value", "CHANNEL")


def test_a_wrong_root_mode_or_side_key_verifies_nothing(pump: NewPump, tmp_path: Path) -> None:
    one, kept = pump("restricted"), tmp_path / "kept"
    one.publish("hidden")
    root, wrong = one.made["root"], "0x" + 32 * "00"
    ways = ([wrong, "--side-key", one.made["sideKey"]], [root, "--side-key", wrong], [root, "--mode", "private"])
    for way, table in zip(ways, ("--csv", "--parquet", "--bookmark"), strict=True):
        ended = one.mam("follow", *way, "--no-live", table, kept)
        assert ended.code == 12
        assert f"message 0 of root {way[0][:10]}… (" in ended.err
        assert "nothing lies under its address 0x" in ended.err
        assert not kept.exists()
        report = one.mam("export", *way, "--json")
        assert report.code == 12
        assert json.loads(report.err)["error"]["code"] == "nothing_read"
        assert (json.loads(report.out)["complete"], json.loads(report.out)["digest"]) == (False, None)
        assert "complete" not in one.mam("export", *way).out
    assert bodies(one.follow(root, TANGLE_SIDE_KEY=one.made["sideKey"])) == ["hidden"]


def test_a_private_channel_read_as_a_public_one_is_told_so(pump: NewPump) -> None:
    one = pump("private")
    one.publish("hidden")
    ended = one.mam("export", one.made["root"], "--json")
    assert "read it with --mode private" in json.loads(ended.err)["error"]["message"]


def test_blocks_that_none_of_the_keys_open_are_counted(pump: NewPump, tangle: Run) -> None:
    one = pump("public")
    for text in ("junk", "more"):
        tangle("data", "post", text, "--tag", one.made["address"])
    for command in ("export", "follow"):
        live = ["--no-live"] if command == "follow" else []
        assert "2 blocks seen under its address" in one.mam(command, one.made["root"], *live).err


def test_a_bookmark_is_of_one_channel(pump: NewPump, tmp_path: Path) -> None:
    one, place = pump("private"), tmp_path / "place"
    one.publish("first")
    one.follow(*one.access, "--bookmark", place)
    assert one.follow(*one.access, "--bookmark", place) == []
    error = one.mam("follow", "0x" + 32 * "07", "--bookmark", place, "--no-live", "--json").error
    assert (error["code"], error["exitCode"]) == ("file_unreadable", 2)
    assert "another channel" in error["message"]


def test_who_waits_is_told_for_what(pump: NewPump, node: RunningNode, environment: dict[str, str]) -> None:
    one = pump("private")
    with process(node, environment, "follow", *one.access) as follower:
        assert follower.stderr is not None
        assert b"waiting for message 0 of root 0x" in follower.stderr.readline()
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=RUN_S)
    one.publish("first")
    with process(node, environment, "follow", *one.access) as follower:
        assert follower.stderr is not None
        assert follower.stderr.readline() == b"waiting for message 1\n"
        follower.send_signal(signal.SIGINT)
        out, _ = follower.communicate(timeout=RUN_S)
        assert out == b"     0  first\n"


def test_a_seed_of_which_the_node_holds_nothing_makes_no_writer(pump: NewPump, tmp_path: Path) -> None:
    seed, other = tmp_path / "pump.seed", tmp_path / "other"
    one = pump("private", "--seed", seed)
    assert one.mam("recover", seed, "--channel", other, "--json").error["code"] == "nothing_read"
    assert not other.exists()
    assert one.do("recover", seed, "--channel", other, "--unwritten")["index"] == 0


@pytest.mark.parametrize(
    "args",
    [
        ["follow"],
        ["follow", "0x12"],
        ["follow", "0x" + 32 * "00", "--mode", "restricted"],
        ["follow", "0x" + 32 * "00", "--mode", "public", "--side-key", "0x" + 32 * "00"],
        ["follow", "0x" + 32 * "00", "--raw", "--json"],
        ["follow", "nothing.here"],
        ["export"],
        ["publish", "nothing.here", "text"],
        ["publish", "nothing.here", "text", "--waiting"],
        ["create", "x.channel", "--height", "17"],
        ["grant", "nothing.here", "0x12", "--out", "x"],
        ["recover", "nothing.here", "--channel", "x"],
    ],
)
def test_bad_arguments_are_told(run: Run, args: list[str]) -> None:
    ended = run("mam", *args, TANGLE_NODE=NOWHERE)
    assert ended.code in {2, 5, 12}, ended.err
    assert ended.out == ""


def test_what_could_not_be_sent_waits_and_goes_first(pump: NewPump) -> None:
    one = pump("private")
    away = one.mam("publish", one.channel, "signed", "--timeout", 0, "--json", TANGLE_NODE=NOWHERE).error
    assert (away["code"], away["exitCode"]) == ("not_yet_published", 12)
    assert one.publish("--waiting") == {"channel": str(one.channel), "messages": 1, "first": 0, "last": 0}
    assert one.publish("--waiting")["messages"] == 0
    one.mam("publish", one.channel, "second", "--timeout", 0, TANGLE_NODE=NOWHERE)
    assert one.publish("third")["first"] == 2
    assert bodies(one.follow(*one.access)) == ["signed", "second", "third"]


def process(node: RunningNode, environment: dict[str, str], *args: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, "mam", *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment | {"TANGLE_NODE": node.url},
        cwd=ROOT,
    )


def test_one_program_writes_at_a_time(pump: NewPump, node: RunningNode, environment: dict[str, str]) -> None:
    one = pump("private")
    with process(node, environment, "publish", one.channel) as writer:
        assert writer.stdin is not None
        writer.stdin.write(b"mine\n")
        writer.stdin.flush()
        wait_for(lambda: bodies(one.follow(*one.access)) == ["mine"])
        assert one.mam("publish", one.channel, "not mine", "--json").error["code"] == "channel_in_use"
        _, err = writer.communicate(b"mine too\n", RUN_S)
        assert writer.returncode == 0, err
    assert bodies(one.follow(*one.access)) == ["mine", "mine too"]


def test_a_writer_killed_at_any_moment_signs_nothing_twice(
    pump: NewPump, node: RunningNode, environment: dict[str, str]
) -> None:
    """Lines are fed without end; after each kill the next run goes on, and readers see one unbroken channel."""
    one = pump("restricted", "--height", 2)
    for life in range(3):
        with process(node, environment, "publish", one.channel) as writer:
            assert writer.stdin is not None
            before = len(one.follow(*one.access))
            try:
                for n in range(200):
                    writer.stdin.write(b"life %d line %d\n" % (life, n))
                writer.stdin.flush()
            except BrokenPipeError:
                pass
            wait_for(lambda before=before: len(one.follow(*one.access)) > before + 5)  # type: ignore[misc]
            writer.kill()
            writer.communicate()
    one.publish("--waiting")
    events = one.follow(*one.access)
    messages = [event for event in events if event["event"] == "message"]
    assert [event["index"] for event in messages] == list(range(len(messages)))
    assert {event["event"] for event in events} <= {"message", "repeated"}
    for life in range(3):
        mine = [text for text in bodies(events) if text.startswith(f"life {life} ")]
        assert mine == [f"life {life} line {n}" for n in range(len(mine))]
        assert mine


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + RUN_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_follower_goes_on_from_its_bookmark_after_a_kill_and_a_restart_of_the_node(
    start_node: StartNode, run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    channel, place, table = (tmp_path / name for name in ("pump.channel", "place", "out.csv"))
    node = start_node(tmp_path / "data")
    made = run("mam", "create", channel, "--mode", "private", "--json").json
    arguments = ("follow", made["root"], "--mode", "private", "--bookmark", place, "--csv", table)
    run("mam", "publish", channel, stdin=b"".join(b'{"n": %d}\n' % n for n in range(5)), TANGLE_NODE=node.url)
    with process(node, environment, *arguments) as follower:
        wait_for(lambda: table.exists() and table.read_text().count("\n") == 6)
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=RUN_S)
        assert follower.returncode == 130
    assert node.stop() == 0
    again = start_node(tmp_path / "data", node.port)
    run("mam", "publish", channel, stdin=b"".join(b'{"n": %d}\n' % n for n in range(5, 9)), TANGLE_NODE=again.url)
    ended = run("mam", "follow", "--bookmark", place, "--csv", table, "--no-live", TANGLE_NODE=again.url)
    assert ended.code == 0, ended.err
    with table.open(newline="") as file:
        assert [row[:2] for row in csv.reader(file)] == [["_index", "n"], *([str(n)] * 2 for n in range(9))]
    assert again.stop() == 0


def test_a_lost_file_is_made_again_from_the_seed(pump: NewPump, tmp_path: Path) -> None:
    seed = tmp_path / "pump.seed"
    one = pump("restricted", "--height", 1, "--seed", seed)
    key, public_key = one.reader("customer")
    one.publish(stdin=b"0\n1\n2\n")
    one.do("grant", one.channel, public_key, "--out", tmp_path / "in")
    one.publish("granted")
    one.channel.unlink()
    found = one.mam("recover", seed, "--channel", one.channel, "--skip", 2, "--json").json
    assert (found["index"], found["gaps"], found["forks"]) == (7, [], [])
    assert found["events"] == {"message": 4, "rekeyed": 1}
    assert one.publish("after")["first"] == 7
    follow = one.mam("follow", tmp_path / "in", "--key", key, "--gap-after", 0, "--no-live", "--json")
    events = [json.loads(line) for line in follow.out.splitlines()]
    assert bodies(events) == ["granted", "after"]
    assert {"event": "gap", "first": 5, "last": 6} in events
    again = one.mam("recover", seed, "--channel", one.channel, "--json").error
    assert again["code"] == "channel_exists"


def test_two_writers_are_seen_by_every_reader(pump: NewPump, tmp_path: Path) -> None:
    seed = tmp_path / "pump.seed"
    one = pump("private", "--seed", seed)
    one.publish("common")
    other = tmp_path / "second.channel"
    one.do("recover", seed, "--channel", other)
    mine = one.publish("mine")["blockIds"]
    yours = one.mam("publish", other, "yours", "--json").json["blockIds"]
    assert {"event": "fork", "index": 1, "blockIds": [*mine, *yours]} in one.follow(*one.access)
    shown = one.mam("follow", *one.access, "--no-live")
    assert mine[0] in shown.err
    assert yours[0] in shown.err
    broken = one.mam("export", *one.access)
    assert broken.code == 12
    assert "message 1 was signed twice" in broken.err


def test_a_channel_is_verified_and_reported_without_its_secrets(
    pump: NewPump, tangle: Run, tmp_path: Path
) -> None:
    one, report = pump("restricted", "--height", 1), tmp_path / "proof.json"
    one.publish(stdin=b"1\n2\n")
    one.publish("--file", ROOT / "mam" / "reader.py")
    last = one.publish("last")["blockIds"][0]
    tangle("data", "post", "junk", "--tag", one.made["address"], "--wait")
    wait_for(lambda: "referencedByMilestoneIndex" in tangle("block", "show", last, "--json").json["metadata"])
    shown = one.mam("export", *one.access, "--out", report)
    assert shown.code == 0, shown.err
    assert "complete: nothing missing, nothing twice" in shown.out
    proof = json.loads(report.read_text())
    assert proof["complete"] is True
    assert [message["index"] for message in proof["messages"]] == [0, 1, 2, 3]
    assert proof["messages"][3]["blockIds"] == [last]
    assert proof["rejected"] == {"not_a_message": 1}
    assert one.made["sideKey"] not in report.read_text()
    assert one.made["root"] not in report.read_text()
    assert one.mam("export", *one.access, "--json").json["digest"] == proof["digest"]
    assert one.mam("export", *one.access, "--out", report, "--json").error["code"] == "file_unwritable"


def test_clocks_take_no_part(pump: NewPump, tmp_path: Path) -> None:
    """Nothing in a message depends on time: signed a second later, elsewhere, the bytes are the same."""
    channel = Channel(bytes(32), Mode.PRIVATE, 1)
    program = (
        "import time; time.time = lambda: 4e9\n"
        "from tangle.mam import Channel, Mode, Position\n"
        "print(Channel(bytes(32), Mode.PRIVATE, 1).write(b'3.2 bar', Position()).parts[0].hex())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=RUN_S
    )
    assert bytes.fromhex(ended.stdout) == channel.write(b"3.2 bar", Position()).parts[0]
