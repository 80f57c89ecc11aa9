/* replay - every example of every target once, without libFuzzer: t/fuzz/corpus/<target>/. Speaks TAP.
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { EXAMPLE_MAX = 256 * 1024 };

static const struct { const char *name; void (*run)(struct arena *a, struct str data); } TARGETS[] = {
#define X(name) { #name, fuzz_##name },
	FUZZ_TARGETS(X)
#undef X
};

/* In memory of just that size, so that a step past the end is seen by who looks for one. */
static void
replay_file(const char *path, void (*run)(struct arena *a, struct str data))
{
	FILE *f = fopen(path, "rb");
	char *bytes = malloc(EXAMPLE_MAX), *exact;
	struct arena *a = arena_new(FUZZ_ARENA_BYTES);
	size_t n;

	if (f == NULL || bytes == NULL)
		abort();
	fprintf(stderr, "%s\n", path);
	n = fread(bytes, 1, EXAMPLE_MAX, f);
	exact = malloc(n + 1);
	if (exact == NULL)
		abort();
	memcpy(exact + 1, bytes, n);
	run(a, (struct str){ exact + 1, n });
	arena_free(a);
	free(exact);
	free(bytes);
	fclose(f);
}

/* How many there were. */
static int
replay_folder(const char *folder, void (*run)(struct arena *a, struct str data))
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	char path[4096];
	int n = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		replay_file(path, run);
		n++;
	}
	if (d != NULL)
		closedir(d);
	return n;
}

/* In a child, so that one target's end is not the others'. Nothing to replay is a failure, too. */
static bool
replay(const char *root, size_t i)
{
	char folder[2048];
	int status = -1;
	pid_t pid;

	snprintf(folder, sizeof(folder), "%s/t/fuzz/corpus/%s", root, TARGETS[i].name);
	fflush(stdout);
	if ((pid = fork()) == 0)
		exit(replay_folder(folder, TARGETS[i].run) > 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
main(void)
{
	const char *root = getenv("top_srcdir");
	int n_bad = 0;

	printf("1..%zu\n", N_ELEMS(TARGETS));
	for (size_t i = 0; i < N_ELEMS(TARGETS); i++) {
		bool ok = replay(root != NULL ? root : ".", i);

		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, TARGETS[i].name);
		n_bad += !ok;
	}
	return n_bad > 0;
}
