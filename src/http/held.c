/* What the workers are doing, in shared memory.
 * SPDX-License-Identifier: MIT */
#include "http/held.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "base/clock.h"

enum { STATE_BITS = 3, STATE_MASK = (1 << STATE_BITS) - 1, CACHE_LINE = 64 };
_Static_assert(HELD_COUNT <= STATE_MASK + 1, "a state fits its bits");

struct held {
	_Alignas(CACHE_LINE) _Atomic uint64_t word;       /* since_ms, and the state in the lowest bits */
	_Atomic uint64_t n_taken;
};

struct held *
held_new(size_t n)
{
	void *at = mmap(NULL, n * sizeof(struct held), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at != MAP_FAILED ? at : NULL;
}

void
held_free(struct held *all, size_t n)
{
	if (all != NULL)
		munmap(all, n * sizeof(*all));
}

struct held *
held_at(struct held *all, size_t i)
{
	return all != NULL ? &all[i] : NULL;
}

static void
put(struct held *h, uint64_t since_ms, enum held_state s)
{
	atomic_store_explicit(&h->word, since_ms << STATE_BITS | (uint64_t)s, memory_order_relaxed);
}

void
held_take(struct held *h)
{
	if (h == NULL)
		return;
	put(h, (uint64_t)(clock_mono_us() / 1000), HELD_HEAD);
	atomic_fetch_add_explicit(&h->n_taken, 1, memory_order_relaxed);
}

void
held_turn(struct held *h, enum held_state s)
{
	if (h != NULL)
		put(h, atomic_load_explicit(&h->word, memory_order_relaxed) >> STATE_BITS, s);
}

void
held_idle(struct held *h)
{
	held_turn(h, HELD_IDLE);
}

void
held_reset(struct held *h)
{
	if (h == NULL)
		return;
	put(h, 0, HELD_IDLE);
	atomic_store_explicit(&h->n_taken, 0, memory_order_relaxed);
}

struct held_look
held_look(const struct held *h)
{
	uint64_t word = h != NULL ? atomic_load_explicit(&h->word, memory_order_relaxed) : HELD_IDLE;

	return (struct held_look){ (enum held_state)(word & STATE_MASK), (int64_t)(word >> STATE_BITS) };
}

uint64_t
held_n_taken(const struct held *h)
{
	return h != NULL ? atomic_load_explicit(&h->n_taken, memory_order_relaxed) : 0;
}

const char *
held_name(enum held_state s)
{
	static const char *const NAMES[HELD_COUNT] = {
		[HELD_IDLE] = "idle", [HELD_HEAD] = "reading_head", [HELD_BODY] = "reading_body",
		[HELD_WORKING] = "working", [HELD_WRITING] = "writing",
	};

	return s < HELD_COUNT ? NAMES[s] : "";
}

bool
held_too_long(struct held_look l, int64_t stuck_ms, int64_t now_ms)
{
	int64_t bound_ms = l.state == HELD_HEAD && stuck_ms > HELD_HEAD_MAX_MS ? HELD_HEAD_MAX_MS : stuck_ms;

	return l.state != HELD_IDLE && now_ms - l.since_ms > bound_ms;
}
