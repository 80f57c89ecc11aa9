/* migrate - brings a database up to this release, and takes over one of the Go server.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/command.h"
#include "conf/conf_parse.h"
#include "schema/schema.h"
#include "schema/takeover.h"

enum { MIGRATE_DRY_RUN, MIGRATE_TZ };
const struct flag MIGRATE_FLAGS[] = {
	[MIGRATE_DRY_RUN] = { "dry-run", '\0', NULL, "only say what would be done; reads only" },
	[MIGRATE_TZ] = { "tz", '\0', "ZONE", "the time zone the Go server wrote in, instead of TZ" },
	{ NULL, '\0', NULL, NULL }
};

enum { LINE_BYTES = 8 * 1024 };

/* As it happens: a large table takes its time. */
static void
print_line(void *arg, struct str line)
{
	const struct cli *c = arg;
	char text[LINE_BYTES];
	struct strbuf b;
	struct jsonw w;

	if (!c->json) {
		(void)printf("%.*s\n", STR_ARG(line));
	} else {
		strbuf_init(&b, text, sizeof(text));
		jsonw_init(&w, &b);
		jsonw_obj(&w, NULL);
		jsonw_str(&w, "message", line);
		jsonw_obj_end(&w);
		(void)printf("%s\n", b.at);
	}
	(void)fflush(stdout);
}

static enum err
migrate(struct cli *c, const struct takeover *t, bool dry_run)
{
	const struct schema_run run = { .dry_run = dry_run, .print = print_line, .arg = c };
	enum err e;

	if ((e = takeover_check(&c->op, c->sv.db, t)) != ERR_OK)
		return e;
	if ((e = schema_migrate(&c->op, c->sv.db, &SCHEMA, &run)) != ERR_OK)
		return e;
	return dry_run ? takeover_plan(&c->op, c->sv.db, t) : takeover_run(&c->op, c->sv.db, t);
}

static bool
use_zone(struct conf *c, const char *zone)
{
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		if (CONF_OPTIONS[i].type != CONF_TZ)
			continue;
		/* By the option's own rules: the C library takes a name it does not know for UTC. */
		if (!conf_parse(c, &CONF_OPTIONS[i], str_of(zone)) || setenv("TZ", zone, 1) != 0)
			return false;
		tzset();
		return true;
	}
	return false;
}

int
cmd_migrate(struct cli *c, const struct args *a)
{
	const char *zone = a->values[MIGRATE_TZ];
	struct takeover t = {
		.ring_timeout_ms = c->conf->livekit_timeout_s * 1000,
		.max_call_ms = c->conf->max_call_s * 1000,
		.print = print_line, .arg = c,
	};

	if (zone != NULL && !use_zone(c->conf, zone))
		return cli_misuse("--tz %s: no time zone known here, as Asia/Shanghai (package tzdata)", zone);
	if (!cli_open_services(c))
		return CLI_FAILED;
	t.zone = c->conf->tz;
	return migrate(c, &t, a->values[MIGRATE_DRY_RUN] != NULL) == ERR_OK ? CLI_OK : CLI_FAILED;
}
