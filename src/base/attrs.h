/* attrs - compiler attributes under readable names, and the size of an array.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_ATTRS_H
#define BASE_ATTRS_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define N_ELEMS(a) (sizeof(a) / sizeof((a)[0]))

#endif
