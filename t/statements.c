/* statements - prints every SQL statement of the stores and of the take-over, one a line, lists expanded
 * to two units: for the tests that feed them to another server's grammar and to EXPLAIN. With --names:
 * name, tab, statement.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "schema/takeover.h"
#include "store/action_store.h"
#include "store/cache_store.h"
#include "store/call_store.h"
#include "store/delivery_log_store.h"
#include "store/delivery_store.h"
#include "store/due_store.h"
#include "store/endpoint_store.h"
#include "store/event_store.h"
#include "store/heal_store.h"
#include "store/jobs_store.h"
#include "store/list_store.h"
#include "store/look_store.h"
#include "store/node_store.h"
#include "store/once_store.h"
#include "store/outbox_store.h"
#include "store/pace_store.h"
#include "store/people_store.h"
#include "store/redeliver_store.h"
#include "store/retention_store.h"
#include "store/state_store.h"

static void
print(const struct sql_stmt *s, bool names)
{
	const char *list = strstr(s->text, "{}");

	if (names)
		printf("%s\t", s->name);
	if (list == NULL)
		printf("%s\n", s->text);
	else
		printf("%.*s%s,%s%s\n", (int)(list - s->text), s->text, s->unit, s->unit, list + 2);
}

int
main(int argc, char **argv)
{
	const struct sql_stmt *const *const ALL[] = {
		ACTION_STORE_STMTS,
		CACHE_STORE_STMTS,
		CALL_STORE_STMTS,
		CALL_WRITE_STMTS,
		DELIVERY_LOG_STORE_STMTS,
		DELIVERY_STORE_STMTS,
		DUE_STORE_STMTS,
		ENDPOINT_STORE_STMTS,
		EVENT_STORE_STMTS,
		HEAL_STORE_STMTS,
		JOBS_STORE_STMTS,
		LIST_STORE_STMTS,
		LOOK_STORE_STMTS,
		NODE_STORE_STMTS,
		ONCE_STORE_STMTS,
		OUTBOX_STORE_STMTS,
		PACE_STORE_STMTS,
		PEOPLE_STORE_STMTS,
		REDELIVER_STORE_STMTS,
		RETENTION_STORE_STMTS,
		STATE_STORE_STMTS,
		TAKEOVER_STEP_STMTS,
		TAKEOVER_STMTS,
	};
	bool names = argc > 1 && strcmp(argv[1], "--names") == 0;

	for (size_t i = 0; i < N_ELEMS(ALL); i++)
		for (const struct sql_stmt *const *s = ALL[i]; *s != NULL; s++)
			print(*s, names);
	return 0;
}
