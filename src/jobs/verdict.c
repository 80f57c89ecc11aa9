/* verdict - statuses, pauses, Retry-After.
 * SPDX-License-Identifier: MIT */
#include "jobs/verdict.h"

#include <string.h>
#include <time.h>

enum { DAY_MS = 86400 * 1000, DATE_MAX = 40 };

enum meaning
meaning_of(bool answered, int status)
{
	if (!answered)
		return MEANS_FAILED;
	if (status >= 200 && status < 300)
		return MEANS_TAKEN;
	if (status == 410)
		return MEANS_GONE;
	if (status == 408 || status == 425 || status == 429)
		return MEANS_FAILED;
	return status >= 400 && status < 500 ? MEANS_REFUSED : MEANS_FAILED;
}

int64_t
retry_pause_ms(const struct ms_list *pauses, int64_t n, uint32_t chance)
{
	int64_t pause;

	if (n < 1 || n > (int64_t)pauses->n)
		return -1;
	pause = pauses->at[n - 1];
	return pause + (int64_t)(chance % (uint64_t)(pause / 10 + 1));
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the one form of RFC 9110 that is still written. */
static bool
parse_date(struct str s, int64_t *at_ms_out)
{
	struct tm tm = { 0 };
	char text[DATE_MAX];
	const char *end;

	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (end == NULL || *end != '\0')
		return false;
	*at_ms_out = (int64_t)timegm(&tm) * 1000;
	return true;
}

int64_t
retry_after_ms(struct str value, int64_t now_wall_ms)
{
	int64_t s, at_ms, ms;

	if (value.len == 0)
		return 0;
	if (parse_i64(value, 0, INT64_MAX, &s))
		return s < DAY_MS / 1000 ? s * 1000 : DAY_MS;
	if (!parse_date(value, &at_ms))
		return 0;
	ms = at_ms - now_wall_ms;
	if (ms < 0)
		return 0;
	return ms < DAY_MS ? ms : DAY_MS;
}
