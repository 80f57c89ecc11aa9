/* standing - the table.
 * SPDX-License-Identifier: MIT */
#include "call/standing.h"

enum stand
standing_judge(const struct standing *s, const char **why_out)
{
	*why_out = "";
	if (!s->assigned) {
		*why_out = "unassigned";
		return STAND_MOVES;
	}
	/* No process, no media: whoever was connected is not any more. */
	if (s->pulse == PULSE_REFUSES) {
		*why_out = "refused";
		return STAND_MOVES;
	}
	if (s->pulse == PULSE_ALIVE) {
		if (!s->leaving || s->visited)
			return STAND_STAYS;
		*why_out = "drained";
		return STAND_MOVES;
	}
	*why_out = "silent";
	if (!s->people || s->silent_ms >= STANDING_SILENT_MS)
		return STAND_MOVES;
	if (s->fresh)
		return STAND_WAITS;
	*why_out = "stale";
	return STAND_MOVES;
}
