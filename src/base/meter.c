/* Shared counters.
 * SPDX-License-Identifier: MIT */
#include "base/meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/meter_private.h"

/* Names are added a few times in a process's life. */
enum { LOCK_MAX_S = 1 };

const struct meter_family METER_FAMILIES[METER_COUNT] = {
#define X(id, name, type, l1, l2, help) { name, METER_##type, { LABEL_##l1, LABEL_##l2 }, help },
	METER_ROWS(X)
#undef X
};
const char *const METER_LABEL_NAMES[LABEL_COUNT] = {
#define X(name, text, cap) text,
	METER_LABELS(X)
#undef X
};
const size_t METER_LABEL_CAPS[LABEL_COUNT] = {
#define X(name, text, cap) cap,
	METER_LABELS(X)
#undef X
};
const int64_t METER_BOUNDS_US[METER_BUCKETS] = { 100, 250, 500, 1000, 2500, 5000, 10000, 20000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 5000000, 15000000, 60000000 };
const int64_t METER_SPAN_BOUNDS_US[METER_BUCKETS] = { 1000000, 2000000, 5000000, 10000000, 15000000, 20000000,
	30000000, 45000000, 60000000, 120000000, 300000000, 600000000, 1200000000, 1800000000, 3600000000, 7200000000,
	14400000000 };

bool
meter_is_histogram(enum meter_id id)
{
	return METER_FAMILIES[id].type == METER_HISTOGRAM || METER_FAMILIES[id].type == METER_SPAN;
}

const int64_t *
meter_bounds(enum meter_id id)
{
	return METER_FAMILIES[id].type == METER_SPAN ? METER_SPAN_BOUNDS_US : METER_BOUNDS_US;
}

static size_t
n_cells(enum meter_id id)
{
	const struct meter_family *f = &METER_FAMILIES[id];
	size_t n = METER_LABEL_CAPS[f->labels[0]] * METER_LABEL_CAPS[f->labels[1]];

	return meter_is_histogram(id) ? n * METER_HISTOGRAM_CELLS : n;
}

static bool
init_lock(struct meter_shared *s)
{
	pthread_mutexattr_t attr;
	bool ok;

	if (pthread_mutexattr_init(&attr) != 0)
		return false;
	ok = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0 &&
	    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0 &&
	    pthread_mutex_init(&s->lock, &attr) == 0;
	pthread_mutexattr_destroy(&attr);
	return ok;
}

struct meter *
meter_new(size_t n_slots)
{
	struct meter *m = calloc(1, sizeof(*m));
	void *at;

	if (m == NULL)
		return NULL;
	for (enum meter_id id = 0; id < METER_COUNT; id++) {
		m->offsets[id] = m->slot_cells;
		m->slot_cells += n_cells(id);
	}
	m->n_slots = n_slots;
	m->bytes = sizeof(*m->shared) + n_slots * m->slot_cells * sizeof(m->shared->cells[0]);
	/* Zeroed by the kernel, and only what is touched takes memory. */
	at = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED) {
		free(m);
		return NULL;
	}
	m->shared = at;
	if (init_lock(m->shared))
		return m;
	meter_free(m);
	return NULL;
}

void
meter_free(struct meter *m)
{
	if (m == NULL)
		return;
	munmap(m->shared, m->bytes);
	free(m);
}

void
meter_use(struct meter *m, size_t slot)
{
	if (m != NULL)
		m->slot = slot % m->n_slots;
}

/* The index of a value that is known; n where it is not. */
static size_t
find(const struct meter_names *names, size_t n, struct str value)
{
	size_t i = 0;

	while (i < n && !str_eq(str_of(names->at[i]), value))
		i++;
	return i;
}

/* False: whoever holds it stands still. One that died holding it left at worst a name that nobody counts. */
static bool
lock(struct meter_shared *s)
{
	struct timespec until;
	int rc;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOCK_MAX_S;
	rc = pthread_mutex_clocklock(&s->lock, CLOCK_MONOTONIC, &until);
	if (rc == EOWNERDEAD)
		rc = pthread_mutex_consistent(&s->lock);
	return rc == 0;
}

