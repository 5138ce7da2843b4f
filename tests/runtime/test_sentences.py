"""Refusals as sentences: times in a zone, durations, one sentence for several records."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from admin.kit.formatting import _LOCALES, _time_text
from models.errors import Locked, Protected, QuotaReached, TooManyAttempts
from models.moments import duration_in_words, moment_in_words

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sentence_says_a_moment_as_a_page_does(language: str, month: int) -> None:
    moment = datetime(2026, month, 7, 4, 5, tzinfo=UTC)

    assert moment_in_words(moment, language) == _time_text(_LOCALES[language], moment.replace(tzinfo=None))


def test_a_moment_is_said_in_the_zone_that_it_carries() -> None:
    at = datetime(2026, 11, 24, 16, 30, tzinfo=UTC).astimezone(SHANGHAI)

    assert (
        Protected(passes_at=at).say() == "This customer is new in the pool. It may be claimed from 25 Nov 2026 00:30."
    )
    assert "2026年11月25日 00:30" in Protected(passes_at=at).say("zh")


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0.2, "1 second", "1 秒"),
        (59, "59 seconds", "59 秒"),
        (119, "119 seconds", "119 秒"),
        (121, "3 minutes", "3 分钟"),
        (7_300, "3 hours", "3 小时"),
        (172_800, "2 days", "2 天"),
    ],
)
def test_a_duration_is_rounded_up(seconds: float, english: str, chinese: str) -> None:
    assert duration_in_words(timedelta(seconds=seconds)) == (english, chinese)


def test_whoever_has_tried_too_often_is_told_how_long_to_wait() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    refusal = TooManyAttempts(until=now + timedelta(minutes=15), now=now)

    assert refusal.say() == "Too many attempts. Try again in 15 minutes."
    assert refusal.say("zh") == "尝试次数过多，请在 15 分钟后重试。"
    assert refusal.params == {"until": now + timedelta(minutes=15), "seconds": 900}


def test_the_quota_of_a_day_is_todays_and_of_a_week_this_weeks() -> None:
    at = datetime(2026, 11, 25, tzinfo=SHANGHAI)
    said = [QuotaReached(used=3, limit=3, period=x, resets_at=at).say(y) for x in ("day", "week") for y in ("en", "zh")]

    assert said == [
        "You have claimed 3 of 3 customers today. You may claim again from 25 Nov 2026 00:00.",
        "今日领取数已达上限（3/3），2026年11月25日 00:00 起可再领取。",
        "You have claimed 3 of 3 customers this week. You may claim again from 25 Nov 2026 00:00.",
        "本周领取数已达上限（3/3），2026年11月25日 00:00 起可再领取。",
    ]


def test_the_sentence_about_several_records_names_none_of_them() -> None:
    refusal = Locked(label="Rota", record_id="cus_1")

    assert (
        refusal.say_of_many() == "Each of these is locked by its owner. Ask the owner, or somebody who may unlock it."
    )
    assert refusal.say_of_many("zh") == "这些记录已被负责人锁定。请联系负责人或有解锁权限的人。"
    assert refusal.say().startswith("Rota is locked")
