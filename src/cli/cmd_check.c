/* check - the doctor: looks at everything a running system needs, and names the cure. Reads only,
 * but for a test event to each receiver, and a room of its own that it enters for a moment.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/doctor.h"
#include "cli/table.h"

enum { CHECK_FCGI, CHECK_ROUTE };
const struct flag CHECK_FLAGS[] = {
	[CHECK_FCGI] = { "fcgi-socket", '\0', "PATH", "the workers' (/run/tgo-call/fcgi.sock)" },
	[CHECK_ROUTE] = { "route-socket", '\0', "PATH", "that of --only route (/run/tgo-call/route.sock)" },
	{ NULL, '\0', NULL, NULL }
};

static const char *const VERDICTS[] = { [WELL] = "ok", [WARNING] = "warn", [FAILURE] = "fail" };

void
doctor_finds(struct doctor *d, const char *name, enum verdict v, const char *cure, struct str said)
{
	d->failed = d->failed || v == FAILURE;
	if (d->n < FINDINGS_MAX)
		d->findings[d->n++] = (struct finding){ name, v, said, v == WELL ? S("") : str_of(cure) };
	if (d->c->json)
		return;
	(void)printf("%-5s %-14s ", VERDICTS[v], name);
	table_print_text(said, stdout);
	if (v != WELL && cure[0] != '\0')
		(void)printf("  -> %s", cure);
	(void)printf("\n");
	(void)fflush(stdout);
}

static int
print_json(const struct doctor *d)
{
	struct strbuf b;
	struct jsonw w;

	cli_document(d->c, &b, &w);
	jsonw_obj(&w, NULL);
	jsonw_bool(&w, "ok", !d->failed);
	jsonw_arr(&w, "checks");
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->findings[i];

		jsonw_obj(&w, NULL);
		jsonw_z(&w, "name", f->name);
		jsonw_z(&w, "status", VERDICTS[f->verdict]);
		jsonw_str(&w, "message", f->said);
		jsonw_str(&w, "cure", f->cure);
		jsonw_obj_end(&w);
	}
	jsonw_arr_end(&w);
	jsonw_obj_end(&w);
	return cli_print(&b);
}

static void
look_at_all(struct doctor *d)
{
	check_configuration(d);
	if (d->c->conf == NULL || !cli_open_services(d->c)) {
		d->failed = true;
		return;
	}
	check_log_file(d);
	check_sockets(d);
	if (check_database(d)) {
		check_clocks(d);
		check_webhooks(d);
		check_jobs(d);
	}
	check_redis(d);
	check_livekit_redis(d);
	check_livekit(d);
	check_nodes(d);
	check_livekit_version(d);
	check_nginx(d);
	check_route(d);
	check_receivers(d);
}

int
cmd_check(struct cli *c, const struct args *a)
{
	struct doctor d = { .c = c, .fcgi_socket = a->values[CHECK_FCGI], .route_socket = a->values[CHECK_ROUTE] };
	int code = CLI_OK;

	look_at_all(&d);
	if (c->json)
		code = print_json(&d);
	return d.failed ? CLI_FAILED : code;
}
