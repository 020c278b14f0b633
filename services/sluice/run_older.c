/* SPDX-License-Identifier: Apache-2.0 */
/* What earlier generations left in their topics: a fleet whose generation is raised is replaced process by process, and
 * the workers of the old one may publish until the last of them has ended. Every uploader looks after these topics; two
 * of them harm nobody. */
#include "run_inner.h"

#include "log.h"
#include "run_generations.h"

enum { OLDER_EVERY_MS = 20 * 1000, FAILED_EVERY_MS = 10 * 60 * 1000 };

void *run_older_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    struct loop loop;
    loop_init(&loop, &r->loops, "uploader of earlier generations");
    struct run_until until = {.loops = &r->loops};
    while (!loops_stopping(&r->loops)) {
        struct why why = {0};
        struct runtime now = *r->runtime;
        now.ledger.at.epoch = atomic_load(&r->loops.epoch);
        enum rc rc = run_finish_generations(&now, &r->settings, &until, &why);
        if (loops_stopping(&r->loops)) break;                     /* also by its own doing, which was told */
        if (rc == RC_BROKEN || rc == RC_DENIED || rc == RC_BAD) { /* the present generation has nothing to do with it */
            LOG_ERROR("an earlier generation cannot be finished; its objects stay as they are",
                      F_STR("rc", str_of(rc_name(rc))), F_STR("error", str_of(why.text)));
            loops_sleep(&r->loops, FAILED_EVERY_MS);
            continue;
        }
        if (!loop_settle(&loop, rc, &why)) break;
        if (rc == RC_OK) loops_sleep(&r->loops, OLDER_EVERY_MS);
    }
    return NULL;
}
