"""Readings come from any CSV; the sample is what its README says."""

from pathlib import Path

import pytest

from tangle.disk.tables import TableForm
from tangle.machines.errors import ReadingsRefused
from tangle.machines.meter import FlowMeter, MeterState, Reading, ReadingVerdict
from tangle.machines.readings import SAMPLE, ReadingsForm, read


def file(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "readings.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_the_sample_is_a_week_with_one_skipped_reading() -> None:
    readings = list(read(SAMPLE))
    assert (len(readings), readings[0].number, readings[-1].number) == (166, 1, 166)
    assert readings[0] == Reading(1, "2022-03-27T00:00:00+01:00", "101.94")
    meter, state, verdicts = FlowMeter(), MeterState(), []
    for reading in readings:
        state, verdict = meter.take(state, reading)
        verdicts.append(verdict)
    assert verdicts.count(ReadingVerdict.BRIDGED) == 1
    assert verdicts.count(ReadingVerdict.COUNTED) == 164
    assert verdicts[0] is ReadingVerdict.START
    assert "Tecnojest" in SAMPLE.with_name("README.md").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "Time,Flow\n2022-03-27T00:00:00Z,1.5\n2022-03-27T01:00:00Z,2\n",
        "2022-03-27T00:00:00Z,1.5\n2022-03-27T01:00:00Z,2\n",
        "Flow;Zeit\n1,5;2022-03-27T00:00:00Z\n2;2022-03-27T01:00:00Z\n".replace("1,5", "1.5"),
        "id\twhen\tflow\n\n a\t2022-03-27T00:00:00Z\t1.5\n\nb\t2022-03-27T01:00:00Z\t2\n",
        "\ufeffflow,time\n1.5,1648339200\n2,1648342800\n",
    ],
)
def test_columns_are_found(tmp_path: Path, text: str) -> None:
    found = list(read(file(tmp_path, text)))
    assert [reading.number for reading in found] == [1, 2]
    assert [reading.value.strip() for reading in found] == ["1.5", "2"]
    assert FlowMeter().take(MeterState(), found[0])[0].at == 1648339200


def test_decimal_commas(tmp_path: Path) -> None:
    found = list(read(file(tmp_path, "Zeit;Durchfluss\n2022-03-27T00:00:00Z;100,59\n")))
    assert FlowMeter().take(MeterState(), found[0])[0].value == 100_590


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = file(tmp_path, "time,inlet,outlet\n2022-03-27T00:00:00Z,1,2\n")
    assert [one.value for one in read(path)] == ["1"]
    assert [one.value for one in read(path, ReadingsForm(value="outlet"))] == ["2"]
    for form in (ReadingsForm(value="drain"), ReadingsForm(time="drain")):
        with pytest.raises(ReadingsRefused, match="no column is called 'drain'"):
            list(read(path, form))


def test_bad_rows_are_handed_on_and_keep_their_number(tmp_path: Path) -> None:
    good = "\n".join(f"2022-03-27T0{i}:00:00Z,{i}" for i in range(4))
    found = list(read(file(tmp_path, f"time,flow\n{good}\nbroken\n2022-03-27T05:00:00Z,n/a\n"), skip=2))
    assert [one.number for one in found] == [3, 4, 5, 6]
    assert found[2] == Reading(5, "broken", "")
    assert found[3].value == "n/a"


@pytest.mark.parametrize("text", ["", "time,flow\n", "a,b\nx,y\n", "2022-03-27T00:00:00Z\n", "flow\n12\n13\n"])
def test_a_file_without_readings_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReadingsRefused, match=r"readings\.csv: "):
        list(read(file(tmp_path, text)))


def test_a_missing_file_and_other_encodings(tmp_path: Path) -> None:
    with pytest.raises(ReadingsRefused, match="No such file"):
        list(read(tmp_path / "none.csv"))
    path = file(tmp_path, "Zeit,Müll,flow\n2022-03-27T00:00:00Z,ä,1\n", "latin-1")
    with pytest.raises(ReadingsRefused, match="no text in UTF-8: byte 0xfc in line 1"):
        list(read(path))
    assert [one.value for one in read(path, ReadingsForm(table=TableForm(encoding="cp1252")))] == ["1"]


def test_a_german_spreadsheet(tmp_path: Path) -> None:
    rows = "".join(f"{1 + hour // 24:02}.02.2026 {hour % 24:02}:00;{hour % 5},25\r\n" for hour in range(30))
    found = list(read(file(tmp_path, "\ufeffZeit;Durchfluss (l/s)\r\n" + rows)))
    assert found[25] == Reading(26, "2026-02-02T01:00:00", "0.25")
    assert len(found) == 30


def test_days_and_months_are_not_guessed(tmp_path: Path) -> None:
    path = file(tmp_path, "time;flow\n01/02/2026 10:00;1,5\n01/02/2026 11:00;2,5\n")
    with pytest.raises(ReadingsRefused, match="may be day or month first; say --time-format"):
        list(read(path))
    found = list(read(path, ReadingsForm(time_format="%d/%m/%Y %H:%M")))
    assert found[0] == Reading(1, "2026-02-01T10:00:00", "1.5")
    with pytest.raises(ReadingsRefused, match="no column holds times of the format '%Y'"):
        list(read(path, ReadingsForm(time_format="%Y")))


def test_what_times_may_look_like_is_said(tmp_path: Path) -> None:
    path = file(tmp_path, "when,flow\nMonday at ten,1.5\nMonday at eleven,2.5\n")
    for form in (ReadingsForm(), ReadingsForm(time="when")):
        with pytest.raises(ReadingsRefused, match=r"ISO 8601 such as 2026-01-31T10:00.*--time-format"):
            list(read(path, form))


def test_a_mark_for_thousands_never_passes_for_a_decimal_comma(tmp_path: Path) -> None:
    path = file(tmp_path, "time;flow\n2026-01-31T10:00;1,234\n2026-01-31T11:00;2,345\n2026-01-31T12:00;3\n")
    with pytest.raises(ReadingsRefused, match="mark for thousands"):
        list(read(path))
    found = list(read(path, ReadingsForm(value="flow", table=TableForm(decimal="."))))
    meter, state = FlowMeter(), MeterState()
    assert [meter.take(state, one)[1] for one in found] == [
        ReadingVerdict.BAD_VALUE,
        ReadingVerdict.BAD_VALUE,
        ReadingVerdict.START,
    ]


def test_a_form_is_what_its_options_say() -> None:
    form = ReadingsForm.named("flow", "time", "%Y", "tab", "comma", None)
    assert form.options() == [
        "--column=flow", "--time-column=time", "--time-format=%Y",
        "--delimiter=\t", "--decimal=,", "--encoding=utf-8",
    ]  # fmt: skip
    with pytest.raises(ReadingsRefused, match="columns are parted with"):
        ReadingsForm.named(None, None, None, "x", None, None)
