/* screen - a terminal that one program fills: its own page, no echo, keys at once; and given back as it was, however the
 * program ends, but for SIGKILL.
 * Signals:   between screen_open and screen_close INT, TERM, HUP, QUIT, TSTP and WINCH are blocked and taken in screen_wait.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <signal.h>
#include <termios.h>

#include "base/strbuf.h"

struct screen {
	struct termios before;
	sigset_t mask_before;
	int signal_fd;
};

/* stdin and stdout are terminals. False: this one cannot be set up. */
bool screen_open(struct screen *s) MUST_CHECK;
void screen_close(struct screen *s);
/* Lines, cut at the edges of the window as it is now. The first byte of a line may be `head` (bold) or `bad` (red). False:
 * the terminal is gone. */
struct screen_tags { char head, bad; };
bool screen_show(struct arena *a, struct str text, struct screen_tags tags) MUST_CHECK;

enum screen_word { SCREEN_TIME, SCREEN_DRAW, SCREEN_QUIT };
/* Until ms have passed (TIME), the window has another size or is back from Ctrl-Z (DRAW), or q, Ctrl-C, a signal that ends
 * programs, or the end of the terminal (QUIT). */
enum screen_word screen_wait(struct screen *s, int64_t ms);

#endif
