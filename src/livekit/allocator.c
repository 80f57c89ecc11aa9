/* allocator - filters, sorts and picks.
 * SPDX-License-Identifier: MIT */
#include "livekit/allocator.h"

#include <math.h>

#define EARTH_RADIUS_M 6378100.0
#define RADIANS(degrees) ((degrees) * 3.14159265358979323846 / 180.0)

/* A room that was just given to a node is not in its report yet. What it will add there, in the unit of the
 * sort: enough that fresh calls spread, too little to outweigh a real difference. */
static const double ROOM_ADDS[] = {
	[SORT_RANDOM] = 0, [SORT_SYSLOAD] = 0.02, [SORT_CPULOAD] = 0.01, [SORT_ROOMS] = 1,
	[SORT_CLIENTS] = 2, [SORT_TRACKS] = 4, [SORT_BYTESPERSEC] = 100000,
};

struct candidates {
	const struct cluster_node **at;
	size_t n;
};
typedef bool (*node_test)(const struct conf *c, const struct cluster_node *n);

static double
system_load(const struct cluster_node *n)
{
	return n->live.load_1min / (n->live.n_cpus > 0 ? (double)n->live.n_cpus : 1);
}

static double
reported(const struct cluster_node *n, enum node_sort sort)
{
	switch (sort) {
	case SORT_SYSLOAD:
		return system_load(n);
	case SORT_CPULOAD:
		return n->live.cpu_load;
	case SORT_ROOMS:
		return (double)n->live.n_rooms;
	case SORT_CLIENTS:
		return (double)n->live.n_clients;
	case SORT_TRACKS:
		return (double)(n->live.n_tracks_in + n->live.n_tracks_out);
	case SORT_BYTESPERSEC:
		return n->live.bytes_per_s;
	case SORT_RANDOM:
		break;
	}
	return 0;
}

/* Less is better. A node of weight 200 is meant to carry twice what one of 100 does. */
static double
burden(const struct cluster_node *n, enum node_sort sort)
{
	return (reported(n, sort) + ROOM_ADDS[sort] * (double)n->n_assigned) / (double)n->weight;
}

static bool
within_limits(const struct conf *c, const struct cluster_node *n)
{
	return (c->node_max_rooms == 0 || n->live.n_rooms + n->n_assigned < c->node_max_rooms) &&
	    (c->node_max_tracks == 0 || n->live.n_tracks_in + n->live.n_tracks_out < c->node_max_tracks) &&
	    (c->node_max_bytes_per_s == 0 || n->live.bytes_per_s < (double)c->node_max_bytes_per_s);
}

static bool
below_cpu_limit(const struct conf *c, const struct cluster_node *n)
{
	return n->live.cpu_load * 100 < (double)c->node_cpu_limit_pct;
}

static bool
below_system_limit(const struct conf *c, const struct cluster_node *n)
{
	return system_load(n) * 100 < (double)c->node_sysload_limit_pct;
}

/* Keeps those that pass; where none does, all of them: a full cluster serves better than none. */
static void
keep(struct candidates *all, const struct conf *c, node_test pass)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += pass(c, all->at[i]);
	if (n == 0 || n == all->n)
		return;
	n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (pass(c, all->at[i]))
			all->at[n++] = all->at[i];
	all->n = n;
}

/* ---- regions ---- */

static const struct region *
find_region(const struct conf *c, struct str name)
{
	for (size_t i = 0; name.len > 0 && i < c->n_regions; i++)
		if (str_eq(c->regions[i].name, name))
			return &c->regions[i];
	return NULL;
}

/* Along the surface, after the haversine formula. */
static double
metres_between(const struct region *a, const struct region *b)
{
	double up = sin(RADIANS(b->lat - a->lat) / 2), along = sin(RADIANS(b->lon - a->lon) / 2);
	double h = up * up + cos(RADIANS(a->lat)) * cos(RADIANS(b->lat)) * along * along;

	return 2 * EARTH_RADIUS_M * asin(sqrt(h < 1 ? h : 1));
}

/* Keeps the nodes of the region nearest to `from`; nodes of regions nobody listed are passed over. */
static void
keep_nearest(struct candidates *all, const struct conf *c, struct str from)
{
	const struct region *here = find_region(c, from), *nearest = NULL;
	size_t n = 0;

	for (size_t i = 0; here != NULL && i < all->n; i++) {
		const struct region *there = find_region(c, all->at[i]->region);

		if (there != NULL && (nearest == NULL || metres_between(here, there) < metres_between(here, nearest)))
			nearest = there;
	}
	if (nearest == NULL)
		return;
	for (size_t i = 0; i < all->n; i++)
		if (find_region(c, all->at[i]->region) == nearest)
			all->at[n++] = all->at[i];
	all->n = n;
}

/* ---- picking ---- */

static void
filter(struct candidates *all, const struct conf *c, const struct placing *p)
{
	keep(all, c, within_limits);
	switch ((enum node_selector)c->node_selector) {
	case SELECT_ANY:
		break;
	case SELECT_CPULOAD:
		keep(all, c, below_cpu_limit);
		break;
	case SELECT_SYSLOAD:
		keep(all, c, below_system_limit);
		break;
	case SELECT_REGIONAWARE:
		keep(all, c, below_system_limit);
		keep_nearest(all, c, p->region.len > 0 ? p->region : c->livekit_region);
		break;
	}
}

static const struct cluster_node *
lower(const struct cluster_node *a, const struct cluster_node *b, enum node_sort sort)
{
	return burden(b, sort) < burden(a, sort) ? b : a;
}

const struct cluster_node *
allocator_pick(struct arena *a, const struct conf *c, const struct snapshot *s, const struct placing *p,
    const struct draw *draw)
{
	enum node_sort sort = (enum node_sort)c->node_sort;
	struct candidates all = { .at = arena_array(a, s->n + 1, sizeof(*all.at)) };
	const struct cluster_node *best;
	size_t first, second;

	for (size_t i = 0; i < s->n; i++)
		if (node_takes_rooms(&s->nodes[i]))
			all.at[all.n++] = &s->nodes[i];
	if (all.n == 0)
		return NULL;
	filter(&all, c, p);
	first = draw->below((uint32_t)all.n, draw->arg);
	if (sort == SORT_RANDOM || all.n == 1)
		return all.at[first];
	if (c->node_algorithm == PICK_TWOCHOICE && all.n > 2) {
		second = draw->below((uint32_t)all.n - 1, draw->arg);
		second += second >= first;
		return lower(all.at[first], all.at[second], sort);
	}
	/* Equals are taken in turn, from a random one on. */
	best = all.at[first];
	for (size_t i = 1; i < all.n; i++)
		best = lower(best, all.at[(first + i) % all.n], sort);
	return best;
}
