/* unit - what every unit test binary ends with: run the suite, speak TAP.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_UNIT_H
#define SUPPORT_UNIT_H

#include <check.h>

static inline int
unit_main(Suite *s)
{
	SRunner *sr = srunner_create(s);

	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	srunner_free(sr);
	return 0;
}

#endif
