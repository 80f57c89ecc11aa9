/* sample - one text that many processes share, with its age: whoever finds it old makes it anew for all, the others go on
 * with what is there.
 * Shape:     an anonymous shared mapping, made by the master before it forks.
 * Cost:      not made anew more often than every `every_us`, nor so often that making it takes more than a twentieth of
 *            the time.
 * Errors:    a maker that dies or fails leaves the text as it was, and the next turn comes after `every_us`. One that dies
 *            while it writes leaves none. NULL is a sample that nobody may make and that is empty.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_SAMPLE_H
#define BASE_SAMPLE_H

#include "base/arena.h"
#include "base/str.h"

struct sample;

/* max_bytes: of the text. NULL with errno. */
struct sample *sample_new(size_t max_bytes);
void sample_free(struct sample *s);

/* True: it is the caller's turn to make it. now_us: clock_mono_us() everywhere here. */
bool sample_is_due(struct sample *s, int64_t now_us, int64_t every_us) MUST_CHECK;
/* What the caller made since sample_is_due said so at began_us. False: it is too long, what was there stays. */
bool sample_put(struct sample *s, struct str text, int64_t began_us, int64_t now_us);
/* A copy in the arena. False: there is none. made_us_out: when its making began. */
bool sample_get(struct sample *s, struct arena *a, struct str *text_out, int64_t *made_us_out) MUST_CHECK;

#endif
