/* node_views - nodes as JSON.
 * SPDX-License-Identifier: MIT */
#include "api/node_views.h"

#include <math.h>

#include "livekit/address.h"
#include "livekit/versions.h"

/* Somebody else's figure: JSON has no word for what is no number. */
static void
put_fraction(struct op *op, struct jsonw *w, const char *key, double x)
{
	jsonw_raw(w, key, isfinite(x) && x >= 0 && x < 1e15 ? arena_printf(op->arena, "%.3f", x) : S("0"));
}

static void
put_bytes(struct jsonw *w, const char *key, double x)
{
	jsonw_i64(w, key, isfinite(x) && x >= 0 && x < 1e15 ? (int64_t)x : 0);
}

static void
put_load(struct op *op, struct jsonw *w, const struct node *live)
{
	jsonw_i64(w, "rooms", live->n_rooms);
	jsonw_i64(w, "participants", live->n_clients);
	jsonw_i64(w, "tracks_in", live->n_tracks_in);
	jsonw_i64(w, "tracks_out", live->n_tracks_out);
	jsonw_i64(w, "cpus", live->n_cpus);
	put_fraction(op, w, "cpu", live->cpu_load);
	put_fraction(op, w, "load", live->load_1min);
	put_bytes(w, "bytes_in", live->bytes_in_per_s);
	put_bytes(w, "bytes_out", live->bytes_out_per_s);
}

void
view_node(struct op *op, struct jsonw *w, const struct node_view *v)
{
	const struct cluster_node *n = &v->node;
	struct str ip = S("");
	int64_t port = 0;

	(void)!address_split(n->addr, &ip, &port);
	jsonw_obj(w, NULL);
	jsonw_str(w, "addr", n->addr);
	jsonw_str(w, "name", n->name);
	jsonw_str(w, "ip", ip);
	jsonw_str(w, "livekit_id", n->live.id.len > 0 ? n->live.id : v->row.livekit_id);
	jsonw_z(w, "state", NODE_STATE_WORDS[v->state]);
	jsonw_bool(w, "takes_rooms", node_takes_rooms(n));
	jsonw_str(w, "url", n->url);
	jsonw_str(w, "region", n->region);
	jsonw_i64(w, "weight", n->weight);
	jsonw_i64(w, "calls", v->n_calls);
	jsonw_i64(w, "just_assigned", n->n_assigned);
	put_load(op, w, &n->live);
	jsonw_i64(w, "age_s", v->age_s);
	jsonw_i64(w, "started_at", n->live.started_at_s * 1000);
	jsonw_i64(w, "seen_at", v->row.seen_at_ms);
	jsonw_i64(w, "down_since", v->row.down_since_ms);
	jsonw_bool(w, "drained", n->drained);
	jsonw_i64(w, "drained_at", v->row.drained_at_ms);
	jsonw_str(w, "drained_by", v->row.drained_by);
	jsonw_obj_end(w);
}

void
view_cluster(struct op *op, struct jsonw *w, const struct cluster_view *v, const struct conf *c)
{
	jsonw_obj(w, NULL);
	jsonw_arr(w, "nodes");
	for (size_t i = 0; i < v->n; i++)
		view_node(op, w, &v->nodes[i]);
	jsonw_arr_end(w);
	jsonw_bool(w, "partial", v->partial);
	jsonw_i64(w, "unassigned", v->n_unassigned);
	jsonw_str(w, "livekit_version", v->version);
	jsonw_z(w, "livekit_tested", LIVEKIT_TESTED);
	jsonw_z(w, "placement", c->placement == PLACEMENT_ON ? "on" : "off");
	jsonw_obj_end(w);
}
