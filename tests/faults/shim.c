/* Counts the calls that change files under one folder, and ends the process at one of them.
 *
 * Loaded with LD_PRELOAD; does nothing until faults_arm() is called, or the process is started with
 * FAULTS_FOLDER and FAULTS_CALL.  The n-th call dies before it does anything, or, when it writes and
 * `half` is set, after half of its bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[4096];
static size_t folder_size;
static long fatal;
static int half;
static atomic_long calls;

void faults_arm(const char *path, long call, int halved) {
    snprintf(folder, sizeof folder, "%s", path);
    folder_size = strlen(folder);
    fatal = call;
    half = halved;
    atomic_store(&calls, 0);
}

__attribute__((constructor)) static void arm_from_environment(void) {
    const char *path = getenv("FAULTS_FOLDER"), *call = getenv("FAULTS_CALL");
    if (path && call) faults_arm(path, atol(call), 0);
}

long faults_calls(void) { return atomic_load(&calls); }

static void die(void) { kill(getpid(), SIGKILL); }

/* 1 when this call is the fatal one. */
static int counts(void) { return atomic_fetch_add(&calls, 1) + 1 == fatal; }

static int is_ours(const char *path) {
    return folder_size && path && strncmp(path, folder, folder_size) == 0;
}

static int is_open_in_folder(int fd) {
    char link[64], path[4096];
    if (!folder_size) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return is_ours(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
    if (is_open_in_folder(fd) && counts()) {
        if (half) REAL(write)(fd, data, size / 2);
        die();
    }
    return REAL(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    if (is_open_in_folder(fd) && counts()) {
        if (half) REAL(pwrite)(fd, data, size / 2, at);
        die();
    }
    return REAL(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    if (is_open_in_folder(fd) && counts()) {
        if (half) REAL(pwrite64)(fd, data, size / 2, at);
        die();
    }
    return REAL(pwrite64)(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (is_open_in_folder(fd) && counts()) {
        if (half) {
            struct iovec last = parts[count / 2];
            if (count > 1) REAL(writev)(fd, parts, count / 2);
            REAL(write)(fd, last.iov_base, last.iov_len / 2);
        }
        die();
    }
    return REAL(writev)(fd, parts, count);
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    if (is_open_in_folder(out) && counts()) {
        if (half) REAL(copy_file_range)(in, from, out, to, size / 2, flags);
        die();
    }
    return REAL(copy_file_range)(in, from, out, to, size, flags);
}

int ftruncate(int fd, off_t size) {
    if (is_open_in_folder(fd) && counts()) die();
    return REAL(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    if (is_open_in_folder(fd) && counts()) die();
    return REAL(ftruncate64)(fd, size);
}

int rename(const char *from, const char *to) {
    if (is_ours(to) && counts()) die();
    return REAL(rename)(from, to);
}

int unlink(const char *path) {
    if (is_ours(path) && counts()) die();
    return REAL(unlink)(path);
}
