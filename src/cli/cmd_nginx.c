/* nginx - the configuration of nginx for this environment, as one file for its http block.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/command.h"
#include "cli/nginx_conf.h"

enum { NGINX_LISTEN, NGINX_FCGI, NGINX_ROUTE, NGINX_LOGS, NGINX_SWAGGER };
const struct flag NGINX_FLAGS[] = {
	[NGINX_LISTEN] = { "listen", '\0', "WORDS", "of nginx's listen: 80 (the default), \"443 ssl http2\", ..." },
	[NGINX_FCGI] = { "fcgi-socket", '\0', "PATH", "the workers' (/run/tgo-call/fcgi.sock)" },
	[NGINX_ROUTE] = { "route-socket", '\0', "PATH", "that of --only route (/run/tgo-call/route.sock)" },
	[NGINX_LOGS] = { "log-dir", '\0', "DIR", "for its logs (/var/log/nginx)" },
	[NGINX_SWAGGER] = { "swagger-ui", '\0', "DIR", "of swagger-ui-dist, for /docs" },
	{ NULL, '\0', NULL, NULL }
};

static void
replace(struct str *value, const char *given)
{
	if (given != NULL)
		*value = str_of(given);
}

/* Those of LIVEKIT_NODES, else those that LiveKit's Redis names and that live. How many names are lost: of a node that has
 * two, none is. */
static size_t
take_nodes(struct cli *c, struct nginx_site *site)
{
	struct snapshot s;
	struct str *addrs;

	registry_snapshot(&c->op, c->sv.registry, c->sv.kv, c->sv.livekit_kv, &s);
	addrs = arena_array(c->arena, s.n + 1, sizeof(*addrs));
	for (size_t i = 0; i < s.n; i++)
		if (s.nodes[i].configured || (c->conf->n_nodes == 0 && s.nodes[i].fresh))
			addrs[site->n_nodes++] = s.nodes[i].addr;
	site->nodes = addrs;
	return s.n_lost;
}

int
cmd_nginx(struct cli *c, const struct args *a)
{
	struct nginx_site site = nginx_site_usual(c->conf);
	struct strbuf b;
	struct jsonw w;
	size_t n_lost;

	replace(&site.listen, a->values[NGINX_LISTEN]);
	replace(&site.fcgi_socket, a->values[NGINX_FCGI]);
	replace(&site.route_socket, a->values[NGINX_ROUTE]);
	replace(&site.log_dir, a->values[NGINX_LOGS]);
	replace(&site.swagger_ui, a->values[NGINX_SWAGGER]);
	if (!cli_open_services(c))
		return CLI_FAILED;
	n_lost = take_nodes(c, &site);
	if (n_lost > 0)
		return cli_fail("%zu of the %zu names in LIVEKIT_NODES have no address", n_lost, c->conf->n_nodes);
	cli_document(c, &b, &w);
	nginx_conf_write(&b, &site);
	if (!strbuf_ok(&b))
		return cli_fail("out of memory");
	return fwrite(b.at, 1, b.len, stdout) == b.len && fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}
