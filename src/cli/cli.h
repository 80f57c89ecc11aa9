/* cli - tgo-call, the operator's command. SPDX-License-Identifier: MIT */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* Returns the exit code: 0 ok; 1 a failure was found, or it was not possible; 2 wrong use. */
int cli_main(int argc, char *const *argv);

#endif
