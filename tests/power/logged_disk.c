/* A disk for power-loss tests: a FUSE file system with one file, `disk`, for a loop device.
 *
 *   logged_disk IMAGE LOG MOUNTPOINT
 *
 * What is written goes to IMAGE, and with every flush into LOG, in the order in which it came, so
 * that each state in which a power loss could leave the disk can be put together afterwards:
 * everything before the last flush, and any part of what came behind it. One thread; the kernel
 * caches nothing of it. An entry of LOG is 24 bytes, little-endian, and the data of a write:
 *
 *   0  u64  1: write, 2: flush
 *   8  u64  offset
 *   16 u64  bytes
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kWrite = 1, kFlush = 2 };

static int image;
static int log_file;
static struct stat image_status;

static int write_whole(int file, const void* data, size_t size) {
  const char* at = data;
  while (size != 0) {
    const ssize_t done = write(file, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return -EIO;
    at += done;
    size -= (size_t)done;
  }
  return 0;
}

static int note(uint64_t kind, uint64_t offset, const void* data, uint64_t size) {
  const uint64_t head[3] = {kind, offset, size};
  const int rc = write_whole(log_file, head, sizeof head);
  return rc != 0 ? rc : write_whole(log_file, data, (size_t)size);
}

static int is_disk(const char* path) { return strcmp(path, "/disk") == 0; }

static int disk_getattr(const char* path, struct stat* status, struct fuse_file_info* info) {
  (void)info;
  memset(status, 0, sizeof *status);
  if (strcmp(path, "/") == 0) {
    status->st_mode = S_IFDIR | 0700;
    status->st_nlink = 2;
    return 0;
  }
  if (!is_disk(path)) return -ENOENT;
  status->st_mode = S_IFREG | 0600;
  status->st_nlink = 1;
  status->st_size = image_status.st_size;
  return 0;
}

static int disk_readdir(const char* path, void* buffer, fuse_fill_dir_t fill, off_t offset,
                        struct fuse_file_info* info, enum fuse_readdir_flags flags) {
  (void)path;
  (void)offset;
  (void)info;
  (void)flags;
  fill(buffer, ".", NULL, 0, 0);
  fill(buffer, "..", NULL, 0, 0);
  fill(buffer, "disk", NULL, 0, 0);
  return 0;
}

static int disk_open(const char* path, struct fuse_file_info* info) {
  if (!is_disk(path)) return -ENOENT;
  info->direct_io = 1;
  return 0;
}

static int disk_read(const char* path, char* buffer, size_t size, off_t offset,
                     struct fuse_file_info* info) {
  (void)path;
  (void)info;
  const ssize_t done = pread(image, buffer, size, offset);
  return done < 0 ? -errno : (int)done;
}

static int disk_write(const char* path, const char* data, size_t size, off_t offset,
                      struct fuse_file_info* info) {
  (void)path;
  (void)info;
  if (offset < 0 || offset + (off_t)size > image_status.st_size) return -ENOSPC;
  const int rc = note(kWrite, (uint64_t)offset, data, size);
  if (rc != 0) return rc;
  const ssize_t done = pwrite(image, data, size, offset);
  return done < 0 ? -errno : (int)done;
}

static int disk_fsync(const char* path, int data_only, struct fuse_file_info* info) {
  (void)path;
  (void)data_only;
  (void)info;
  return note(kFlush, 0, "", 0);
}

static const struct fuse_operations operations = {
    .getattr = disk_getattr,
    .readdir = disk_readdir,
    .open = disk_open,
    .read = disk_read,
    .write = disk_write,
    .fsync = disk_fsync,
};

int main(int count, char** arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: %s IMAGE LOG MOUNTPOINT\n", arguments[0]);
    return 2;
  }
  image = open(arguments[1], O_RDWR | O_CLOEXEC);
  log_file = open(arguments[2], O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (image < 0 || log_file < 0 || fstat(image, &image_status) != 0) {
    perror(arguments[0]);
    return 2;
  }
  char* options[] = {arguments[0], "-f", "-s", arguments[3], NULL};
  return fuse_main(4, options, &operations, NULL);
}
