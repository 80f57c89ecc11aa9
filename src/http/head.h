/* head - judges the head of a FastCGI request (BEGIN_REQUEST and PARAMS) before libfcgi reads it: Debian's has no
 * limits, waits for ever for the rest of half a record, and dies of some lengths. Pure.
 * Wire:      FastCGI 1.0, 3.3 (records), 3.4 (name-value pairs), 5.1, 5.2. nginx sends all of the head at once, its
 *            parameters in one record.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stddef.h>

/* nginx's parameters are at most one record of 64 KiB; 512 of them, many times what it has headers for. */
enum { HEAD_MAX_BYTES = 80 * 1024, HEAD_PARAMS_MAX = 512 };

enum head_verdict {
	HEAD_MORE,                /* so far well, and not whole */
	HEAD_WHOLE,
	HEAD_ODD,                 /* can be read, and must not be trusted: too many parameters, a name that is empty or
	                             has a '=', a NUL: libfcgi makes C strings "NAME=value" of them */
	HEAD_BAD                  /* no server speaks like that: another version, role, order or length */
};

/* What came first on a connection, n <= HEAD_MAX_BYTES; what follows the head is not looked at. The bytes may be
 * moved about. */
enum head_verdict head_judge(unsigned char *at, size_t n);

#endif
