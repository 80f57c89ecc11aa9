/* jobs_store - leases, heartbeats and lag of tgo-call-jobs. All times are the database's.
 * A lease lets one process do what must not be done twice. It is fenced: whoever writes on its strength calls
 * jobs_store_hold in the same transaction, so a process that was frozen past its lease writes nothing.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_JOBS_STORE_H
#define STORE_JOBS_STORE_H

#include "sql/sql.h"

enum { LEASE_MS = 5000 };                /* renew about every second */

struct lease {
	bool held;
	bool kept;                       /* of jobs_store_lease: it was this holder's before, and nobody else's since */
	int64_t value;                   /* jobs_lease.value */
	int64_t now_ms;                  /* the database's */
};
/* Takes a free lease or renews one's own, for ttl_ms from now. Who goes on with a lease that was not kept knows nothing
 * any more of what it is about: another holder may have come and gone. */
enum err jobs_store_lease(struct op *op, struct sql_link *l, struct str name, struct str holder, int64_t ttl_ms,
    struct lease *out) MUST_CHECK;
/* Inside a transaction, its first statement: locks the lease's row. out->held false: somebody else's by now. */
enum err jobs_store_hold(struct op *op, struct sql_link *l, struct str name, struct str holder,
    struct lease *out) MUST_CHECK;
/* Inside the same transaction. */
enum err jobs_store_set_value(struct op *op, struct sql_link *l, struct str name, int64_t value) MUST_CHECK;
/* Free for others at once. */
enum err jobs_store_release(struct op *op, struct sql_link *l, struct str name, struct str holder) MUST_CHECK;

struct beat { struct str id, instance, task, host, version; int64_t pid; };
enum err jobs_store_beat(struct op *op, struct sql_link *l, const struct beat *b) MUST_CHECK;
enum err jobs_store_gone(struct op *op, struct sql_link *l, struct str id) MUST_CHECK;        /* a graceful end */

/* For /readyz: instances with a beat in the last 15 s; how late the oldest due deadline and the oldest event not yet
 * taken by a healthy, active endpoint (or not yet numbered) are, in whole seconds, 0 = none. */
struct jobs_lag { int64_t alive, oldest_deadline_s, oldest_event_s; };
enum err jobs_store_lag(struct op *op, struct sql_link *l, struct jobs_lag *out) MUST_CHECK;

extern const struct sql_stmt *const JOBS_STORE_STMTS[];

#endif
