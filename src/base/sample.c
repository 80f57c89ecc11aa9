/* A text that processes share.
 * SPDX-License-Identifier: MIT */
#include "base/sample.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* It is held while a text is copied: who holds it longer stands still. */
enum { LOCK_MAX_MS = 100, COST_SHARE = 20 };

struct sample {
	pthread_mutex_t lock;         /* robust, between processes */
	size_t cap, len;
	bool there;
	int64_t made_us;
	int64_t due_us;               /* the next turn, by the last maker's cost; 0: at once */
	int64_t tried_us;             /* 0: never */
	char text[];
};

static bool
init_lock(struct sample *s)
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

struct sample *
sample_new(size_t max_bytes)
{
	size_t bytes = sizeof(struct sample) + max_bytes;
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sample *s = at;

	if (at == MAP_FAILED)
		return NULL;
	s->cap = max_bytes;
	if (init_lock(s))
		return s;
	munmap(at, bytes);
	return NULL;
}

void
sample_free(struct sample *s)
{
	if (s != NULL)
		munmap(s, sizeof(*s) + s->cap);
}

static bool
lock(struct sample *s)
{
	struct timespec until;
	int rc;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)LOCK_MAX_MS * 1000 * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	rc = pthread_mutex_clocklock(&s->lock, CLOCK_MONOTONIC, &until);
	if (rc == EOWNERDEAD) {
		/* It may have died in the middle of the text. */
		s->there = false;
		rc = pthread_mutex_consistent(&s->lock);
	}
	return rc == 0;
}

bool
sample_is_due(struct sample *s, int64_t now_us, int64_t every_us)
{
	bool due;

	if (s == NULL || !lock(s))
		return false;
	due = s->tried_us == 0 || (now_us >= s->due_us && now_us - s->tried_us >= every_us);
	if (due)
		s->tried_us = now_us;
	pthread_mutex_unlock(&s->lock);
	return due;
}

bool
sample_put(struct sample *s, struct str text, int64_t began_us, int64_t now_us)
{
	if (s == NULL || text.len > s->cap || !lock(s))
		return false;
	/* A maker that stood still for long must not bring an older text. */
	if (!s->there || began_us >= s->made_us) {
		s->there = false;
		memcpy(s->text, text.at, text.len);
		s->len = text.len;
		s->made_us = began_us;
		s->due_us = began_us + COST_SHARE * (now_us - began_us);
		s->there = true;
	}
	pthread_mutex_unlock(&s->lock);
	return true;
}

bool
sample_get(struct sample *s, struct arena *a, struct str *text_out, int64_t *made_us_out)
{
	bool there;

	if (s == NULL || !lock(s))
		return false;
	there = s->there;
	if (there) {
		*text_out = arena_str(a, (struct str){ s->text, s->len });
		*made_us_out = s->made_us;
	}
	pthread_mutex_unlock(&s->lock);
	return there;
}
