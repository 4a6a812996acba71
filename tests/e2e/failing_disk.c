// Preloaded into a server, makes the volume that holds its data fail. What is
// wrong is in two files of the directory KINORA_FAILING_DISK, read at each call:
//   room       the bytes that still fit, as a decimal number; each byte by which
//              a file grows takes one. Without the file there is room enough.
//   read_only  while it is there nothing can be written, as on a volume that
//              the system has remounted.
//   kill_in    the changes to the disk until the process kills itself (SIGKILL),
//              before the one that makes it 0.
// Only files and directories below KINORA_FAILING_DISK/data are concerned.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static const char* in_directory(const char* name, char* path) {
  const char* directory = getenv("KINORA_FAILING_DISK");
  if (directory == NULL) return NULL;
  snprintf(path, PATH_MAX, "%s/%s", directory, name);
  return path;
}

static int is_concerned(const char* path) {
  char data[PATH_MAX];
  if (in_directory("data", data) == NULL) return 0;
  return strncmp(path, data, strlen(data)) == 0;
}

static int is_descriptor_concerned(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  if (size < 0) return 0;
  path[size] = '\0';
  return is_concerned(path);
}

// Takes up to `wanted` from the number in a file; returns how much it took, or
// `wanted` if there is no such file.
static size_t take(const char* name, size_t wanted) {
  char path[PATH_MAX], text[32] = "";
  if (in_directory(name, path) == NULL) return wanted;
  pthread_mutex_lock(&mutex);
  const int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR);
  size_t taken = wanted;
  if (fd >= 0) {
    syscall(SYS_pread64, fd, text, sizeof(text) - 1, (off_t)0);
    const size_t left = strtoull(text, NULL, 10);
    if (left < wanted) taken = left;
    const int length = snprintf(text, sizeof(text), "%-20zu", left - taken);
    syscall(SYS_pwrite64, fd, text, (size_t)length, (off_t)0);
    syscall(SYS_close, fd);
  }
  pthread_mutex_unlock(&mutex);
  return taken;
}

// To be called before each change.
static void count_change(void) {
  if (take("kill_in", 1) == 0) kill(getpid(), SIGKILL);
}

static int is_read_only(void) {
  char path[PATH_MAX];
  return in_directory("read_only", path) != NULL && access(path, F_OK) == 0;
}

// How many of `size` bytes may be written at `offset`; they are taken from the
// room there is. -1, with errno, if none.
static ssize_t admit(int fd, size_t size, off_t offset) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return size;
  if (!is_descriptor_concerned(fd)) return size;
  if (is_read_only()) {
    errno = EROFS;
    return -1;
  }
  count_change();
  const off_t kept = offset < info.st_size ? info.st_size - offset : 0;
  const size_t grows = kept < (off_t)size ? size - (size_t)kept : 0;
  const size_t taken = grows > 0 ? take("room", grows) : 0;
  const size_t admitted = size - grows + taken;
  if (admitted > 0 || size == 0) return admitted;
  errno = ENOSPC;
  return -1;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const int flags = fcntl(fd, F_GETFL);
  const off_t at = lseek(fd, 0, flags & O_APPEND ? SEEK_END : SEEK_CUR);
  const ssize_t admitted = at < 0 ? (ssize_t)size : admit(fd, size, at);
  if (admitted < 0) return -1;
  return syscall(SYS_write, fd, bytes, (size_t)admitted);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const ssize_t admitted = admit(fd, size, offset);
  if (admitted < 0) return -1;
  return syscall(SYS_pwrite64, fd, bytes, (size_t)admitted, offset);
}

static int refuses_change(const char* path) {
  if (!is_concerned(path)) return 0;
  count_change();
  if (!is_read_only()) return 0;
  errno = EROFS;
  return 1;
}

// A new name takes room, too, if only at the very end.
static int refuses_name(const char* path) {
  if (refuses_change(path)) return 1;
  char room_path[PATH_MAX], text[32] = "";
  if (!is_concerned(path) || access(path, F_OK) == 0) return 0;
  const int fd =
      syscall(SYS_openat, AT_FDCWD, in_directory("room", room_path), O_RDONLY);
  if (fd < 0) return 0;
  syscall(SYS_pread64, fd, text, sizeof(text) - 1, (off_t)0);
  syscall(SYS_close, fd);
  if (strtoull(text, NULL, 10) > 0) return 0;
  errno = ENOSPC;
  return 1;
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (flags & O_CREAT) {
    if (refuses_name(path)) return -1;
  } else if ((flags & O_ACCMODE) != O_RDONLY && refuses_change(path)) {
    return -1;
  }
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int mkdir(const char* path, mode_t mode) {
  if (refuses_name(path)) return -1;
  return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int rename(const char* from, const char* to) {
  if (refuses_change(to)) return -1;
  return syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int link(const char* from, const char* to) {
  if (refuses_name(to)) return -1;
  return syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int remove(const char* path) {
  if (refuses_change(path)) return -1;
  struct stat info;
  const int is_directory = lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
  return syscall(SYS_unlinkat, AT_FDCWD, path,
                 is_directory ? AT_REMOVEDIR : 0);
}

int ftruncate(int fd, off_t size) {
  if (is_descriptor_concerned(fd)) {
    count_change();
    if (is_read_only()) {
      errno = EROFS;
      return -1;
    }
  }
  return syscall(SYS_ftruncate, fd, size);
}
