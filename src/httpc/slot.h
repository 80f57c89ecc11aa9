/* slot - one call under way inside a multi: its handle, its memory, its answer. Private to this room.
 * SPDX-License-Identifier: MIT */
#ifndef HTTPC_SLOT_H
#define HTTPC_SLOT_H

#include "base/strbuf.h"
#include "httpc/multi.h"
#include "httpc/request.h"

struct slot {
	CURL *easy;                   /* made when first used, kept from call to call */
	struct slot *next;            /* among the free, or among the answered */
	struct arena *own;            /* of the call under way; handed out with its answer */
	struct curl_slist *headers;
	void *tag;
	enum reach reach;
	size_t answer_max, n_read;
	bool whole;                   /* an answer beyond answer_max is none */
	bool cut, refused;
	struct str refused_what;
	struct strbuf body;
	struct str retry_after;
	struct multi_done done;
	char words[CURL_ERROR_SIZE];
};

/* Makes the handle ready for c. fresh: on a connection of its own. False: no memory. */
bool slot_begin(struct slot *s, const struct multi_call *c, bool whole, bool fresh) MUST_CHECK;
/* Fills s->done, which takes the memory over. */
void slot_end(struct slot *s, CURLcode rc);
/* Forgets the call; memory that was not handed out is freed. */
void slot_clear(struct slot *s);

#endif
