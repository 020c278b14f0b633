/* SPDX-License-Identifier: Apache-2.0 */
#include "must.h"

#include <stdio.h>
#include <stdlib.h>

void must_fail(const char *condition, const char *file, int line) {
    (void)fprintf(stderr, "sluice: a mistake in sluice itself: %s does not hold (%s:%d); please report it\n", condition,
                  file, line);
    abort();
}
