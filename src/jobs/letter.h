/* letter - the request that carries an event to a receiver (calls.md, "Events"), and what
 * business_webhook_log keeps of one that failed.
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_LETTER_H
#define JOBS_LETTER_H

#include "conf/conf.h"
#include "httpc/multi.h"
#include "jobs/item.h"

struct outlet;
struct letter {
	struct outlet *from;
	struct item *item;
	bool probe;                   /* the single try while the receiver is down */
	int64_t sent_at_ms;           /* the database's clock */
	int64_t sent_at_s;            /* what the receiver is told */
	struct multi_call call;       /* points into text, and at the item and the endpoint */
	struct letter *prev, *next;   /* among all under way */
	char text[4096];
};

/* Fills in the call: address, headers with both signatures, body. False: it does not fit, which the limits of
 * the configuration exclude. */
bool letter_write(struct letter *t, const struct endpoint *to, enum reach reach) MUST_CHECK;
/* The address with event_type and event_id added to its query. */
void letter_url(struct strbuf *out, struct str url, const struct item *i);
/* The envelope in which the Go server kept what it sent; retry: tries before, retry_after_s: until the next. */
void letter_envelope(struct strbuf *out, const struct item *i, int64_t sent_at_s, int64_t retry,
    int64_t retry_after_s);
/* s as strict UTF-8, what is none as U+FFFD, at most so many characters. */
void letter_clean(struct strbuf *out, struct str s, size_t max);

#endif
