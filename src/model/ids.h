/* ids - what a uid, a room_id and the texts beside them may look like (api.md, "Validation").
 * SPDX-License-Identifier: MIT */
#ifndef MODEL_IDS_H
#define MODEL_IDS_H

#include "base/str.h"

enum { ID_MAX = 40, DEVICE_TYPE_MAX = 20, DEVICE_ID_MAX = 64, NAME_MAX_CHARS = 128, SID_MAX = 64 };

/* min..max characters of strict UTF-8, no control characters, no space at either end. */
bool text_ok(struct str s, long min, long max);
bool id_ok(struct str uid);
/* An id that can stand in a path as it is: no '/', '?', '#', '%', and not "sync", "." or "..". */
bool room_id_ok(struct str room_id);
/* For tables of fields: no control characters, no space at either end, any length. */
bool text_clean(struct str s);

#endif
