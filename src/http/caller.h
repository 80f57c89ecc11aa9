/* caller - who sent a request: an API key, an ops key, a ticket (an app, as one uid), the open mode,
 * or nobody (api.md, "Who may call").
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_CALLER_H
#define HTTP_CALLER_H

#include "conf/conf.h"
#include "http/http.h"

enum caller_kind { CALLER_NONE, CALLER_OPEN, CALLER_TICKET, CALLER_KEY, CALLER_OPS };

struct caller {
	enum caller_kind kind;
	struct str name;              /* of the key; "lan" for an open network; "open" */
	struct str uid, device_id;    /* of a ticket */
	struct str address;           /* in the open mode: all that tells one caller from another */
};

/* The "who" column of api.md, as bits of a route. A ticket passes if any of its bits is set; what the
 * bits of the room ask (a row, the creator) is checked under the room's lock, by call/. */
enum who {
	WHO_PUBLIC        = 1 << 0,
	WHO_TICKET_SELF   = 1 << 1,   /* T: acts as its own uid */
	WHO_TICKET_ROW    = 1 << 2,   /* R: has a row in the room, else 404 */
	WHO_TICKET_ACTIVE = 1 << 3,   /* R (active row) */
	WHO_TICKET_OWN    = 1 << 4,   /* R (itself): the uid in the path is its own */
	WHO_CREATOR       = 1 << 5,   /* C: ticket of the creator while active */
	WHO_KEY           = 1 << 6,   /* K, and the open mode */
	WHO_OPS           = 1 << 7,   /* O: ops keys only */
	WHO_REAL_KEY      = 1 << 8    /* K, but never in the open mode */
};

/* Who it is: a header that is there and wrong is ERR_UNAUTHORIZED, also in the open mode; without one
 * the open networks and the open mode decide. now_ms: the host's clock (tickets' exp, nbf: 60 s leeway).
 * Not for WHO_PUBLIC routes: LiveKit's webhooks carry a signature of their own in that header. */
enum err caller_identify(struct op *op, const struct conf *c, const struct request *rq, int64_t now_ms,
    struct caller *out) MUST_CHECK;
/* Whether this kind of caller may use a route at all: ERR_OK, ERR_UNAUTHORIZED (nobody), ERR_FORBIDDEN. */
enum err caller_may(const struct caller *who, unsigned route_who) MUST_CHECK;
/* A ticket: {"sub": uid, "exp": .., "iat": .., "device_id": ..} signed with TICKET_SECRET; "" when there
 * is no such secret. */
struct str ticket_mint(struct op *op, const struct conf *c, struct str uid, struct str device_id,
    int64_t now_ms, int64_t ttl_s);

#endif