static size_t
add_name(struct meter_names *names, size_t cap, struct str value)
{
	size_t n = atomic_load(&names->n);
	size_t i = find(names, n, value);

	if (i < n || i + 1 >= cap)
		return i;
	if (value.len > 0)
		memcpy(names->at[i], value.at, value.len);
	names->at[i][value.len] = '\0';
	atomic_store(&names->n, n + 1);
	return i;
}

/* What is kept of a value: a text that ends in a NUL, without half a character at its end. */
static struct str
fitting(struct str value)
{
	size_t n = 0, max = value.len < METER_NAME_CAP ? value.len : METER_NAME_CAP - 1;
	bool cut;

	while (n < max && value.at[n] != '\0')
		n++;
	cut = n == max && n < value.len;
	while (cut && n > 0 && ((unsigned char)value.at[n] & 0xc0) == 0x80)
		n--;
	return (struct str){ value.at, n };
}

size_t
meter_label(struct meter *m, enum meter_label_set set, struct str value)
{
	size_t cap = METER_LABEL_CAPS[set], n, i;

	if (m == NULL || cap == 1)
		return 0;
	value = fitting(value);
	n = atomic_load(&m->shared->names[set].n);
	i = find(&m->shared->names[set], n, value);
	if (i < n || n + 1 >= cap)
		return i < n ? i : cap - 1;
	if (!lock(m->shared))
		return cap - 1;
	i = add_name(&m->shared->names[set], cap, value);
	pthread_mutex_unlock(&m->shared->lock);
	return i;
}

static _Atomic uint64_t *
cell(const struct meter *m, enum meter_id id, size_t l1, size_t l2)
{
	const struct meter_family *f = &METER_FAMILIES[id];
	size_t width = meter_is_histogram(id) ? METER_HISTOGRAM_CELLS : 1;
	size_t at = (l1 * METER_LABEL_CAPS[f->labels[1]] + l2) * width;

	return &m->shared->cells[m->slot * m->slot_cells + m->offsets[id] + at];
}

static void
bump(_Atomic uint64_t *c, int64_t n)
{
	atomic_fetch_add_explicit(c, (uint64_t)n, memory_order_relaxed);
}

void
meter_add_at(struct meter *m, enum meter_id id, size_t l1, size_t l2, int64_t n)
{
	if (m != NULL)
		bump(cell(m, id, l1, l2), n);
}

void
meter_time_at(struct meter *m, enum meter_id id, size_t l1, int64_t us)
{
	_Atomic uint64_t *cells;
	size_t bucket = 0;

	if (m == NULL)
		return;
	if (us < 0)
		us = 0;
	while (bucket < METER_BUCKETS && us > meter_bounds(id)[bucket])
		bucket++;
	cells = cell(m, id, l1, 0);
	bump(&cells[bucket], 1);
	bump(&cells[METER_HISTOGRAM_CELLS - 1], us);
}

void
meter_add(struct meter *m, enum meter_id id, struct str l1, struct str l2, int64_t n)
{
	const struct meter_family *f = &METER_FAMILIES[id];

	if (m != NULL)
		meter_add_at(m, id, meter_label(m, f->labels[0], l1), meter_label(m, f->labels[1], l2), n);
}

void
meter_set(struct meter *m, enum meter_id id, struct str l1, int64_t value)
{
	if (m != NULL)
		atomic_store_explicit(cell(m, id, meter_label(m, METER_FAMILIES[id].labels[0], l1), 0), (uint64_t)value,
		    memory_order_relaxed);
}

void
meter_time(struct meter *m, enum meter_id id, struct str l1, int64_t us)
{
	if (m != NULL)
		meter_time_at(m, id, meter_label(m, METER_FAMILIES[id].labels[0], l1), us);
}

uint64_t
meter_sum(const struct meter *m, size_t offset)
{
	uint64_t sum = 0;

	for (size_t s = 0; s < m->n_slots; s++)
		sum += atomic_load_explicit(&m->shared->cells[s * m->slot_cells + offset], memory_order_relaxed);
	return sum;
}

int64_t
meter_total(const struct meter *m, enum meter_id id)
{
	bool histogram = meter_is_histogram(id);
	uint64_t sum = 0;

	for (size_t i = 0; i < n_cells(id); i++) {
		if (histogram && i % METER_HISTOGRAM_CELLS == METER_HISTOGRAM_CELLS - 1)
			continue;         /* the sum of the times */
		sum += meter_sum(m, m->offsets[id] + i);
	}
	return (int64_t)sum;
}
