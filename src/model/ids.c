/* ids - the rules for identifiers.
 * SPDX-License-Identifier: MIT */
#include "model/ids.h"

#include "base/utf8.h"

/* C0, DEL and C1 controls, and the separators that break a line in a log viewer. */
static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

bool
text_clean(struct str s)
{
	struct str rest = s;
	uint32_t cp;
	size_t n;

	if (s.len > 0 && (s.at[0] == ' ' || s.at[s.len - 1] == ' '))
		return false;
	for (; rest.len > 0; rest.at += n, rest.len -= n)
		if ((n = utf8_next(rest, &cp)) == 0 || is_control(cp))
			return false;
	return true;
}

bool
text_ok(struct str s, long min, long max)
{
	long n = utf8_length(s);

	return n >= min && n <= max && text_clean(s);
}

bool
id_ok(struct str uid)
{
	return text_ok(uid, 1, ID_MAX);
}

bool
room_id_ok(struct str room_id)
{
	if (!id_ok(room_id))
		return false;
	for (size_t i = 0; i < room_id.len; i++)
		if (room_id.at[i] == '/' || room_id.at[i] == '?' || room_id.at[i] == '#' || room_id.at[i] == '%')
			return false;
	return !str_eq(room_id, S("sync")) && !str_eq(room_id, S(".")) && !str_eq(room_id, S(".."));
}
