/* nodes - LIVEKIT_NODES and LIVEKIT_REGIONS: what is shown means what was read.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "conf/conf_nodes.h"

static struct str
shown(struct arena *a, const struct conf *c, void (*show)(const struct conf *c, struct strbuf *to))
{
	struct strbuf b;

	strbuf_init_arena(&b, a, 256, 256 * 1024);
	show(c, &b);
	holds(strbuf_ok(&b) && is_one_line(strbuf_str(&b)), "a list can be shown");
	return strbuf_str(&b);
}

static void
nodes(struct arena *a, struct str data)
{
	struct conf c = { .own = a, .node_port = 7880 }, again = { .own = a, .node_port = 1 };

	if (!conf_nodes_parse(&c, data))
		return;
	if (!conf_nodes_settle(&c))
		return;
	holds(conf_nodes_parse(&again, shown(a, &c, conf_nodes_show)), "what is shown is taken");
	holds(conf_nodes_settle(&again), "and settles");
	holds(c.n_nodes == again.n_nodes, "as many nodes");
	for (size_t i = 0; i < c.n_nodes; i++) {
		const struct static_node *x = &c.nodes[i], *y = &again.nodes[i];

		holds(x->host.len > 0 && x->port >= 1 && x->port <= 65535, "a node has a host and a port");
		holds(str_eq(x->host, y->host) && x->port == y->port && str_eq(x->ip, y->ip), "at the same places");
		holds(str_eq(x->url, y->url) && str_eq(x->region, y->region) && x->weight == y->weight, "with the same details");
	}
}

static void
regions(struct arena *a, struct str data)
{
	struct conf c = { .own = a }, again = { .own = a };

	if (!conf_regions_parse(&c, data))
		return;
	holds(conf_regions_parse(&again, shown(a, &c, conf_regions_show)), "regions that are shown are taken");
	holds(c.n_regions == again.n_regions, "as many regions");
	for (size_t i = 0; i < c.n_regions; i++) {
		const struct region *x = &c.regions[i], *y = &again.regions[i];

		holds(x->lat >= -90 && x->lat <= 90 && x->lon >= -180 && x->lon <= 180, "a region is on this globe");
		holds(str_eq(x->name, y->name) && !(x->lat < y->lat) && !(x->lat > y->lat) && !(x->lon < y->lon) &&
		    !(x->lon > y->lon), "and where it was");
	}
}

void
fuzz_nodes(struct arena *a, struct str data)
{
	struct str text = arena_str(a, data);

	nodes(a, text);
	regions(a, text);
}
