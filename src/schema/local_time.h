/* local_time - the DATETIME columns hold local time of TZ without its offset; this finds the offset.
 * Shape:     civil_ms is a local date and time counted from 1970 as if it were UTC, in ms: what SQL's
 *            TIMESTAMPDIFF says of such a column. UTC = civil_ms - offset.
 * SPDX-License-Identifier: MIT */
#ifndef SCHEMA_LOCAL_TIME_H
#define SCHEMA_LOCAL_TIME_H

#include <stdint.h>

/* How far local time of this process's TZ was ahead of UTC then. A time that came twice (clocks put
 * back) is taken for the first of the two, one that never was (put forward) for the hour after. */
int64_t local_time_offset_ms(int64_t civil_ms);

#endif
