/* meter_private - what the shared mapping holds: the names of label values, and every slot's cells.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_METER_PRIVATE_H
#define BASE_METER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/meter.h"

/* A histogram's cells: a count for each bucket, one for what is above them all, and the sum in microseconds. */
enum { METER_HISTOGRAM_CELLS = METER_BUCKETS + 2 };
enum { METER_NAME_CAP = 64, METER_VALUES_MAX = 128 };

/* A name never changes once it is counted in n. */
struct meter_names {
	_Atomic size_t n;
	char at[METER_VALUES_MAX][METER_NAME_CAP];
};
struct meter_shared {
	pthread_mutex_t lock;         /* robust, between processes: for adding a name */
	struct meter_names names[LABEL_COUNT];
	_Atomic uint64_t cells[];     /* n_slots times slot_cells */
};
/* This process's view of it. */
struct meter {
	struct meter_shared *shared;
	size_t bytes, n_slots, slot_cells, slot;
	size_t offsets[METER_COUNT];  /* of a family's first cell in a slot */
};

extern const size_t METER_LABEL_CAPS[LABEL_COUNT];

bool meter_is_histogram(enum meter_id id);
/* Its bounds, METER_BUCKETS of them. */
const int64_t *meter_bounds(enum meter_id id);

/* One cell over all slots; `offset` counts from a slot's first. */
uint64_t meter_sum(const struct meter *m, size_t offset);

#endif
