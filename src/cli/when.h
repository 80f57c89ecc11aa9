/* when - moments and durations as `docker logs` takes them. SPDX-License-Identifier: MIT */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include "base/str.h"

/* "90s", "1h30m", "1.5h", "2d", "300ms" */
bool when_duration(struct str s, int64_t *ms_out) MUST_CHECK;
/* A duration before now, a date, local or RFC 3339 time, or Unix seconds (with or without a fraction). */
bool when_parse(struct str s, int64_t now_ms, int64_t *at_ms_out) MUST_CHECK;

#endif
