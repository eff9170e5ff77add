"""When a link is synced next: intervals, quiet hours, pauses after failures, hints that settle."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.jobs import timing
from backend.jobs.timing import Quiet, after_failure, after_success, settled

DAY, HOUR = 86_400, 3_600
NIGHT = Quiet.of("22:00", "06:00", "Europe/Berlin")


def at(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(("moment", "hours_left"), [
    ("2026-11-25T21:59", 0), ("2026-11-25T22:00", 8), ("2026-11-25T23:00", 7), ("2026-11-26T05:00", 1),
    ("2026-11-26T06:00", 0), ("2026-11-26T12:00", 0),
    ("2026-10-24T23:00", 8),  # the clock goes back that night, so it is an hour longer
    ("2026-03-28T23:00", 6),  # and forward
])
def test_quiet_hours_go_over_midnight_and_by_the_shops_clock(moment, hours_left):
    assert NIGHT.seconds_left(at(moment)) == hours_left * HOUR


@pytest.mark.parametrize(("begins", "ends", "moment", "hours_left"), [
    ("09:00", "17:00", "2026-11-25T12:30", 4.5), ("09:00", "17:00", "2026-11-25T17:00", 0),
    ("09:00", "09:00", "2026-11-25T09:00", 0),
])
def test_quiet_hours_within_a_day(begins, ends, moment, hours_left):
    assert Quiet.of(begins, ends, "UTC").seconds_left(at(moment, "UTC")) == hours_left * HOUR


def test_an_unknown_zone_is_taken_for_utc():
    assert Quiet.of("09:00", "17:00", "Mars/Olympus").seconds_left(at("2026-11-25T16:00", "UTC")) == HOUR


def test_after_success_the_next_sync_comes_after_the_interval_or_the_quiet_hours():
    assert after_success(None, 0) is None
    assert after_success(900, at("2026-11-25T12:00"), NIGHT) == 900
    assert after_success(900, at("2026-11-25T21:50"), NIGHT) == 8 * HOUR + 10 * 60


@pytest.mark.parametrize(("failures", "pause"), [(1, 15), (2, 30), (3, 60), (9, 3600), (50, 3600)])
def test_what_passes_by_itself_is_tried_again_soon_and_then_less_often(failures, pause):
    assert after_failure(900, failures, 0, passes=True, by_itself=True) == pause


@pytest.mark.parametrize(("failures", "pause"), [(1, 1800), (2, 3600), (3, 7200), (9, 6 * HOUR), (50, 6 * HOUR)])
def test_what_waits_for_a_person_is_tried_ever_less_often(failures, pause):
    assert after_failure(900, failures, 0, passes=False, by_itself=True) == pause


def test_what_the_service_asked_for_is_kept():
    assert after_failure(900, 1, 0, passes=True, by_itself=True, asked_seconds=120) == 120


def test_what_a_person_began_without_a_timer_is_theirs_to_begin_again():
    assert after_failure(None, 1, 0, passes=True, by_itself=False) is None
    assert after_failure(None, 1, 0, passes=True, by_itself=True) == 15


@given(interval=st.integers(5, 30 * DAY), failures=st.integers(1, 10_000), passes=st.booleans(),
       by_itself=st.booleans(), now=st.integers(0, 4_000_000_000))
def test_a_schedule_is_never_off(interval, failures, passes, by_itself, now):
    pause = after_failure(interval, failures, now, passes=passes, by_itself=by_itself, quiet=NIGHT)
    assert pause is not None
    assert 0 < pause <= max(timing.LONGEST_REST_SECONDS, interval) + DAY


@pytest.mark.parametrize(("oldest", "newest", "left"), [(0.1, 0.0, 0.2), (0.3, 0.25, -0.05), (5.0, 0.0, 0.0)])
def test_hints_settle_and_wait_no_longer_than_the_cap(oldest, newest, left):
    assert settled(oldest, newest, 0.2) == pytest.approx(left)
