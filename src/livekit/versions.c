/* versions - the tested range.
 * SPDX-License-Identifier: MIT */
#include "livekit/versions.h"

enum { MAJOR = 1, MINOR_FROM = 9, MINOR_TO = 13, PART_MAX = 1000000 };

const char LIVEKIT_TESTED[] = "1.9.0 to 1.13.x";

bool
livekit_version_tested(struct str version)
{
	int64_t n[3];
	struct str rest, part;

	/* "1.13.5-rc1": what follows the numbers is not compared. */
	if (!str_split(&version, '-', &rest))
		return false;
	for (size_t i = 0; i < N_ELEMS(n); i++)
		if (!str_split(&rest, '.', &part) || !parse_i64(part, 0, PART_MAX, &n[i]))
			return false;
	return rest.at == NULL && n[0] == MAJOR && n[1] >= MINOR_FROM && n[1] <= MINOR_TO;
}
