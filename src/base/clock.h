/* clock - the host's clocks. They serve tokens, logs and measuring only: time that is stored or
 * compared is the database's (calls.md), and comes with the transaction.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/strbuf.h"

int64_t clock_wall_ms(void);          /* Unix ms, UTC */
int64_t clock_mono_us(void);          /* never steps back */
/* Local time of TZ. "2026-11-21 03:35:16" */
void clock_format_local(struct strbuf *to, int64_t at_ms);
/* "2026-11-21 03:35:16.123": what the DATETIME(3) columns of the Go server hold */
void clock_format_local_ms(struct strbuf *to, int64_t at_ms);
/* "2026-11-21T03:35:16.123+08:00" */
void clock_format_iso(struct strbuf *to, int64_t at_ms);
/* Local "YYYY-MM-DD[T ]hh:mm[:ss]", RFC 3339, or Unix seconds -> Unix ms. */
bool clock_parse(struct str s, int64_t *at_ms_out) MUST_CHECK;

#endif
