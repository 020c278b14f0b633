/* SPDX-License-Identifier: Apache-2.0 */
/* own: who destroys what. `AUTO(buf_done) struct buf b;` runs buf_done(&b) when b's scope ends; TAKE(p) hands a pointer
 * over and leaves NULL behind, so that the AUTO of the giver does nothing. Destructors take NULL and half-built
 * objects. */
#ifndef SLUICE_OWN_H
#define SLUICE_OWN_H

#include <pthread.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#define AUTO(destroy) __attribute__((cleanup(destroy)))
#define TAKE(pointer)                                                                                                  \
    ({                                                                                                                 \
        __typeof__(pointer) taken_ = (pointer);                                                                        \
        (pointer) = NULL;                                                                                              \
        taken_;                                                                                                        \
    })

/* For `AUTO(own_free) char *p`. */
static inline void own_free(void *pointer_to_pointer) { free(*(void **)pointer_to_pointer); }
/* For `AUTO(own_close) int fd = -1`. */
static inline void own_close(int *fd) {
    if (*fd >= 0) (void)close(*fd);
}
/* TAKE for a descriptor: hands it over and leaves -1 behind. */
static inline int own_take_fd(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}
/* For `AUTO(own_fclose) FILE *f`. */
static inline void own_fclose(FILE **file) {
    if (*file) (void)fclose(*file);
}
static inline void own_unlock(pthread_mutex_t **lock) {
    if (*lock) (void)pthread_mutex_unlock(*lock);
}
static inline pthread_mutex_t *own_lock(pthread_mutex_t *lock) {
    (void)pthread_mutex_lock(lock);
    return lock;
}
/* Holds `lock` until the scope ends. */
#define LOCKED(lock) AUTO(own_unlock) __attribute__((unused)) pthread_mutex_t *locked_here_ = own_lock(lock)

#endif
