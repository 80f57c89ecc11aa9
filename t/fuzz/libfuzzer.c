/* libfuzzer - hands libFuzzer's inputs to the target that the environment names: FUZZ_TARGET=path.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

typedef void (*target)(struct arena *a, struct str data);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static target
find(struct str name)
{
#define X(which) if (str_eq(name, S(#which))) return fuzz_##which;
	FUZZ_TARGETS(X)
#undef X
	fprintf(stderr, "FUZZ_TARGET names none of the targets\n");
	exit(64);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static target run;
	struct arena *a;

	if (run == NULL)
		run = find(str_of(getenv("FUZZ_TARGET")));
	a = arena_new(FUZZ_ARENA_BYTES);
	run(a, (struct str){ (const char *)data, size });
	arena_free(a);
	return 0;
}
