/* The shared counters in Prometheus' text format.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/meter_private.h"

struct printer {
	const struct meter *m;
	const struct meter_family *f;
	struct strbuf *out;
	size_t l1, l2;
};

static struct str
value_of(const struct meter *m, enum meter_label_set set, size_t i)
{
	const struct meter_names *names = &m->shared->names[set];

	if (i + 1 == METER_LABEL_CAPS[set])
		return S("other");
	return i < atomic_load(&names->n) ? str_of(names->at[i]) : S("");
}

static void
add_escaped(struct strbuf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '\\' || s.at[i] == '"')
			strbuf_addc(out, '\\');
		if (s.at[i] == '\n')
			strbuf_addz(out, "\\n");
		else
			strbuf_addc(out, s.at[i]);
	}
}

static void
add_label(const struct printer *p, const char *name, struct str value, bool *any)
{
	strbuf_addc(p->out, *any ? ',' : '{');
	strbuf_addz(p->out, name);
	strbuf_addz(p->out, "=\"");
	add_escaped(p->out, value);
	strbuf_addc(p->out, '"');
	*any = true;
}

/* name_suffix{labels,le="bound"}; le NULL: without. */
static void
add_series(const struct printer *p, const char *suffix, const char *le)
{
	size_t at[2] = { p->l1, p->l2 };
	bool any = false;

	strbuf_addz(p->out, p->f->name);
	strbuf_addz(p->out, suffix);
	for (size_t i = 0; i < 2; i++) {
		enum meter_label_set set = p->f->labels[i];

		if (set != LABEL_NONE)
			add_label(p, METER_LABEL_NAMES[set], value_of(p->m, set, at[i]), &any);
	}
	if (le != NULL)
		add_label(p, "le", str_of(le), &any);
	if (any)
		strbuf_addc(p->out, '}');
	strbuf_addc(p->out, ' ');
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
			strbuf_addf(&b, "%g", (double)METER_BOUNDS_US[i] / 1e6);
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

static void
print_cell(const struct printer *p, size_t offset)
{
	bool unlabelled = p->f->labels[0] == LABEL_NONE && p->f->labels[1] == LABEL_NONE;

	if (p->f->type == METER_HISTOGRAM) {
		if (unlabelled || has_observed(p, offset))
			print_histogram(p, offset);
		return;
	}
	/* What has no labels is there from the start: a rate needs a first value. */
	if (!unlabelled && meter_sum(p->m, offset) == 0)
		return;
	add_series(p, "", NULL);
	strbuf_addf(p->out, "%" PRIu64 "\n", meter_sum(p->m, offset));
}

static void
print_family(const struct meter *m, enum meter_id id, struct strbuf *out)
{
	struct printer p = { .m = m, .f = &METER_FAMILIES[id], .out = out };
	size_t n1 = METER_LABEL_CAPS[p.f->labels[0]], n2 = METER_LABEL_CAPS[p.f->labels[1]];
	size_t width = p.f->type == METER_HISTOGRAM ? METER_HISTOGRAM_CELLS : 1;

	strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", p.f->name, p.f->help, p.f->name,
	    p.f->type == METER_HISTOGRAM ? "histogram" : "counter");
	for (p.l1 = 0; p.l1 < n1; p.l1++) {
		for (p.l2 = 0; p.l2 < n2; p.l2++)
			print_cell(&p, m->offsets[id] + (p.l1 * n2 + p.l2) * width);
	}
}

void
meter_print(const struct meter *m, struct strbuf *out)
{
	for (enum meter_id id = 0; id < METER_COUNT; id++)
		print_family(m, id, out);
}
