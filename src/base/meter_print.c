/* The shared counters in Prometheus' text format.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/meter_private.h"
#include "base/prom.h"

enum { LABELS_MAX = 3 };

struct printer {
	const struct meter *m;
	enum meter_id id;
	struct strbuf *out;
	size_t l1, l2;
};

/* Only values that somebody counted are looked at: a cell that nobody touched takes no memory. */
static size_t
first_value(const struct meter *m, enum meter_label_set set)
{
	return atomic_load(&m->shared->names[set].n) > 0 ? 0 : METER_LABEL_CAPS[set] - 1;
}

/* The last one stands for all that found no place; behind it the set's size. */
static size_t
next_value(const struct meter *m, enum meter_label_set set, size_t i)
{
	size_t cap = METER_LABEL_CAPS[set];

	if (i + 1 < atomic_load(&m->shared->names[set].n))
		return i + 1;
	return i + 1 < cap ? cap - 1 : cap;
}

static struct str
value_of(const struct meter *m, enum meter_label_set set, size_t i)
{
	return i + 1 == METER_LABEL_CAPS[set] ? S("other") : str_of(m->shared->names[set].at[i]);
}

/* name_suffix{labels,le="bound"}; le NULL: without. */
static void
add_series(const struct printer *p, const char *suffix, const char *le)
{
	const struct meter_family *f = &METER_FAMILIES[p->id];
	size_t at[2] = { p->l1, p->l2 }, n = 0;
	struct prom_label labels[LABELS_MAX];

	for (size_t i = 0; i < 2; i++) {
		enum meter_label_set set = f->labels[i];

		if (set != LABEL_NONE)
			labels[n++] = (struct prom_label){ METER_LABEL_NAMES[set], value_of(p->m, set, at[i]) };
	}
	if (le != NULL)
		labels[n++] = (struct prom_label){ "le", str_of(le) };
	prom_series(p->out, f->name, suffix, labels, n);
}

static void
print_histogram(const struct printer *p, size_t offset)
{
	uint64_t n = 0, sum_us = meter_sum(p->m, offset + METER_HISTOGRAM_CELLS - 1);
	char bound[32];
	struct strbuf b;

	for (size_t i = 0; i <= METER_BUCKETS; i++) {
		n += meter_sum(p->m, offset + i);
		strbuf_init(&b, bound, sizeof(bound));
		if (i < METER_BUCKETS)
			strbuf_addf(&b, "%g", (double)meter_bounds(p->id)[i] / 1e6);
		else
			strbuf_addz(&b, "+Inf");
		add_series(p, "_bucket", bound);
		strbuf_addf(p->out, "%" PRIu64 "\n", n);
	}
	add_series(p, "_sum", NULL);
	strbuf_addf(p->out, "%" PRIu64 ".%06" PRIu64 "\n", sum_us / 1000000, sum_us % 1000000);
	add_series(p, "_count", NULL);
	strbuf_addf(p->out, "%" PRIu64 "\n", n);
}

static bool
has_observed(const struct printer *p, size_t offset)
{
	for (size_t i = 0; i <= METER_BUCKETS; i++) {
		if (meter_sum(p->m, offset + i) > 0)
			return true;
	}
	return false;
}

/* What has no labels is there from the start: a rate needs a first value. Nor is a gauge gone when it is 0. */
static bool
is_always_there(const struct printer *p)
{
	const struct meter_family *f = &METER_FAMILIES[p->id];

	if (f->labels[0] == LABEL_NONE)
		return true;
	return f->type == METER_GAUGE && p->l1 + 1 < METER_LABEL_CAPS[f->labels[0]];
}

static void
print_cell(const struct printer *p, size_t offset)
{
	if (meter_is_histogram(p->id)) {
		if (is_always_there(p) || has_observed(p, offset))
			print_histogram(p, offset);
		return;
	}
	if (!is_always_there(p) && meter_sum(p->m, offset) == 0)
		return;
	add_series(p, "", NULL);
	strbuf_addf(p->out, "%" PRId64 "\n", (int64_t)meter_sum(p->m, offset));
}

static void
print_family(const struct meter *m, enum meter_id id, struct strbuf *out)
{
	static const char *const TYPES[] = {
		[METER_COUNTER] = "counter", [METER_GAUGE] = "gauge",
		[METER_HISTOGRAM] = "histogram", [METER_SPAN] = "histogram",
	};
	const struct meter_family *f = &METER_FAMILIES[id];
	enum meter_label_set s1 = f->labels[0], s2 = f->labels[1];
	size_t width = meter_is_histogram(id) ? METER_HISTOGRAM_CELLS : 1;
	struct printer p = { .m = m, .id = id, .out = out };

	prom_family(out, f->name, TYPES[f->type], f->help);
	for (p.l1 = first_value(m, s1); p.l1 < METER_LABEL_CAPS[s1]; p.l1 = next_value(m, s1, p.l1))
		for (p.l2 = first_value(m, s2); p.l2 < METER_LABEL_CAPS[s2]; p.l2 = next_value(m, s2, p.l2))
			print_cell(&p, m->offsets[id] + (p.l1 * METER_LABEL_CAPS[s2] + p.l2) * width);
}

void
meter_print(const struct meter *m, struct strbuf *out)
{
	for (enum meter_id id = 0; id < METER_COUNT; id++)
		print_family(m, id, out);
}
