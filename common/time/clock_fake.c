/* SPDX-License-Identifier: Apache-2.0 */
#include "clock_fake.h"

static uint64_t fake_monotonic_ms(void *self) { return ((struct clock_fake *)self)->monotonic_ms; }

static int64_t fake_wall_ns(void *self) { return ((struct clock_fake *)self)->wall_ns; }

static void fake_sleep_ms(void *self, uint64_t ms) {
    struct clock_fake *fake = self;
    fake->slept_ms += ms;
    fake->sleeps++;
    clock_fake_advance(fake, ms);
}

static const struct clock_ops fake_ops = {fake_monotonic_ms, fake_wall_ns, fake_sleep_ms};

struct clock clock_fake(struct clock_fake *fake) {
    return (struct clock){&fake_ops, fake};
}

void clock_fake_advance(struct clock_fake *fake, uint64_t ms) {
    fake->monotonic_ms += ms;
    fake->wall_ns += (int64_t)ms * 1000000;
}
