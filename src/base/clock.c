/* clock.c - the host's clocks, and local time as text and back.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

enum { NO_ZONE = INT32_MIN };

/* What a text said; zone_min is its offset to UTC, or NO_ZONE for local time. */
struct stamp {
	struct tm tm;
	int64_t ms;
	int zone_min;
};

/* What is left to read of a text; `bad` sticks, as in a strbuf. */
struct scan {
	struct str rest;
	bool bad;
};

static char
scan_peek(const struct scan *s)
{
	return s->rest.len > 0 ? s->rest.at[0] : '\0';
}

/* One of the letters in `any`, or bad. */
static char
scan_one(struct scan *s, const char *any)
{
	char c = scan_peek(s);

	for (; c != '\0' && *any != '\0'; any++) {
		if (*any != c)
			continue;
		s->rest.at++;
		s->rest.len--;
		return c;
	}
	s->bad = true;
	return '\0';
}

/* Exactly n digits between min and max, or bad. */
static int
scan_int(struct scan *s, size_t n, int min, int max)
{
	int64_t v = 0;

	if (s->bad || s->rest.len < n ||
	    !parse_i64((struct str){ s->rest.at, n }, min, max, &v) || s->rest.at[0] == '-') {
		s->bad = true;
		return min;
	}
	s->rest.at += n;
	s->rest.len -= n;
	return (int)v;
}

/* ".5", ".123456789": milliseconds, the rest is cut off. */
static int64_t
scan_fraction(struct scan *s)
{
	int64_t ms = 0;
	int unit = 100, n = 0;

	(void)scan_one(s, ".");
	for (; !s->bad && n < 9 && scan_peek(s) >= '0' && scan_peek(s) <= '9'; n++) {
		ms += unit * scan_int(s, 1, 0, 9);
		unit /= 10;
	}
	if (n == 0)
		s->bad = true;
	return ms;
}

static int
scan_zone(struct scan *s)
{
	char sign = scan_one(s, "Zz+-");
	int minutes;

	if (sign != '+' && sign != '-')
		return 0;
	minutes = 60 * scan_int(s, 2, 0, 23);
	(void)scan_one(s, ":");
	minutes += scan_int(s, 2, 0, 59);
	return sign == '-' ? -minutes : minutes;
}

static int
days_in(int month, int year)
{
	static const int DAYS[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return DAYS[month - 1] + (month == 2 && leap);
}

static bool
parse_stamp(struct str text, struct stamp *out)
{
	struct scan s = { .rest = text };
	int year, month;

	*out = (struct stamp){ .zone_min = NO_ZONE, .tm = { .tm_isdst = -1 } };
	year = scan_int(&s, 4, 1, 9999);
	(void)scan_one(&s, "-");
	month = scan_int(&s, 2, 1, 12);
	(void)scan_one(&s, "-");
	out->tm.tm_year = year - 1900;
	out->tm.tm_mon = month - 1;
	out->tm.tm_mday = scan_int(&s, 2, 1, days_in(month, year));
	(void)scan_one(&s, "Tt ");
	out->tm.tm_hour = scan_int(&s, 2, 0, 23);
	(void)scan_one(&s, ":");
	out->tm.tm_min = scan_int(&s, 2, 0, 59);
	if (scan_peek(&s) == ':') {
		(void)scan_one(&s, ":");
		out->tm.tm_sec = scan_int(&s, 2, 0, 60);
		if (scan_peek(&s) == '.')
			out->ms = scan_fraction(&s);
		if (s.rest.len > 0)
			out->zone_min = scan_zone(&s);
	}
	return !s.bad && s.rest.len == 0;
}

static int64_t
now(clockid_t which, int64_t per_second)
{
	struct timespec t;

	/* Cannot fail: both clocks exist on every Linux, and t is writable. */
	if (clock_gettime(which, &t) != 0)
		abort();
	return (int64_t)t.tv_sec * per_second + t.tv_nsec / (1000000000 / per_second);
}

/* Local time of at_ms; its milliseconds, or -1 for a moment without a calendar. */
static int
local(int64_t at_ms, struct tm *tm_out)
{
	int ms = (int)(at_ms % 1000);
	time_t s;

	if (ms < 0)
		ms += 1000;
	s = (time_t)((at_ms - ms) / 1000);
	return localtime_r(&s, tm_out) == NULL ? -1 : ms;
}

static void
add_date_time(struct strbuf *to, const struct tm *tm, char between)
{
	strbuf_addf(to, "%04d-%02d-%02d%c%02d:%02d:%02d", tm->tm_year + 1900, tm->tm_mon + 1,
	    tm->tm_mday, between, tm->tm_hour, tm->tm_min, tm->tm_sec);
}

int64_t
clock_wall_ms(void)
{
	return now(CLOCK_REALTIME, 1000);
}

int64_t
clock_mono_us(void)
{
	return now(CLOCK_MONOTONIC, 1000000);
}

void
clock_format_local(struct strbuf *to, int64_t at_ms)
{
	struct tm tm;

	if (local(at_ms, &tm) < 0)
		strbuf_fail(to);
	else
		add_date_time(to, &tm, ' ');
}

void
clock_format_local_ms(struct strbuf *to, int64_t at_ms)
{
	struct tm tm;
	int ms = local(at_ms, &tm);

	if (ms < 0) {
		strbuf_fail(to);
		return;
	}
	add_date_time(to, &tm, ' ');
	strbuf_addf(to, ".%03d", ms);
}

void
clock_format_iso(struct strbuf *to, int64_t at_ms)
{
	struct tm tm;
	int ms = local(at_ms, &tm);
	long minutes;

	if (ms < 0) {
		strbuf_fail(to);
		return;
	}
	minutes = labs(tm.tm_gmtoff) / 60;
	add_date_time(to, &tm, 'T');
	strbuf_addf(to, ".%03d%c%02ld:%02ld", ms, tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
	    minutes % 60);
}

bool
clock_parse(struct str s, int64_t *at_ms_out)
{
	struct stamp st;
	int64_t seconds;

	if (parse_i64(s, 0, INT64_C(253402300799), &seconds)) {   /* 9999-12-31T23:59:59Z */
		*at_ms_out = seconds * 1000;
		return true;
	}
	if (!parse_stamp(s, &st))
		return false;
	if (st.zone_min == NO_ZONE)
		seconds = mktime(&st.tm);
	else
		seconds = timegm(&st.tm) - 60 * (int64_t)st.zone_min;
	*at_ms_out = seconds * 1000 + st.ms;
	return true;
}
