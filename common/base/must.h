/* SPDX-License-Identifier: Apache-2.0 */
/* must: assertions for our own mistakes. They stay on in release builds and end the process with the place and the
 * condition; services restart and lose nothing. Never for input from outside: that is an `enum rc`.
 * Threads: any. Fails: by abort(). */
#ifndef SLUICE_MUST_H
#define SLUICE_MUST_H

#define MUST(condition) ((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__))
#define MUST_NOT_REACH() must_fail("this place cannot be reached", __FILE__, __LINE__)

void must_fail(const char *condition, const char *file, int line) __attribute__((noreturn));

#endif
