/* tgo-call: the operator's command.
 * SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "cli/cli.h"

int
main(int argc, char **argv)
{
	umask(0027);
	return cli_main(argc, argv);
}
