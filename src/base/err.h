/* err - every way an operation can end, in one table: the stable key clients see, the HTTP status,
 * and who is to blame (which picks the log level). Texts are in i18n/messages.def under the same key.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attrs.h"

enum blame { BLAME_NOBODY, BLAME_CALLER, BLAME_PEER, BLAME_US };

#define ERR_ROWS(X)                                                              \
	/*  name                     key                         http  blame      */ \
	X(OK,                       "ok",                        200, BLAME_NOBODY)  \
	X(INVALID_PARAMETERS,       "invalid_parameters",        400, BLAME_CALLER)  \
	X(ROOM_TOO_SMALL,           "room_full",                 400, BLAME_CALLER)  \
	X(UNAUTHORIZED,             "unauthorized",              401, BLAME_CALLER)  \
	X(FORBIDDEN,                "forbidden",                 403, BLAME_CALLER)  \
	X(PARTICIPANT_NOT_INVITED,  "participant_not_invited",   403, BLAME_CALLER)  \
	X(PARTICIPANT_REMOVED,      "participant_removed",       403, BLAME_CALLER)  \
	X(ROOM_NOT_FOUND,           "room_not_found",            404, BLAME_CALLER)  \
	X(PARTICIPANT_NOT_FOUND,    "participant_not_found",     404, BLAME_CALLER)  \
	X(NOT_FOUND,                "not_found",                 404, BLAME_CALLER)  \
	X(METHOD_NOT_ALLOWED,       "method_not_allowed",        405, BLAME_CALLER)  \
	X(ROOM_ALREADY_EXISTS,      "room_already_exists",       409, BLAME_CALLER)  \
	X(CREATOR_IN_ANOTHER_CALL,  "creator_in_another_call",   409, BLAME_CALLER)  \
	X(PARTICIPANT_IN_CALL,      "participant_in_call",       409, BLAME_CALLER)  \
	X(ROOM_NOT_ACTIVE,          "room_not_active",           409, BLAME_CALLER)  \
	X(ROOM_FULL,                "room_full",                 409, BLAME_CALLER)  \
	X(JOINED_ELSEWHERE,         "joined_elsewhere",          409, BLAME_CALLER)  \
	X(ILLEGAL_TRANSITION,       "illegal_transition",        409, BLAME_CALLER)  \
	X(IDEMPOTENCY_MISMATCH,     "idempotency_mismatch",      409, BLAME_CALLER)  \
	X(BODY_TOO_LARGE,           "body_too_large",            413, BLAME_CALLER)  \
	X(UNSUPPORTED_MEDIA_TYPE,   "unsupported_media_type",    415, BLAME_CALLER)  \
	X(RATE_LIMITED,             "rate_limited",              429, BLAME_CALLER)  \
	X(INTERNAL,                 "internal",                  500, BLAME_US)      \
	X(UNAVAILABLE,              "unavailable",               503, BLAME_PEER)    \
	X(OUTCOME_UNKNOWN,          "outcome_unknown",           503, BLAME_PEER)    \
	/* Between the rooms only; tx_run, the stores and the API consume them. */   \
	X(REPLAYED,                 "internal",                  500, BLAME_US)      \
	X(SQL_DUPLICATE,            "internal",                  500, BLAME_US)      \
	X(SQL_AGAIN,                "unavailable",               503, BLAME_PEER)    \
	X(SQL_LOST,                 "unavailable",               503, BLAME_PEER)

enum err {
#define X(name, key, http, blame) ERR_##name,
	ERR_ROWS(X)
#undef X
	ERR_COUNT
};

const char *err_key(enum err e);
int err_http(enum err e);
enum blame err_blame(enum err e);

#endif
