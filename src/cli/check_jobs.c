/* check_jobs - the background work: does somebody do it, in time, with this release.
 * SPDX-License-Identifier: MIT */
#include "cli/doctor.h"
#include "store/jobs_store.h"
#include "store/room_columns.h"

enum { LAG_S = 30, ALIVE_MS = 15000 };

struct number_row { int64_t n; };
static const struct sql_col NUMBER_COLS[] = { SQL_COL(struct number_row, n) };
static const struct sql_stmt OTHER_VERSIONS = {
	.name = "check_jobs_versions",
	.text = "SELECT COUNT(*) FROM jobs_process WHERE beat_at_ms > " SQL_NOW_MS " - ? AND version <> ?",
	.cols = NUMBER_COLS, .n_cols = 1,
};

static int64_t
n_of_other_versions(struct doctor *d)
{
	const struct sql_arg args[] = { sql_i64(ALIVE_MS), sql_str(S(PACKAGE_VERSION)) };
	struct number_row row = { 0 };
	bool found;

	if (sql_one(&d->c->op, d->c->sv.db, &OTHER_VERSIONS, args, N_ELEMS(args), &row, &found) != ERR_OK)
		return 0;
	return row.n;
}

void
check_jobs(struct doctor *d)
{
	struct jobs_lag lag;
	int64_t n_other;

	/* Without its tables the schema's line has said what to do. */
	if (jobs_store_lag(&d->c->op, d->c->sv.db, &lag) != ERR_OK)
		return;
	n_other = n_of_other_versions(d);
	if (lag.alive == 0)
		doctor_finds(d, "jobs", WARNING, "start tgo-call-jobs: nobody is missed and no event is delivered "
		    "without it", S("no tgo-call-jobs gave a sign of life in the last 15 s"));
	else if (lag.oldest_deadline_s > LAG_S || lag.oldest_event_s > LAG_S)
		doctor_finds(d, "jobs", WARNING, "see their lines in the log; more of them share the work",
		    arena_printf(d->c->arena, "%lld alive; a deadline is %lld s late, an event %lld s",
		    (long long)lag.alive, (long long)lag.oldest_deadline_s, (long long)lag.oldest_event_s));
	else if (n_other > 0)
		doctor_finds(d, "jobs", WARNING, "restart tgo-call-jobs after an upgrade", arena_printf(d->c->arena,
		    "%lld alive; %lld of their processes are not of release " PACKAGE_VERSION,
		    (long long)lag.alive, (long long)n_other));
	else
		doctor_finds(d, "jobs", WELL, "", arena_printf(d->c->arena, "%lld alive, nothing late",
		    (long long)lag.alive));
}
