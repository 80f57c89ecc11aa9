/* kv_private - what the files of this room share; nobody else includes it.
 * SPDX-License-Identifier: MIT */
#ifndef KV_KV_PRIVATE_H
#define KV_KV_PRIVATE_H

#include "base/strbuf.h"
#include "kv/kv.h"

enum kv_key_name { KV_KEY_ROOM, KV_KEY_WAKE, KV_KEY_COUNT };

/* The key of a row of KV_KEYS with the part in <> replaced. */
void kv_key(struct strbuf *to, enum kv_key_name key, struct str what);

#endif
