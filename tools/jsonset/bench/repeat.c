// repeat COUNT COMMAND ARGUMENT...: runs COMMAND so often, one after the other, silently, and prints for each
// run its microseconds of wall time, its microseconds of CPU time, and its exit status (128+n for a signal).
//
// It starts the next run within microseconds: a shell or Python in its place would cost more than what is measured.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long cpu_us(const struct rusage *usage) {
    const struct timeval *user = &usage->ru_utime, *system = &usage->ru_stime;
    return (user->tv_sec + system->tv_sec) * 1000000LL + user->tv_usec + system->tv_usec;
}

int main(int argc, char **argv) {
    if (argc < 3)
        errx(2, "usage: repeat COUNT COMMAND ARGUMENT...");
    posix_spawn_file_actions_t silent;
    posix_spawn_file_actions_init(&silent);
    posix_spawn_file_actions_addopen(&silent, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&silent, 2, "/dev/null", O_WRONLY, 0);
    for (long left = atol(argv[1]); left > 0; left--) {
        struct rusage usage;
        pid_t child;
        int status;
        long long start = now_us();
        if ((errno = posix_spawnp(&child, argv[2], &silent, NULL, argv + 2, environ)) != 0)
            err(2, "cannot start %s", argv[2]);
        while (wait4(child, &status, 0, &usage) == -1)
            if (errno != EINTR)
                err(2, "cannot wait");
        long long wall = now_us() - start;
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        printf("%lld %lld %d\n", wall, cpu_us(&usage), code);
    }
    return 0;
}
