"""Local times: taken where they have one meaning, refused where they have two."""

from __future__ import annotations

import pytest

from tangle.disk.times import AmbiguousTimes, local_times, times_of


@pytest.mark.parametrize(
    ("cells", "iso"),
    [
        (["01.02.2026 10:00", "02.02.2026 10:00"], "2026-02-01T10:00:00"),
        (["1.2.26 9:05:07", "2.2.26 9:05:08"], "2026-02-01T09:05:07"),
        (["05/02/2026 10:00", "13/02/2026 10:00"], "2026-02-05T10:00:00"),
        (["02/05/2026 10:00 PM", "02/13/2026 12:30 AM"], "2026-02-05T22:00:00"),
        (["2026/2/5 10:00", "2026/2/13 10:00"], "2026-02-05T10:00:00"),
        (["31.01.2026"], "2026-01-31T00:00:00"),
        (["31.01.2026 10:00", "", "n/a", "01.02.2026 10:00", "02.02.2026 10:00"], "2026-01-31T10:00:00"),
    ],
)
def test_local_times_that_have_one_meaning(cells: list[str], iso: str) -> None:
    read = local_times(cells)
    assert read is not None
    assert read(cells[0]) == iso
    assert read("n/a") is None


@pytest.mark.parametrize(
    "cells", [["01/02/2026 10:00", "02/02/2026 10:00"], ["1-2-2026"], ["01/02/2026 10:00 PM"]]
)
def test_day_or_month_first_is_asked(cells: list[str]) -> None:
    with pytest.raises(AmbiguousTimes, match=r"day or month first; say --time-format '%d.%m.%Y"):
        local_times(cells)


@pytest.mark.parametrize(
    "cells", [["3.2"], ["32.01.2026"], ["13/13/2026"], ["13/02/2026", "02/13/2026"], ["10:00"], [], ["05/06/07"]]
)
def test_what_is_no_time(cells: list[str]) -> None:
    assert local_times(cells) is None


def test_a_format_is_what_it_says() -> None:
    read = times_of("%m/%d/%Y %H:%M")
    assert (read("01/02/2026 10:00"), read("31/02/2026 10:00")) == ("2026-01-02T10:00:00", None)
    for form in ("day first", "%d/%m %H:%M", "%Y-%Q"):
        with pytest.raises(ValueError, match=r"format|directive"):
            times_of(form)
